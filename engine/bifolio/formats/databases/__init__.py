"""What other programs' libraries have in common: where one is, and how its database is read.

Knows neither EndNote's nor Zotero's own tables. The database is read from a copy, an archive is
unpacked with bounds, and XML is read without entities, DTD or network.

======================= ========================================================================
``locate_library``      where a library is: its database and its files
``archives``            a library in a ZIP archive, unpacked with bounds
``sqlite``              other programs' SQLite files, read from a copy
``saved_queries``       saved queries of EndNote and Zotero as Bifolio's, where they can be said
``foreign_attachments`` the files that a library keeps for a record: where each is, and its name
``linked_files``        files outside a library that it links to: which may be taken in
``safe_xml``            small XML texts in the cells of a database
======================= ========================================================================
"""
