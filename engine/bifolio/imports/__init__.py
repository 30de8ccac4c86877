"""Files and whole libraries into a library.

Reading a file is the matter of ``formats``; what its records become is decided here (DESIGN §4).

================== =================================================================================
``import_files``   several files in one command, and one report
``importer``       one file's records written: new, updated or unchanged
``matching``       which record of the library a record of a file is a version of
``same_groups``    groups that a file tells by their names, and the library's own of those names
``attached_files`` the files of imported records, into the replica's contents
``known_notes``    notes that a file holds as one text, and the reference as several
``prefetch``       new records made ahead by a second process
``worker``         that process: batches in, batches of creations out
================== =================================================================================
"""
