"""A replica and its relay: attaching, joining, sending, receiving.

Decisions are those of ``sync``, which does no I/O; the bytes are carried here.

================== =================================================================================
``remote``         attaching a replica to a relay, joining, inviting, syncing
``run_blocking``   waiting for the network in code that is not async
``client``         the shell round a sync session: asyncio and websockets, no decisions
``greeting``       HELLO: who this device is, signed for one relay and one connection
``adapter``        the replica as a sync session sees it
``inbox``          received envelopes: checked, put in causal order, merged
``outbox``         own changes, sealed into this replica's chain when first offered
``joining``        a library that becomes part of another one
``change_watcher`` noticing what is written to the replica while it stays connected
================== =================================================================================
"""
