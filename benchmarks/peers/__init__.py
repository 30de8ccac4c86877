"""The same work by other programs, in turns with ours: ``make bench-peers``.

Every contestant gets the same references and the same edits (``workload``). None of the others
signs, seals, lists or searches anything, and none but the durable peer keeps anything on the disk:
what each does is in its benchmark. JavaScript in ``*.mjs``, run by Node.
"""
