"""A replica and its relay: attaching, joining, sending, receiving.

Decisions are those of ``sync``, which does no I/O; the bytes are carried here.

================== =================================================================================
``remote``         attaching a replica to a relay, joining, inviting, syncing
``run_blocking``   waiting for the network in code that is not async
``connecting``     from an address to an open socket, or to what stands in the way
``network_settings`` what the environment and the system say of proxies and certificates
``line_socket``    a websocket that knows whether anything moves on its line
``client``         the shell round a sync session: asyncio and websockets, no decisions
``refilling``      what was damaged here and comes again, from the relay or from other changes
``greeting``       HELLO: who this device is, signed for one relay and one connection
``adapter``        the replica as a sync session sees it
``inbox``          received envelopes, a batch in one transaction or a few
``receiving``      one batch on its way: each envelope refused, kept, left waiting or merged
``judging``        whether an envelope is in order: its author, its place, its content
``waiting``        what cannot be merged yet, within a quota for each author
``applying``       the updates of a judged envelope, merged into their records
``contested``      a record of which two updates bear the same names, made again
``cut_forks``      what lies beside the chains of removed members, taken back
``cut_off``        what lies behind the end of who was removed, taken back where it was merged
``crash_mark``     which envelope was being merged when a process ended
``repairing``      what was set aside, tried again
``outbox``         own changes, sealed into this replica's chain when first offered
``chain_places``   where an envelope is in its chain, compared with what a relay has of that
``snapshots``      statements and snapshots: said, made, loaded and verified
``moving``         a library that moves to another relay, and computers that follow it
``rotation``       a library in which this device goes on under new keys
``relay_addresses`` what an address says of where it leads, before anybody goes there
``joining``        a library that becomes part of another one
``member_acts``    what a user does to the members, as records that follow each other
``drafts``         edits that this computer may not send, and accepting another's
``ticket_preview`` what a ticket is for, before anything is changed
``chain_ends``     where the chains of a device end: the cut of who loses the right to write
``stories``        what others saw of the relay's log, compared with what this replica saw
``change_watcher`` noticing what is written to the replica while it stays connected
================== =================================================================================
"""
