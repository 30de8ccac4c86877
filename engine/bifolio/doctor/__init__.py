"""The self-check of a library and of what it needs on this computer.

Nothing is repaired here, and nothing is written: ``Library.rebuild_index`` derives again what can
be derived.

=============== ====================================================================================
``examination`` all checks of one library, in order
``content``     the library's file: SQLite, records and state hash, the index, attached files
``computer``    the computer: place, keys, clock, relay, pending work, automatic sync
=============== ====================================================================================
"""
