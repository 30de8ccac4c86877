"""The relay: stores the envelopes of libraries and passes them on, unable to read them.

``session`` decides what one connection is told, ``rules`` what enters a log, ``storage`` says
what a log store must do and ``storage.sqlite`` does it; ``server``, ``hub``, ``peer`` and
``commits`` are the shell round them, which decides nothing. May import ``bifolio.wire``,
``bifolio.crypto``'s verification, ``errors`` and ``limits``; never pycrdt.
"""
