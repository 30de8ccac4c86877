"""Every bound, each with its reason. Sizes are in bytes, times in seconds.

May not import anything else of Bifolio.
"""

from __future__ import annotations

# --- changes and envelopes -----------------------------------------------------------------

#: Bulk work is cut into changes of about this size: a first sync of any library then moves in
#: pieces that each fit in memory many times over, and an interrupted one loses one piece.
CHANGE_TARGET_BYTES = 128 * 1024

#: Bulk work is written in transactions of about this size: each costs the disk a flush, and holds
#: its records in memory.
TRANSACTION_TARGET_BYTES = 512 * 1024

#: Unsealed changes are packed into one envelope up to this size before compression: zstd gains
#: little beyond 256 KiB, and sealing each small change alone costs ten times the bytes.
ENVELOPE_TARGET_BYTES = 256 * 1024

#: One sealed envelope. A note of five million characters of four bytes each still fits.
ENVELOPE_BYTES_MAX = 24 * 1024 * 1024

#: The header of one, which the relay reads: 150 bytes today, the rest is room.
ENVELOPE_HEADER_BYTES_MAX = 4096

#: A header, the hash of what is sealed and the signature: what proves that somebody signed it.
SIGNED_HEADER_BYTES_MAX = ENVELOPE_HEADER_BYTES_MAX + 128

#: The plaintext of one envelope: a decompression bomb ends here.
PLAINTEXT_BYTES_MAX = 32 * 1024 * 1024

#: The update of one record inside a change: an envelope with it alone stays under its limit.
RECORD_UPDATE_BYTES_MAX = 22 * 1024 * 1024

#: Envelopes that a frontier may name. Each names a concurrent writer; a thousand members writing
#: at the same moment stay below.
FRONTIER_MAX = 4096

#: Changes in one envelope: what fits into its target size has four bytes each then, and a change
#: has twelve at least. Millions of empty ones would otherwise become gigabytes of objects.
CHANGES_PER_ENVELOPE_MAX = 65_536

#: Records that one change of a user's writes to (a tag renamed everywhere): their documents are
#: open together, about 8 kB each, and their updates of some 200 bytes fit in one envelope.
RECORDS_PER_CHANGE_MAX = 10_000

#: References that one transaction of emptying the trash removes, so that others get their turn.
PURGED_AT_ONCE = 1_000

#: Records that the changes of one envelope write to, counted over all of them: what fits into its
#: target size has twenty bytes each then, and one change of a user's writes to fewer. Millions of
#: empty updates would otherwise become gigabytes of objects.
RECORDS_PER_ENVELOPE_MAX = 65_536

#: Named parts of a body, and the characters of a name: a later version has room, and a hostile
#: one has not.
BODY_PARTS_MAX = 64
BODY_PART_NAME_CHARACTERS_MAX = 64

#: Incarnations that one envelope declares: each command that writes takes one, and some hundred of
#: their changes fill an envelope. A reader hashes each of them (0.1 ms), so that a small envelope
#: must not declare many.
INCARNATIONS_PER_ENVELOPE_MAX = 1_024

#: Others' envelopes that one envelope carries whole.
CARRIED_PER_ENVELOPE_MAX = 512

# --- identity ------------------------------------------------------------------------------

#: How often a device's key is hashed for its tag: 1.2 ms, once for each key and process. Making a
#: key with another one's tag takes 2^48 trials: ten thousand years of one core.
DEVICE_TAG_ROUNDS = 1_500

#: An incarnation's key, slot and nonce for its client id: 0.1 ms for each that an envelope
#: declares. Meeting another's takes 2^52 trials, two of one's own that are the same 2^26.
INCARNATION_ROUNDS = 150

#: A content's hash for its client id: 0.02 ms for each record that is imported or received. Two
#: contents of one name take 2^26 trials and harm what their author wrote; another's takes 2^52.
CONTENT_ROUNDS = 16

# --- wire ----------------------------------------------------------------------------------

#: One websocket message: the largest envelope and its frame.
MESSAGE_BYTES_MAX = ENVELOPE_BYTES_MAX + 64 * 1024

#: Envelopes in one ENVELOPES or PUSH message: bounded by bytes, and by number so that
#: one message costs a bounded time.
BATCH_BYTES_TARGET = 1024 * 1024
BATCH_ENVELOPES_MAX = 512

#: Pushed and not yet acknowledged, per connection: one batch in flight and one being made.
PUSH_IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024

#: A host's name and its port.
RELAY_NAME_CHARACTERS_MAX = 300

#: Membership records in one message, and the size of one: a removal brings every device that
#: stays the next key (116 bytes each), 2,000 of them in one record.
MEMBERS_BATCH_MAX = 256
MEMBERSHIP_RECORD_BYTES_MAX = 256 * 1024

#: The first record of a library is made and read by strangers: two keys and a few values.
GENESIS_BYTES_MAX = 16 * 1024

#: What this program puts into one membership record: another one can still carry it whole.
MEMBERSHIP_RECORD_BYTES_TARGET = 192 * 1024

#: Records that carry records that carry records: so many forks of forks are followed.
MEMBERSHIP_CARRY_DEPTH_MAX = 8

#: A name or a label sealed for the members: the text and 40 bytes.
SEALED_LABEL_BYTES_MAX = 512

#: Membership records that one connection appends: enough to give a wiped relay its log back,
#: and an end where two logs went different ways.
MEMBERSHIP_APPENDS_MAX = 10_000

#: Chains that one connection begins again because the relay would not continue them. Each one
#: stands for a copy of a folder; a relay that refuses for ever must not make envelopes for ever.
CHAIN_RESTARTS_MAX = 32

#: Messages of a relay in a row that bring nothing new. An honest one sends a handful: a notice of
#: growth and the empty answer that it raced with, a file's state that is known already.
FRUITLESS_MESSAGES_MAX = 256

#: And of fewer, when it has gone on for so long: one every 20 seconds would keep a sync for hours.
FRUITLESS_LONG_MESSAGES = 4
FRUITLESS_LONG_S = 120.0

#: While nothing is under way, as many are forgotten each second: what colleagues do is told.
FRUITLESS_PER_SECOND = 8

#: A peer that has not finished the handshake by then is a stranger.
HANDSHAKE_TIMEOUT_S = 10.0

#: An answer to a request; a relay under load still answers within it.
ANSWER_TIMEOUT_S = 30.0

#: Reconnecting: the first wait, the factor and the longest wait; each is drawn at random
#: between zero and its bound, so that two thousand clients do not come back at once.
RECONNECT_FIRST_S = 0.25
RECONNECT_FACTOR = 1.8
RECONNECT_MAX_S = 30.0

# --- relay ---------------------------------------------------------------------------------

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

# --- storage -------------------------------------------------------------------------------

#: How long a command waits for another process that writes to the same replica.
BUSY_TIMEOUT_S = 30.0

#: Received envelopes that wait for what they build on, and their bytes, of all authors together.
#: What does not fit is not kept, and is asked for again when there is room.
PENDING_MAX = 100_000
PENDING_BYTES_MAX = 1024 * 1024 * 1024

#: Epochs of relays of which it is kept what the log was at each position, 45 bytes for each
#: envelope: the present relay's, and those before it, on which two stories may have been told.
LOG_EPOCHS_KEPT = 3

#: Devices that are named because the relay told them another story: one is enough to act on.
OTHER_STORIES_MAX = 16
#: The same for one author: a member that writes what nobody can ever merge fills this much and
#: hinders nobody else. An honest one's wait only where a relay mixed up its log.
PENDING_PER_AUTHOR_MAX = 10_000
PENDING_PER_AUTHOR_BYTES_MAX = 64 * 1024 * 1024

#: What each thing that an envelope waits for counts for in that quota: a row of the index.
PENDING_NEED_BYTES = 100

#: Envelopes carried in one another, at most: one moved to another chain whose carrier was moved
#: too. Each level opens what the one above it holds.
CARRIED_DEPTH_MAX = 4

#: Bytes and updates that one transaction of a batch merges: a message of 512 envelopes of which
#: each unpacks to 32 MiB is merged in 256 parts, so that memory stays flat and others get a turn.
MERGED_AT_ONCE_BYTES = 64 * 1024 * 1024
MERGED_AT_ONCE_UPDATES = 50_000

#: Processes that may end while they merge one envelope, before that is set aside: the first may
#: have been killed for another reason.
DEATHS_PER_ENVELOPE_MAX = 2

#: Updates that are kept aside of one author, and their bytes: more of them are named only. Their
#: envelopes are kept in any case.
QUARANTINED_PER_AUTHOR_MAX = 10_000
QUARANTINED_PER_AUTHOR_BYTES_MAX = 64 * 1024 * 1024

#: Lines of ``status`` about what one author's changes did wrong; the rest is counted.
REFUSALS_SHOWN_PER_AUTHOR_MAX = 5

#: Changed documents that one transaction keeps open before it saves them: a pull of 10,000
#: references peaked at 163 MB with all of a batch open, at 71 MB with a thousand, as fast.
DOCUMENTS_OPEN_MAX = 500

#: The bytes of their states: a hostile member's may have megabytes each.
DOCUMENTS_OPEN_BYTES_MAX = 64 * 1024 * 1024

#: Refused envelopes that are kept to be named: a hostile relay must not fill the disk.
REFUSED_KEPT_MAX = 1_000
REFUSED_KEPT_PER_AUTHOR_MAX = 100

#: Of each of them the beginning, which holds the header and every ordinary envelope whole.
REFUSED_KEPT_BYTES_MAX = 64 * 1024

# --- files ---------------------------------------------------------------------------------

#: One attached file: beyond any of a reference library, and what is kept of a transfer's state
#: stays small.
CONTENT_BYTES_MAX = 64 * 1024 * 1024 * 1024

#: Files are read and hashed in pieces of this size, whatever theirs is.
CONTENT_PIECE_BYTES = 1024 * 1024

#: One chunk of a file on its way: over a line of 1 Mbit/s an edit waits two seconds behind each,
#: and a file of 2 GB is 8,192 of them.
CHUNK_BYTES = 256 * 1024

#: A sealed chunk: 45 bytes more; the bound has room for a later version's form.
SEALED_CHUNK_BYTES_MAX = CHUNK_BYTES + 1024

#: The sealed size of one file.
BLOB_BYTES_MAX = CONTENT_BYTES_MAX + CONTENT_BYTES_MAX // 1024

#: After how many chunks the relay syncs an unfinished file and notes it: 4 MiB to be sent again
#: after a power cut, and a sixteenth of the waiting for the disk.
CHUNKS_PER_SAVE = 16

#: Chunks on their way at once, for each direction: a megabyte keeps a line of 10 MB/s busy over
#: 100 ms, and an envelope waits behind no more than that.
CHUNKS_IN_FLIGHT_MAX = 4

#: How often one connection begins an upload again where the relay says that it has less than it
#: was sent, and asks for all files again because blobs were dropped: an honest relay has a reason
#: for each, and one that has not must not keep a client busy for ever.
SETBACKS_MAX = 8
FILE_RESTARTS_MAX = 1_000

#: Blobs that one message asks or tells about: 16 KiB of ids.
BLOBS_BATCH_MAX = 512

#: A file that another computer is sending is looked at again after this long.
TAKEN_RETRY_S = 30.0

#: A content that arrived damaged is asked for again after this long, then twice as long, ...
DAMAGED_RETRY_FIRST_S = 60.0
DAMAGED_RETRY_MAX_S = 6 * 3600.0

#: What is received of a file is synced to disk in steps, so that the last one is short.
RECEIVED_SYNC_BYTES = 16 * 1024 * 1024

#: A content that no reference names is kept this long: an undo finds it, and a command that has
#: copied a file has time to attach it.
UNNAMED_KEPT_S = 24 * 3600.0

#: The name of an attached file in UTF-8: what every file system takes.
FILE_NAME_BYTES_MAX = 255

#: Renaming into a folder that other commands empty and drop at the same moment.
FOLDER_ATTEMPTS_MAX = 100
# --- backups -------------------------------------------------------------------------------

#: A backup is read, written and hashed in pieces of this size, however large its files are.
BACKUP_PIECE_BYTES = 1024 * 1024

#: A backup's account of itself: 180 bytes for each file, and the names of library and device.
BACKUP_MANIFEST_ENTRY_BYTES_MAX = 512
BACKUP_MANIFEST_FACTS_BYTES_MAX = 1024 * 1024

#: A backup's table of contents: 160 bytes for each file, and a million of them. Each costs half a
#: kilobyte of memory.
BACKUP_CONTENTS_BYTES_MAX = 160 * 1_000_000

# --- clock ---------------------------------------------------------------------------------

#: A remote stamp further ahead than this is kept but does not drag our clock along.
CLOCK_AHEAD_MS_MAX = 5 * 60 * 1000

#: Wall and monotonic clock parting by more than this mean that the machine slept or was cloned.
CLOCK_JUMP_S = 2.0

# --- documents -----------------------------------------------------------------------------

#: An element of a set longer than this is hashed in its key; the value is kept as given inside.
ELEMENT_KEY_BYTES_MAX = 64

#: Texts whose changed middle is longer than this many characters are compared line by line,
#: since a word-by-word comparison is quadratic in the worst case.
DIFF_WORDS_CHARACTERS_MAX = 20_000

#: Structs in one update of a record, and ranges in its delete set: a record edited twenty times a
#: day for ten years has 73,000. Each costs some 2 µs to read before pycrdt sees it, and 100 bytes.
UPDATE_STRUCTS_MAX = 131_072
UPDATE_DELETE_RANGES_MAX = 131_072

#: The end of a client's clock: pycrdt counts in 32 bits with a sign at some places. A record of
#: that many characters would be two gigabytes.
UPDATE_CLOCK_MAX = (1 << 31) - 1

#: A value of a newer version: lists and maps in one another (every reader of them recurses; a
#: thousand levels end Python, a hundred thousand the process), and all members of all such values
#: in one update (a byte each in it, 100 bytes each as an object).
VALUE_DEPTH_MAX = 32
VALUE_MEMBERS_MAX = 65_536

#: Lists and maps of pycrdt's own in one another, which a newer version may write too; plain values
#: inside the last of them are as deep again.
SHARED_DEPTH_MAX = 32

#: Pieces of a text that the pieces of one update pass on the way to their places: those written
#: between the same two characters at the same time. Made for it, they would pass the square.
PIECES_PASSED_FREE = 100_000
PIECES_PASSED_EACH = 100

#: Its numbers: canonical JSON is written with integers of 64 bits.
VALUE_NUMBER_MAX = 1 << 63

#: A difference is widened to whole words up to this many characters: no language's word is
#: longer, and a note of one run of letters must not be read back to its beginning.
WORD_CHARACTERS_MAX = 64

# --- search --------------------------------------------------------------------------------

#: A query longer than this, or of more words, is a text that was pasted by mistake; each common
#: word costs some milliseconds among 100,000 references.
QUERY_CHARACTERS_MAX = 10_000
QUERY_TERMS_MAX = 500

#: Brackets inside brackets: each is a level of the parser and of SQLite's own (256 at most).
QUERY_DEPTH_MAX = 50

#: Words of a query and of all smart groups that it names: groups that name each other twice each
#: would double at every step.
QUERY_EXPANDED_MAX = 2_000
# --- history -------------------------------------------------------------------------------

#: Opened envelopes that one look into the past keeps: of 256 KiB each at most, as a rule. The
#: records of one import lie side by side in one, and are asked for one after the other.
BODIES_OPEN_MAX = 32

#: Changes of one command that a line of the log opens to say what it did; it counts the rest.
CHANGES_DESCRIBED_MAX = 8

#: Records whose past is undone in one transaction, so that other commands get their turn.
UNDONE_AT_ONCE = 500

# --- duplicates ----------------------------------------------------------------------------

#: References that are compared with each other because of one common sign: beyond it ("Letters
#: to the editor") only those of one first author and year are.
DUPLICATE_BLOCK_MAX = 60

#: References that one call sets apart: each pair of them is remembered.
SET_APART_MAX = 50

# --- import --------------------------------------------------------------------------------

#: The largest file that an import reads.
IMPORT_FILE_BYTES_MAX = 2 * 1024 * 1024 * 1024

#: The text of one record: an update holds it twice, as the file has it and as it is read.
IMPORT_RECORD_CHARACTERS_MAX = RECORD_UPDATE_BYTES_MAX // 2

#: Tags of one record, and values that they give: four times the authors of the longest list there
#: is (5,154). Each becomes objects of a kilobyte or two.
IMPORT_RECORD_VALUES_MAX = 20_000

#: Lines of one value: five million characters in lines of five.
IMPORT_RECORD_LINES_MAX = 1_000_000

#: Blocks of a file that are no records: the longest known has 4,300 macros.
IMPORT_BLOCKS_MAX = 50_000

#: Skipped records, and things left out, that a report names; the rest is counted.
IMPORT_NAMED_MAX = 10_000

#: JSON values and XML elements in one record, before objects are made of them: ten for each value.
IMPORT_RECORD_PARTS_MAX = 10 * IMPORT_RECORD_VALUES_MAX

#: JSON values inside each other: CSL needs six. A parser would use a level of its stack for each.
IMPORT_JSON_DEPTH_MAX = 64

#: The text of a BibTeX macro, and of all macros in one value: 30 times the longest of 4,300 real
#: ones. Macros that name each other ten times each would grow tenfold at every step.
MACRO_CHARACTERS_MAX = 16 * 1024

#: Times that another program's database is copied until it stood still for the time of a copy.
FOREIGN_COPY_ATTEMPTS_MAX = 3

#: One value of another program's database: the longest note there is, many times over.
FOREIGN_VALUE_BYTES_MAX = 64 * 1024 * 1024

#: How many times the bytes of another program's database may be read in all, and how many steps
#: SQLite may take for each: a table that is read whole takes two for each, and a damaged or
#: forged tree, or a view under a table's name, has no end.
FOREIGN_READINGS_MAX = 8
FOREIGN_STEPS_PER_BYTE = 16
FOREIGN_STEPS_MIN = 50_000_000

#: A library in an archive: its files in all, the bytes that it unpacks to, and how many times
#: its own size that may be. Papers shrink by a half, a database by ten; a bomb by thousands.
ARCHIVE_ENTRIES_MAX = 100_000
ARCHIVE_BYTES_MAX = 64 * 1024 * 1024 * 1024
ARCHIVE_RATIO_MAX = 200

#: What a small archive may unpack to whatever its ratio: an empty database shrinks by a hundred.
ARCHIVE_SMALL_BYTES = 16 * 1024 * 1024

#: How far a folder is searched for a library: a package in a folder in an archive is four levels
#: deep, and somebody's whole home folder must not be walked through.
LIBRARY_FOLDER_DEPTH_MAX = 4
LIBRARY_FOLDER_ENTRIES_MAX = 50_000
# --- automatic sync ------------------------------------------------------------------------

#: Who watches one library asks its file this often whether another process wrote to it.
WATCH_POLL_S = 0.1

#: Where the file system is looked at instead, the file is asked this often all the same.
WATCH_NUDGE_S = 10.0

#: Looks at the file after a nudge, one each poll: a slow disk syncs a commit within two seconds.
WATCH_LOOKS_AFTER_NUDGE = 20

#: How often the process asks which libraries are on.
AUTOSYNC_ASK_S = 0.5

#: How often one look is taken at the files of all libraries: short for who waits for an edit,
#: and two stat calls for each library cost some microseconds.
AUTOSYNC_LOOK_S = 0.1

#: Libraries that one process serves, each in a thread of its own.
AUTOSYNC_LIBRARIES_MAX = 200

#: Trying a library again that failed for another reason than the network: the first wait, which
#: doubles, and the longest.
AUTOSYNC_RETRY_FIRST_S = 1.0
AUTOSYNC_RETRY_MAX_S = 300.0

#: Beginning the process again after something ended it: the first wait, which doubles up to the
#: longest one above. Two deaths set the change aside that caused them, so three beginnings do.
AUTOSYNC_RESTART_FIRST_S = 0.5

#: Taking the lock of the process: longer than who looks whether it is held ever holds it.
AUTOSYNC_LOCK_WAIT_S = 1.0

#: How long a library's thread may take to end, and the process to come up, before a command that
#: waits for it says so.
AUTOSYNC_STOP_S = 5.0
AUTOSYNC_START_S = 20.0

#: Its log, and one older one: some thousand lines.
AUTOSYNC_LOG_BYTES_MAX = 256 * 1024

# --- keys and tickets ----------------------------------------------------------------------

#: A device's key file is about 250 bytes; a longer one is no key.
KEY_FILE_BYTES_MAX = 4096

#: How long the operating system's keyring may take to answer: one on the same computer needs
#: milliseconds, one that waits for a password longer than a command may hang.
KEYRING_TIMEOUT_S = 3.0

#: A relay's address, and a whole ticket with it in base64 and line breaks from mail programs.
RELAY_URL_CHARACTERS_MAX = 2048
TICKET_CHARACTERS_MAX = 8192

# --- relay, continued ----------------------------------------------------------------------

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
#: devices each takes 350 kB, so a hundred of them and everybody's joins fit.
RELAY_MEMBERSHIP_BYTES_MAX = 64 * 1024 * 1024

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

#: Connections that one sync makes: one as a ticket's holder, one as the device it became.
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
