"""The tables of what Bifolio and each format call a type or a field: facts, no acts.

The tables of ``docs/formats.md`` are printed from them (``formats.mapping_markdown``).

============ =============================================================
``meanings`` what EndNote's general fields mean in each of its types
``types``    CSL's item types and what each format calls them
``fields``   CSL's variables (and ours) and what each format calls them
``zotero``   Zotero's item types, fields and roles, and what they are here
``zotero_types`` which fields and roles each of Zotero's item types has
============ =============================================================
"""
