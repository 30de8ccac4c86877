"""The protocol between a replica and a relay, without any I/O: client, relay and simulator
share it.

May import only ``clock``, ``errors``, ``ids`` and ``limits``; must know neither sockets, nor keys.

============== =====================================================================================
``messages``   which messages there are, declared with the bounds of every value
``message_base`` what all messages share: the values that they are made of
``snapshot_messages`` the messages about statements and snapshots
``connection`` who may send which message when: one table of states
``fragments``  large messages in parts, gone on with after a cut
``changes``    the plaintext of an envelope: a frontier and changes in commit order
``snapshot_parts`` the plaintext of a snapshot, cut into parts
``log_chain``  the chains of hashes over a relay's log and its blobs
``position``   a place in a relay's log
``bundle_parts`` the parts of a bundle, a file that carries what a relay would
``versions``     which version two programs speak, and what to say where there is none
``message_tables`` all that, printed for ``docs/protocol.md``
============== =====================================================================================
"""
