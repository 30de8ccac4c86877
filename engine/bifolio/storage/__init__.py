"""One SQLite file per replica, and the contents of files next to it (DESIGN §5).

The only user of SQLite.

======================= ===========================================================================
``edit_mark``           when the last edit was made, noted outside the database
``integrity``           rows as they are in the file, for who checks and mends them
``salvaging``           a fresh file with all that can be read of a damaged one
``database``            the file: opening, and transactions
``table_memory``        what is known of tables from one transaction to the next
``sqlite_errors``       SQLite's errors as ours
``free_pages``          pages that hold nothing, given back to the disk
``migrations``          the schema, as numbered steps
``later_migrations``    the later of these steps
``schema``              whether a file's schema is ours, and nothing besides
``meta``                the replica's own facts: ids, cursor, frontier, clock, state hash
``incarnations``        the slots and client ids that were used, none ever again
``members``             the records of the membership log
``content_keys``        the library's content keys, sealed to this device
``log_hashes``          what the relay's log was at each position, by this replica
``heard``               what was last heard of each device
``records``             the states of the records, and the state hash kept with each write
``hot_states``          of records that were edited often: a base, and the updates since
``packed_states``       states, and changes before they are sealed, as they are stored: compressed
``changes``             every change: the outbox, the history, the means to rebuild a relay
``snapshot_source``     the changes as snapshots see them: what one is made of
``snapshots``           what snapshots brought: covered envelopes, chunks, where histories begin
``statements``          how far each replica is, by what it signed
``lost_changes``        changes whose content was damaged, until they come again
``newer_envelopes``     envelopes that only a newer program can read, kept whole
``pending_envelopes``   received envelopes that wait, and what each of them lacks
``refused_envelopes``   envelopes that broke a rule, and those that ended the process
``voided_envelopes`` merged envelopes that a removal does not let count
``quarantined_updates`` updates that could not be merged, kept as they came
``unconfirmed_deletions`` what others deleted since the user last confirmed it
``join_offers``         what a library that joins another one means to offer
``history``             where each record's changes are, and which of them one command made
``object_versions``     how new each record is: its version, and when it was added and modified
``window_rows``         all that a window shows of references, in one statement
``write_tokens``        the tokens of writes that were done, so that none is done twice
``short_keys``          keys of eight characters, as Zotero's programs name things
``derived``             what is derived of a reference, and the rows that its tables are given
``underived``           references of which nothing is derived yet
``sources``             where each reference was imported from
``list_rows``           rows of lists as they are stored: what is in no column, compressed
``references``          what lists and searches read: columns derived from the records
``elements``            which references hold a tag, or are in a group
``shared_citation_keys`` the citation keys that several live references have
``groups``              the groups as lists read them, one row each
``purged``              references that went with an emptied trash
``searchable``          what the search index is given of a reference
``index``               the search index: words, marks and orders
``ranks``               an order of all references as compact arrays, to sort parts of them by
``ranks_in_pieces``     the ranks of one order, made a piece at a time
``places_mark``         a moment of the orders, and which references may have moved since
``list_indexes``        the indexes by which lists are read, of a library that is served
``expressions``         expressions of the full-text index
``listings``            what was last listed of each conflict
``attachments``         which references name which contents
``contents``            the contents of files, by their hash
``texts``               the texts of files, in a file of their own that may go at any time
``transfers``           what is known of each content's whereabouts
``import_staging``      the records of one file between reading and committing
``manifest``            what a backup says of itself
``archive``             a backup's file, written and read
======================= ===========================================================================
"""
