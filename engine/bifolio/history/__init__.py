"""The history of a library: what happened to it, and the ways back.

================ ===================================================================================
``history``      what a program asks: the events, the log, revert, undo
``events``       the events of one reference: who wrote what, when, and what was before
``activity_log`` commands and received changes, the latest first
``replay``       the past of a record: its changes opened and applied, one after the other
``revert``       a reference's earlier values, written as new edits
``restore``      the whole library as it was at a moment, written as new edits
``undo``         what a command, a change or a device did, taken back as new changes
================ ===================================================================================
"""
