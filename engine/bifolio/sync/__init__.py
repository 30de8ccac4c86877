"""What to do next, given what came: the client's half of a sync, without I/O (DESIGN §6).

Time and randomness are arguments. A session is in one phase at a time; once the relay holds the
library, three machines (membership, log, files) take what came and decide what each would send.

=============== ======================================================================"""
