"""Zotero: its items and its libraries.

==================== =====================================================================
``interface_items``  references as Zotero's interfaces write items, and such items as values
``library``          whole libraries: the rows of ``zotero.sqlite`` to references and groups
``children``         notes and annotations as tags of their item, and back to fields
``json_items``       Zotero's items as JSON: what its service and Better BibTeX write
``json_collections`` the collections of such an export as groups
``items``            items to values: what each field of an item means
``rows``             the tables of ``zotero.sqlite`` as items, each with all that belongs to it
``notes``            notes and annotations as text
==================== =====================================================================
"""
