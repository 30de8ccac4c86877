"""The command line of Bifolio: reads arguments, calls the library, prints the outcome.

Decides nothing about references; every rule is the engine's.
"""
