"""Reads the rows of an SQLite file that SQLite itself may refuse to read. Nothing is written.

By SQLite's published file format alone: a page that is damaged costs what is in it, and the rest is
found. Used where a library or a relay mends itself, and nowhere else: what is whole is read by
SQLite.

============= ======================================================================================
``pages``     the pages of a file, with those of its write-ahead log over them
``trees``     the rows of its tables and the entries of its indexes
``filling``   an empty file filled with the rows of a damaged one
``untouched`` closing a file that is refused without changing a byte of it
============= ======================================================================================
"""
