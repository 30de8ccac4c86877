"""The commit core: one computer's copy of a library, without the network.

Puts ``document``, ``storage``, ``crypto`` and ``wire`` together. Everything that changes a library
goes through ``Replica.commit``; everything above this part is built on it.

============== =====================================================================================
``replica``    the opened replica: keys, time, incarnation, one commit of edits
``workspace``  the documents of one transaction, each loaded once and saved once
``projection`` from a record to the columns that lists read
``rederiving`` a reference derived again of which only plain fields changed
``deletion_guard`` a mass deletion of others, shown on until it is confirmed
``hot_records``    how a large record is loaded and stored
``derived_tables`` what lists read, derived again from the records
``backlog``    committed references that wait to be derived, and what is remembered of them
``derivation`` what lists read of a large batch, derived after it is committed
``derivation_worker`` the same by a second process, while this one merges and writes
``checked_states`` the states of a snapshot checked, by both processes
``checking``   one of them, and a reference's share of the state hash
``derivation_process`` that process: batches of records in, what is stored or found of them out
``worker_process`` a second process of this program, as it is seen from here and from inside
``creation``   a new reference out of a file, with all that is stored of it
``journal``    each change as it is stored, and which command made it
``membership`` the membership log, and the content keys that it brings
``blob_keys``  what seals and opens the contents of files
``envelope_formats`` which envelopes this program can read, and what each says
``folder``     the folder of a replica: made whole or not at all
``restored``   a copy of a replica's file that becomes a replica of its own
``device_naming`` what devices are called where they are shown, no two alike
``lookup``     from what a user calls a reference to the reference
``note_views`` the notes and annotations of a reference, as they are shown
============== =====================================================================================
"""
