"""How well the formats agree with real files and with other programs: ``make conformance``.

For each format: the records that its real files hold against those that are read; every value
against the one that another project's test case expects, with each known difference named; and
the ways out and back, in the same format and through every other one.

This is outside the shipped package and uses its public readers and writers alone. A format is
one module in ``families``: its files, its cases, its named differences.
"""
