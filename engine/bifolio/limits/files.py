"""Bounds of attached files, of backups, and of files that are imported."""

from __future__ import annotations

from bifolio.limits.protocol import RECORD_UPDATE_BYTES_MAX

# --- files -----------------------------------------------------------------------------------

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

#: A content that no reference names is kept this long at least: an undo finds it, and a command
#: that has copied a file has time to attach it. It stays until every replica has passed that,
#: ``REPLICA_GONE_S`` at most.
UNNAMED_KEPT_S = 24 * 3600.0

#: The name of an attached file in UTF-8: what every file system takes.
FILE_NAME_BYTES_MAX = 255

#: Renaming into a folder that other commands empty and drop at the same moment.
FOLDER_ATTEMPTS_MAX = 100

# --- backups ---------------------------------------------------------------------------------

#: A backup is read, written and hashed in pieces of this size, however large its files are.
BACKUP_PIECE_BYTES = 1024 * 1024

#: A backup's account of itself: 180 bytes for each file, and the names of library and device.
BACKUP_MANIFEST_ENTRY_BYTES_MAX = 512
BACKUP_MANIFEST_FACTS_BYTES_MAX = 1024 * 1024

#: A backup's table of contents: 160 bytes for each file, and a million of them. Each costs half a
#: kilobyte of memory.
BACKUP_CONTENTS_BYTES_MAX = 160 * 1_000_000

# --- import ----------------------------------------------------------------------------------

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

#: A part of a bundle is read whole: the largest envelope, and what is written around it.
BUNDLE_PART_BYTES_MAX = 26 * 1024 * 1024

#: The small parts of a bundle: what it is, and where its chains end.
BUNDLE_HEAD_BYTES_MAX = 64 * 1024

#: Chains that a bundle says its maker had, the longest of them: a device begins a new chain only
#: after a copy or a restore. Who is not told of one sends what was not needed.
BUNDLE_HEADS_MAX = 65_536

#: Membership records in one part: a part then stays under its bound, whatever they hold.
BUNDLE_MEMBERS_PER_PART = 64

#: Files that one folder of bundles is searched for, and bundles that are read again because what
#: they build on came later: a folder of a cloud is anybody's who shares it.
BUNDLE_FOLDER_FILES_MAX = 100_000
BUNDLE_PASSES_MAX = 64

#: What a killed command left unfinished is taken for that when nothing was written to it for so
#: long: longer than any pause of a command that goes on.
LEFTOVER_AGE_S = 3600.0

#: Reading the text of a PDF, in a process of its own: a book of 500 pages takes 20 s and 200 MB;
#: what takes longer or more is somebody's mistake or attack, and the pages read by then are kept.
TEXT_WALL_S = 60.0
TEXT_CPU_S = 45
TEXT_MEMORY_BYTES_MAX = 1024 * 1024 * 1024

#: Pages and characters of one file's text that are kept: the longest book has some five million.
TEXT_PAGES_MAX = 5_000
TEXT_CHARACTERS_MAX = 8_000_000
