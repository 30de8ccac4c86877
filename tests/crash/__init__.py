"""``kill -9`` at random moments of commands and relays, on full disks and poor lines too.

============ =====================================================================================
``__main__`` ``make crash``: so many cycles, and what was killed where
``cycles``   one cycle: a command, a kill, a look at what is there, and a sync of everybody
``world``    two computers, a relay, the line between, and what was acknowledged to whom
``deeds``    the commands that are killed, and what each promises once it has ended well
``disks``    a small file system for a folder, which can be filled to the last byte
============ =====================================================================================
"""
