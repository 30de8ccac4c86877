"""One SQLite file per replica: the only user of SQLite (DESIGN §5).

==============  ===========================================================================
``database``    the file: opening, transactions, SQLite's errors as ours
``migrations``  the schema, as numbered steps
``meta``        the replica's own facts: ids, cursor, frontier, clock, state hash
``records``     the states of the records, and the state hash kept with each write
``changes``     every change: the outbox, the history, the means to rebuild a relay
``references``  what lists and searches read: columns derived from the records
``backup``      a verified copy of the file
==============  ===========================================================================
"""
