"""Bounds of a library on this computer: what it keeps, and what one command does."""

from __future__ import annotations

# --- storage ---------------------------------------------------------------------------------

#: How long a command waits for another process that writes to the same replica.
BUSY_TIMEOUT_S = 30.0

#: Rows of a table of which is remembered what was read, from one transaction to the next.
ROWS_REMEMBERED = 4096

#: Pages that SQLite's log holds before they are written into the file, 16 MB: an edit writes some
#: 25, most of them the same ones again and again, each of which is then written into it once.
LOG_PAGES = 4096

#: A watch that waited in vain goes on waiting, after a moment for what else there is to do.
BUSY_RETRY_S = 1.0

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

#: From so many bytes of the file that hold nothing, and this share of it, they are given back after
#: a sync: writing 10 MB again takes a quarter of a second.
UNUSED_BYTES_MIN = 1024 * 1024
UNUSED_SHARE_MIN = 1 / 16

#: From so many bytes on a file that a relay or a bundle just filled is written again: it takes a
#: thirtieth of the time of filling it, and leaves it smaller by as much.
FILLED_BYTES_MIN = 4 * UNUSED_BYTES_MIN

#: So many received records of one batch are derived after they are committed, not with them. Of
#: fewer, a second transaction would take longer than it wins; more are durable in half the time.
DERIVED_LATER_MIN = 50

#: Characters of what such records hold that are remembered until then, so that their documents need
#: not be loaded again: some two thousand records of 5 kB. Of more the documents are.
DERIVED_LATER_REMEMBERED = 10 * 1024 * 1024

#: Where so many references come at once, and they are this share of all, the parts of the search
#: index are merged then, which takes a second for 100,000: a search reads one in place of ten.
INDEX_MERGED_MIN = 1000
INDEX_MERGED_SHARE = 1 / 4

#: How often a moment is looked for in which all is derived, before it is read as it is: each time
#: another process must have committed a batch in a millisecond.
SNAPSHOT_TRIES = 3

#: Records that one transaction derives of those: half a second, so that other commands get their
#: turn. In a library of 10,000 parts of 250 took 1.2 ms a record, parts of 1,000 1.0.
DERIVED_AT_ONCE = 500

#: So many of those are worth a second process, which takes as long to start as it derives some
#: hundred; and how many one of the two takes at once, some 20 ms of work.
DERIVED_AHEAD_MIN = 500
DERIVED_AHEAD_AT_ONCE = 50

#: A snapshot of so many chunks is worth a second process: some 400 references.
CHUNKS_CHECKED_AHEAD_MIN = 8

#: A larger state of a snapshot is checked by the process that loads it: it would wait in the pipe.
#: And of more incarnations than that, which each takes 30 bytes, the second process is not told.
STATE_CHECKED_AHEAD_BYTES_MAX = 64 * 1024
SLOTS_GIVEN_MAX = 10_000

#: References of a snapshot that are stored at once as they came: some 10 MB, and each transaction
#: waits for the disk.
ARRIVED_AT_ONCE = 2_000

#: States that are read in one query before they are asked for, and the stored bytes of each at
#: most, a quarter of what it holds: a query for each takes a tenth of a merge.
LOADED_AHEAD = 64
LOADED_AHEAD_BYTES_EACH = 16 * 1024

#: What a stored state may claim to hold, as much as a record of a snapshot: a damaged one may claim
#: anything, and all of it is allocated at once.
PACKED_BYTES_MAX = 128 * 1024 * 1024

#: From so many bytes on a state is stored as a base and what came since: pycrdt loads it in 4 ms,
#: which is what all else of an edit takes.
HOT_STATE_BYTES_MIN = 64 * 1024

#: Such a record gets a core when it was saved so often since it has none: making it takes as long
#: as five edits of the whole record, and a change that the core cannot tell about costs it.
HOT_SAVES_BEFORE_CORE = 4

#: What came since is folded into the base when it has more bytes than this share of it, within
#: these bounds: of 3 MB every 250 edits, each of which writes 25 kB meanwhile.
HOT_TAIL_DIVISOR = 64
HOT_TAIL_BYTES_MIN = 8 * 1024
HOT_TAIL_BYTES_MAX = 64 * 1024

#: The bytes of their states: a hostile member's may have megabytes each.
DOCUMENTS_OPEN_BYTES_MAX = 64 * 1024 * 1024

#: Refused envelopes that are kept to be named: a hostile relay must not fill the disk.
REFUSED_KEPT_MAX = 1_000
REFUSED_KEPT_PER_AUTHOR_MAX = 100

#: Of each of them the beginning, which holds the header and every ordinary envelope whole.
REFUSED_KEPT_BYTES_MAX = 64 * 1024

# --- clock -----------------------------------------------------------------------------------

#: A remote stamp further ahead than this is kept but does not drag our clock along.
CLOCK_AHEAD_MS_MAX = 5 * 60 * 1000

#: Wall and monotonic clock parting by more than this mean that the machine slept or was cloned.
CLOCK_JUMP_S = 2.0

# --- documents -------------------------------------------------------------------------------

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

# --- search ----------------------------------------------------------------------------------

#: A query longer than this, or of more words, is a text that was pasted by mistake; each common
#: word costs some milliseconds among 100,000 references.
QUERY_CHARACTERS_MAX = 10_000
QUERY_TERMS_MAX = 500

#: Brackets inside brackets: each is a level of the parser and of SQLite's own (256 at most).
QUERY_DEPTH_MAX = 50

#: Words of a query and of all smart groups that it names: groups that name each other twice each
#: would double at every step.
QUERY_EXPANDED_MAX = 2_000

# --- history ---------------------------------------------------------------------------------

#: Opened envelopes that one look into the past keeps: of 256 KiB each at most, as a rule. The
#: records of one import lie side by side in one, and are asked for one after the other.
BODIES_OPEN_MAX = 32

#: Changes of one command that a line of the log opens to say what it did; it counts the rest.
CHANGES_DESCRIBED_MAX = 8

#: Records whose past is undone in one transaction, so that other commands get their turn.
UNDONE_AT_ONCE = 500

# --- duplicates ------------------------------------------------------------------------------

#: References that are compared with each other because of one common sign: beyond it ("Letters
#: to the editor") only those of one first author and year are.
DUPLICATE_BLOCK_MAX = 60

#: References that one call sets apart: each pair of them is remembered.
SET_APART_MAX = 50

# --- automatic sync --------------------------------------------------------------------------

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

#: References that others may delete since the last confirmation before they are shown on, where
#: they are more than half of the library: tidying up a small library is no disaster.
DELETED_BY_OTHERS_MAX = 50

#: A sync checks a sample of the library's file for this part of the time that it took, and never
#: for longer: nobody else writes meanwhile.
SAMPLE_PART = 0.02
SAMPLE_S_MAX = 0.02

#: Comparing one reference with its row in lists takes about so long (measured: 1.2 ms on a busy
#: core), the checks of a change and of a record a tenth of it.
SAMPLE_REFERENCE_S = 0.0015

#: And to load what reads documents first, in a process that had no need of it until now: a sync
#: that only sends.
SAMPLE_LOADING_S = 0.1

#: The smallest sample takes about so long (an estimate, the note of where it ended among it); a
#: sync that is too short for it checks one now and then.
SAMPLE_LEAST_S = 0.0005

#: A watch checks a sample no more often: a library of 10,000 references comes round in some hours.
SAMPLE_WAIT_S = 10.0

#: Rows of each table that are read at once for it.
SAMPLE_ROWS = 1
