"""The protocol between a replica and a relay, without any I/O: client, relay and simulator
share it.

``messages`` declares which messages there are and what each of their values may be,
``connection`` who may send which of them when, ``chain`` how the log is hashed, ``tables``
prints all that for ``docs/protocol.md``. May import only ``errors``, ``ids`` and ``limits``;
must know neither sockets, nor keys, nor what an envelope holds.
"""
