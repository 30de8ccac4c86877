"""The relay: stores the envelopes of libraries and passes them on, unable to read them.

=================== ===============================================================
``server``          the process: listens, announces where, ends cleanly
``supervisor``      several processes on one address: begins them, and begins them again
``front``           takes connections in, and hands each to the process that has its library
``worker``          one of those processes: serves what is handed over
``handover``        what these tell each other, and how a socket goes along
``lifetime``        what a process that serves does from its beginning to its end
``hub``             joins the connections: who asks, the commits, who is told what
``doorstep``        what a connection is answered before it is a websocket
``care``            its own copy: checked beside all other work, and mended
``health``          what it tells of itself to a plain GET
``feed``            what a library's connections are told of growth, whichever process wrote
``metered_socket``  a websocket that takes no memory before it was granted
``budget``          one budget of bytes for something that all connections hold together
``admission``       who may be connected, and who goes for whom
``rates``           how often something may happen: pure
``descriptors``     how many connections the system lets the process have
``peer``            the shell round one connection: its socket, its queue
``commit_queue``    the queue before the shared commit
``partials``        messages whose fragments have not all come, over several connections
``session``         what one connection is told: events in, actions out, no I/O
``outgoing``        the messages by which a session tells of entries, members and refusals
``questions``       which question of the store a message is
``log_service``     the rules applied to a store: answers questions
``log_writer``      the rules applied to a store: one shared commit
``blob_service``    the rules applied to a store: the contents of files
``snapshot_service`` the rules applied to a store: statements and snapshots
``known_libraries`` what is remembered of libraries, compared with the store on use
``quotas``          how many libraries the relay holds, and how many bytes of each
``rules``           what may enter a library's logs: pure
``member_rules``    what may enter a library's membership log: pure
``join_rates``      how many devices came with one ticket lately
``blob_rules``      who may do what with a library's blobs: pure
``snapshot_rules``  what becomes of statements and snapshots: pure
``requests``        what is asked and answered: plain values
``administration``  libraries and tokens of a relay's folder, from the side of who runs it
``config``          the options, their bounds, where data go unless told
``next_steps``      what to do next, in the words of ``bifolio-relay``
``storage``         what a store must do, and the one that does it with SQLite
=================== ===============================================================

``session``, ``rules`` and ``blob_rules`` decide, without I/O; the services carry that out over a
store, which other processes may use at the same time; ``server``, ``hub``, ``feed``, ``peer``,
``metered_socket`` and ``commit_queue`` are the shell, which decides nothing about libraries, and
``supervisor``, ``front`` and ``worker`` the shell of a relay of several processes.
May import ``bifolio.wire``, the verification of ``bifolio.crypto``, ``errors`` and ``limits``;
never pycrdt.
"""
