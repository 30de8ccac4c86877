"""What to do next, given what came: the client's half of a sync, without I/O (DESIGN §6).

Time and randomness are arguments. A session is in one phase at a time; once the relay holds the
library, three machines (membership, log, files) take what came and decide what each would send.

=============== =============================================================================
``session``     one connection: routes what came, and decides whose turn it is
``phases``      the phases of a session, and what each holds
``membership``  both membership logs become equal, then ours is appended
``log``         the relay's log is followed to its end
``outgoing``    changes that the relay lacks, on their way to it
``snapshots``   how far this replica is, and the snapshots that it loads, verifies and sends
``files``       which contents to ask for, send, fetch and drop
``relay_blobs`` what the relay holds of files
``uploads``     contents on their way to the relay
``downloads``   contents on their way here
``refusals``    what a relay's refusal means for the user
``line``        how much to send at once over a line, by what it carried
``fruitless``   whether an exchange gets anywhere
``counts``      what was new to the other side, and how much of the files went
``snapshot_store`` what of that a session needs of a replica
``store``       what a session needs of a replica
``backoff``     how long to wait before the next attempt
=============== =============================================================================
"""
