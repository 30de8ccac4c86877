"""What a reference is: plain values, and for each field the rule by which it merges.

Knows nothing of documents, storage or formats. May import only ``errors``, ``ids``, ``limits``.
"""
