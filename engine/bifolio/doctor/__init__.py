"""The self-check of a library and of what it needs on this computer.

A self-check writes nothing; ``repairing`` mends, where it is asked to.

=============== ====================================================================================
``examination`` all checks of one library, in order
``content``     the library's file: SQLite, records and state hash, the index, attached files
``repairing``   mending: the library's file, its attached files, and what the relay has
``leftovers``   what killed commands left behind: named, and swept
``computer``    the computer: place, keys, clock, relay, pending work, automatic sync
=============== ====================================================================================
"""
