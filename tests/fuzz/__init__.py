"""Fuzzing: whatever bytes come from members, relays and files, the answer is a value or an error
that is documented, within bounds of time and memory.

``python -m tests.fuzz`` (``make fuzz``) runs the targets for minutes each; ``test_fuzz`` runs all
of them for a few seconds, always with the same inputs.

================= =======================================================================
``targets``       the table: what is tried, on which seeds, and which errors are documented
``seeds``         inputs that our own code makes, which mutations begin with
``mutations``     other inputs of these: bytes, msgpack, JSON, lines, updates, archives, SQLite
``drawn_updates`` updates drawn struct by struct
``judging``       one input tried: accepted, refused, or a finding
``blackboard``    what a process writes where it is seen when the process has crashed
``engines``       atheris, which follows the coverage, and Hypothesis
``child``         the process in which targets run
``driver``        starts it, looks at it, and counts
================= =======================================================================
"""
