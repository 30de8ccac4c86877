"""One SQLite file per replica, and the contents of files beside it (DESIGN §5).

The only user of SQLite.

==============  ===========================================================================
``database``    the file: opening, transactions, SQLite's errors as ours
``migrations``  the schema, as numbered steps
``meta``        the replica's own facts: ids, cursor, frontier, clock, state hash
``records``     the states of the records, and the state hash kept with each write
``changes``     every change: the outbox, the history, the means to rebuild a relay
``references``  what lists and searches read: columns derived from the records
``elements``    which references hold a tag, or are in a group
``attachments`` which references name which contents
``contents``    the contents of files, by their hash
``backup``      a verified copy of the file
==============  ===========================================================================
"""
