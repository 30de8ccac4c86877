"""Records of tagged lines (``TY  - JOUR``): RIS, EndNote's ``enw``, PubMed's nbib.

========== ===========================================================
``ris``    RIS: records to values and back
``enw``    ``enw`` and the older Refer: records to values and back
``nbib``   PubMed's nbib (MEDLINE): records to values; it is only read
``labels`` notes that say a field by its label
``lines``  a text cut into records of tagged lines
========== ===========================================================
"""
