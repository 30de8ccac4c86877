"""The self-check of a library and of what it needs on this computer.

=============  ==================================================================================
examination    all checks of one library, in order
content        the library's file: SQLite, records and state hash, the index, attached files
surroundings   the computer: place, keys, clock, relay, pending work, automatic sync
=============  ==================================================================================

Nothing is repaired here, and nothing is written: what can be derived anew is what
``Library.rebuild_index`` does.
"""
