"""What to do next, given what came: the client's half of a sync, without I/O (DESIGN §6).

``port`` says what a session needs of a replica; ``session`` decides; ``backoff`` says how long
to wait before the next attempt. Time and randomness are arguments.
"""
