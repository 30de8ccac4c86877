"""``bifolio bench`` in parts: what the merge of a library costs on this computer, measured.

============ =====================================================================================
``run``      the replicas and the relay, and what they do while it is measured
``workload`` the references and the edits: the same ones for the same numbers
``table``    the figures as a person reads them, and a chart in the terminal
``picture``  the same as an SVG file
============ =====================================================================================

Works in a temporary folder, with keys of its own; no library of the user's is written to.
"""
