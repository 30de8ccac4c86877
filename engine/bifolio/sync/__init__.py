"""What to do next, given what came: the client's half of a sync, without I/O (DESIGN §6).

Time and randomness are arguments.

=========== ========================================================================================
``session`` one connection's worth of sync, decided
``files``   the files' part of one connection, decided
``port``    what a session needs of a replica
``backoff`` how long to wait before the next attempt
=========== ========================================================================================
"""
