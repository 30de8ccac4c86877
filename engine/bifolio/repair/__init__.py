"""Finds what is damaged of a library on this computer, and mends it from what is whole.

A fresh file is made next to the damaged one, checked, mended and checked again; it takes the place
of the damaged one, which is kept. What no copy on this computer has comes from the relay with the
next sync. A self-check does the same with a file that it throws away.

============= ======================================================================================
``mending``   the files: a fresh one, the damaged one set aside, and the report
``mender``    the tables of a fresh file: what is damaged, and from what it is mended
``brought``   what snapshots brought, mended from the one that is kept
``sampling``  a sample of the file, checked with each sync
``damage``    what was found, and from what it is mended: plain values
============= ======================================================================================
"""
