"""Bounds of a relay, which strangers can reach."""

from __future__ import annotations

from bifolio.limits.protocol import BATCH_BYTES_TARGET, ENVELOPE_TARGET_BYTES, GENESIS_BYTES_MAX

#: Bytes that may wait to be sent to one slow reader; past it the reader must pull.
RELAY_QUEUE_BYTES_MAX = 4 * 1024 * 1024

#: Connections in all: each costs some tens of kilobytes. Fewer where the system allows fewer open
#: files; so many of them are kept for what is not a connection.
RELAY_CONNECTIONS_MAX = 10_000
RELAY_DESCRIPTORS_RESERVED = 100

#: Connections that have not proved to be a member's. Beyond it the oldest goes: an honest one needs
#: less than a second, and a thousand that say nothing keep nobody out.
RELAY_STRANGERS_MAX = 1_000

#: From one address, an IPv6 one's /64: strangers among its connections, and all of them: a
#: university's readers may come from one. An address of this computer is a proxy's, and has no cap.
RELAY_ADDRESS_STRANGERS_MAX = 64
RELAY_ADDRESS_CONNECTIONS_MAX = 1_000

#: New connections from one address, by second and at once.
RELAY_ADDRESS_OPENINGS_PER_S = 10.0
RELAY_ADDRESS_OPENINGS_AT_ONCE = 200

#: Libraries that one address may create without a token: ten at once, then one in five minutes.
RELAY_ADDRESS_CREATIONS_PER_S = 1 / 300
RELAY_ADDRESS_CREATIONS_AT_ONCE = 10

#: Libraries created without a token, by second and at once, whoever asks: more of them wait for
#: their turn. Each costs the disk a flush. Where the relay holds as many as it may, one that holds
#: nothing and was not used for so long makes room: so fast they cannot come that none would.
RELAY_CREATIONS_PER_S = 100.0
RELAY_CREATIONS_AT_ONCE = 200
RELAY_UNUSED_KEPT_MS = 10 * 60 * 1000

#: Addresses, and devices, whose rates are remembered.
RELAY_RATES_KEPT = 10_000

#: Connections of one device to one library: a computer has one, or two while commands run.
RELAY_DEVICE_CONNECTIONS_MAX = 64

#: Connections to one library, as a part of all: a crowd at one library keeps nobody from another.
RELAY_LIBRARY_CONNECTIONS_PART = 4

#: Strangers at one library. Whoever joins is one for a moment.
RELAY_LIBRARY_STRANGERS_MAX = 64

#: Questions of one connection, by second and at once, of a stranger and of a member; more of them
#: wait. A member that fetches files in chunks of 256 KiB asks for 125 MB a second with it.
RELAY_STRANGER_QUESTIONS_PER_S = 10.0
RELAY_STRANGER_QUESTIONS_AT_ONCE = 40
RELAY_QUESTIONS_PER_S = 500.0
RELAY_QUESTIONS_AT_ONCE = 2_000

#: Questions about one library that are at the store at once: the others' wait behind no more.
RELAY_LIBRARY_QUESTIONS_MAX = 4

#: The store's file is asked about questions of all libraries in one line: as many of strangers.
RELAY_STRANGERS_AT_STORE_MAX = 8

#: Who is turned away is told so, if it asks within so many seconds.
RELAY_REFUSED_S = 1.0

#: How often it is looked at who has stopped, in the middle of a message or of an answer.
RELAY_SWEEP_S = 0.5

#: Where others wait for what a connection holds, it must move so many bytes a second after so
#: many seconds, or goes: over a line of 1 Mbit/s a batch of a megabyte comes in eight.
RELAY_PRESSED_BYTES_PER_S = 32 * 1024
RELAY_PRESSED_S = 2.0

#: A message that has begun and of which nothing comes for so long is not going to end.
RELAY_MESSAGE_STALLED_S = 30.0

#: A library without a token and without anything in it is somebody's trial, or a stranger's waste.
RELAY_UNUSED_DAYS = 30

#: How often the relay looks for such libraries, and how many go in one transaction.
RELAY_EXPIRY_LOOK_S = 3600.0
RELAY_EXPIRED_AT_ONCE = 200

#: How exactly it is known when a library was last used: each time costs a write.
RELAY_USE_NOTED_MS = 3600 * 1000

#: Libraries on one relay, and the bytes of one library's log.
RELAY_LIBRARIES_MAX = 100_000
RELAY_LIBRARY_BYTES_MAX = 16 * 1024 * 1024 * 1024

#: The bytes of one library's files: twenty thousand of 5 MB.
RELAY_FILE_BYTES_MAX = 100 * 1024 * 1024 * 1024

#: On SIGTERM, connections get this long to take what is queued for them.
SHUTDOWN_GRACE_S = 3.0

#: How long the connection of who was removed may take to end by itself: it is told nothing more,
#: and gets the time to read by which record. Longer, and an open socket outlives the right to it.
RELAY_REMOVED_GRACE_S = 0.9


#: A message before a connection is open: the largest genesis and its frame. A stranger that
#: never greets cannot make the relay hold more than this.
HANDSHAKE_MESSAGE_BYTES_MAX = GENESIS_BYTES_MAX + 4 * 1024

#: Bytes that wait to be sent to all slow readers together, each counted twice because it is on its
#: way in two copies, and to those of one library. Beyond it a reader with anything in its queue
#: must pull, and who asks waits: ten thousand slow readers cost no more memory than a hundred.
RELAY_QUEUES_BYTES_MAX = 128 * 1024 * 1024
RELAY_LIBRARY_QUEUES_BYTES_MAX = 32 * 1024 * 1024

#: Pushed envelopes that wait for the commit, of all connections together; beyond it the relay
#: stops reading from its sockets. Twice the largest message, so that one always fits.
RELAY_COMMIT_QUEUE_BYTES_MAX = 64 * 1024 * 1024

#: Envelopes in one commit: a bound on how long everybody else's acknowledgement waits for it.
RELAY_COMMIT_BYTES_MAX = 16 * 1024 * 1024
RELAY_COMMIT_ENVELOPES_MAX = 4096

#: Memberships kept in memory, by number and by their records together (about 1 kB each); an
#: idle library costs nothing.
RELAY_MEMBERSHIPS_CACHED_MAX = 256
RELAY_MEMBERSHIP_RECORDS_CACHED_MAX = 50_000
RELAY_MEMBERSHIP_BYTES_CACHED_MAX = 128 * 1024 * 1024

#: Membership records of one library. Reading one costs a signature check of about 0.1 ms.
RELAY_MEMBERSHIP_RECORDS_MAX = 20_000

#: The bytes of one library's membership records: a removal from a thousand members with three
#: devices each takes 350 kB, so two hundred of them and everybody's joins fit.
RELAY_MEMBERSHIP_BYTES_MAX = 96 * 1024 * 1024

#: One part in so many of both is for owners alone: nobody else can make a removal impossible.
RELAY_MEMBERSHIP_KEPT_FOR_OWNERS = 10

#: What one member who is no owner, or the holders of one ticket, may add: a class of 2,000 joins
#: with one ticket, and no device fills the log alone.
RELAY_MEMBERSHIP_RECORDS_OF_ONE_MAX = 2_000
RELAY_MEMBERSHIP_BYTES_OF_ONE_MAX = 4 * 1024 * 1024

#: Devices that join with one ticket within a minute, and the tickets for which that is remembered.
RELAY_JOINS_PER_MINUTE = 120
RELAY_JOIN_RATES_KEPT = 10_000

#: Both ends ping, so that a proxy that closes silent sockets after 60 s finds none.
PING_INTERVAL_S = 20.0

#: A peer that answers no ping for this long is gone. A client merges a batch in one go and answers
#: nothing meanwhile: 3 s on a quiet machine, more than 20 with six others' work on each core.
PING_TIMEOUT_S = 120.0

#: Connections that one sync makes on a line that is not cut: one as a ticket's holder, one as the
#: device it became, one to spare. Those after a cut, and those that a relay asks for, are counted
#: by what comes of them (``RECONNECTS_IN_A_ROW_MAX``).
CONNECTIONS_PER_SYNC_MAX = 3

#: Whom a relay's store lets wait for another process that writes to it: a commit takes
#: milliseconds, on a busy disk a second.
RELAY_STORE_BUSY_S = 5.0

#: How often a relay that shares its store asks whether another process wrote: what was pushed there
#: is broadcast here a twentieth of a second later, and asking takes a thousandth of a core.
RELAY_STORE_POLL_S = 0.05

#: Times that one commit is decided again because other processes wrote to the same chains or the
#: same membership meanwhile; then the clients come back.
RELAY_DECIDED_AGAIN_MAX = 8

#: Chains of all libraries whose last envelope is remembered, at 0.3 kB each. Beyond it all are
#: read again, which costs a look at the store.
RELAY_CHAIN_HEADS_CACHED_MAX = 65_536

#: Pushed envelopes whose signatures are checked where messages are read: some 0.1 ms each, and
#: 0.1 ms for 64 KiB. More of them are checked in a thread, so that nobody's message waits for it.
RELAY_CHECKED_INLINE_MAX = 8
RELAY_CHECKED_INLINE_BYTES_MAX = 64 * 1024

#: Entries that lose their envelopes in one transaction, so that commits get their turn.
RELAY_PRUNED_AT_ONCE = 1_000

#: A device's right to send a blob ends so long after its last chunks, as a silent connection does:
#: a relay process that was killed holds nobody up for longer.
RELAY_UPLOAD_LEASE_S = PING_TIMEOUT_S

#: What is received and not dealt with yet, of all connections together, by the size of the frame:
#: one of a stranger or a short edit, one of a batch, and one of a large envelope. Together 160 MiB.
RELAY_SMALL_FRAME_BYTES = 64 * 1024
RELAY_SMALL_FRAMES_BYTES_MAX = 32 * 1024 * 1024
RELAY_BATCH_FRAME_BYTES = BATCH_BYTES_TARGET + ENVELOPE_TARGET_BYTES + 64 * 1024
RELAY_BATCH_FRAMES_BYTES_MAX = 64 * 1024 * 1024
RELAY_LARGE_FRAMES_BYTES_MAX = 64 * 1024 * 1024

#: What a frame costs in memory besides its payload.
RELAY_FRAME_BYTES = 512

#: What one look at a socket takes from it, a stranger's and a member's: more would be held without
#: having been asked for.
RELAY_STRANGER_READ_BYTES = 4 * 1024
RELAY_READ_BYTES = 64 * 1024

#: The opening handshake: a browser's with all its cookies has some 4 kB.
RELAY_OPENING_BYTES_MAX = 16 * 1024

#: Frames of one message and messages that wait, together: a stranger asks one thing after the
#: other, a member pushes short edits without waiting.
RELAY_STRANGER_FRAMES_MAX = 16
RELAY_FRAMES_MAX = 4_000

#: Pings of a peer, by second and at once; an honest one sends one in twenty seconds.
RELAY_PINGS_PER_S = 2.0
RELAY_PINGS_AT_ONCE = 40

#: A message up to this size goes straight to a socket that has nothing on its way: not more than a
#: socket takes anyway before it makes its sender wait.
RELAY_SENT_AT_ONCE_BYTES = 32 * 1024

#: A connection that has so much to be sent is asked nothing more: of a stranger, who is told of
#: members only, and of a member.
RELAY_STRANGER_UNREAD_BYTES = 64 * 1024
RELAY_UNREAD_BYTES = 512 * 1024

#: What one file costs a relay beside its bytes: rows, a file of the file system, and its rounding.
RELAY_BLOB_BLOCK_BYTES = 4096
RELAY_BLOB_BYTES = 1024

#: What one entry of a log, and one record of the members, costs beside its bytes.
RELAY_ENTRY_BYTES = 256

#: What one more tally of the files costs: that one was completed or dropped is kept for good.
RELAY_TALLY_BYTES = 96

#: Messages whose fragments have not all come, of all devices together and of one library: kept
#: from connection to connection, so that a line that is cut again and again carries a large one.
#: The oldest goes where there is no room; its sender begins it again.
RELAY_PARTIALS_BYTES_MAX = 64 * 1024 * 1024
RELAY_LIBRARY_PARTIALS_BYTES_MAX = 32 * 1024 * 1024

#: Entries of a log that the relay checks at once of its own copy: some 20 ms of its process.
RELAY_CHECKED_AT_ONCE = 1000

#: Between two such steps: a log of a million entries comes round in under an hour, and checking
#: takes about a hundredth of a processor.
RELAY_CHECK_WAIT_S = 2.0

#: Room on the relay's disk that no file takes: the logs of all libraries go on in it, for months of
#: ordinary editing, while somebody makes room.
RELAY_RESERVE_BYTES = 256 << 20

#: Of a small disk the reserve is this part.
RELAY_RESERVE_PART = 8

#: How many libraries that their owners deleted a relay remembers, the latest: of an older one a
#: computer that was away for long gives the library back, which harms nobody.
RELAY_DELETIONS_KEPT_MAX = 100_000

#: Processes of one relay: more than a machine has cores gain nothing, and each takes 40 MB.
RELAY_PROCESSES_MAX = 64

#: A process of a relay that has ended begins again after this, after twice as long where that ends
#: soon, and so on up to the second of these: clients come back in the meantime, and a full disk is
#: not tried ten times a second.
RELAY_PROCESS_AGAIN_S = 0.1
RELAY_PROCESS_AGAIN_MAX_S = 10.0

#: What a process of a relay may take until it is there: it loads the program and opens the store,
#: on a busy computer with a cold disk.
RELAY_PROCESS_BEGIN_S = 60.0

#: One that does not tell of its health for so long is not well: it has an answer in milliseconds,
#: behind a commit in a second.
RELAY_PROCESS_ANSWER_S = 5.0
