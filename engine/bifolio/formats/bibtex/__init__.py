"""BibTeX and BibLaTeX: a text cut into entries and blocks, entries to values, and back.

================== ========================================================================
``entries``        entries to values and back
``crossref``       what an entry inherits by ``crossref`` and ``xdata``
``blocks``         a text cut into entries and blocks
``crowded``        entries of more fields than every program reads
``salvage``        what a damaged entry still says
``macros``         ``@string`` macros: definitions, and values with the text in their place
``foreign``        what of another member's blocks and raw values may be written
``names``          names of fields that every reader takes
``journals``       the macros of astronomy's journals
``library_fields`` groups and files as JabRef, Mendeley and BibDesk write them
``dates``          the dates of an entry: ``date``, or ``year`` with ``month`` and ``day``
``fields``         which field a name means in an entry of this type
``values``         one raw value: where it ends, and the parts that ``#`` joins
``strings``        BibLaTeX's own words for kinds of works, states, languages, countries
================== ========================================================================
"""
