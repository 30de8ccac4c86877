"""Bounds of a library served to other programs of this computer, any of which may be at fault."""

from __future__ import annotations

#: Connections at once: programs keep a few each; more are closed, so that none fills the memory.
SERVE_CONNECTIONS_MAX = 128

#: How long a connection may lie there without a whole request: programs reconnect.
SERVE_IDLE_S = 20.0

#: How often connections are looked through.
SERVE_SWEEP_S = 1.0

#: How long a body may take to come: it comes from this computer.
SERVE_BODY_S = 30.0

#: The body of a request that is no file: fifty items with their notes are 1 MB.
SERVE_BODY_BYTES_MAX = 32 * 1024 * 1024

#: A file that a program hands over, such as a PDF that a browser saved.
SERVE_FILE_BYTES_MAX = 512 * 1024 * 1024

#: Requests that wait for the library's thread; more are told to come again.
SERVE_WAITING_MAX = 256

#: The longest line of a request and of a header.
SERVE_LINE_BYTES_MAX = 64 * 1024

#: Keys in one ``itemKey``, as Zotero has it, and objects of one write.
SERVE_KEYS_MAX = 50

#: How long a window may wait for a change in one request, and how many changes it is told one by
#: one: a window that is so far behind reads everything again.
SERVE_CHANGES_WAIT_S = 25.0
SERVE_CHANGES_MAX = 10_000

#: How often it is looked whether somebody wrote, while anybody waits for that.
SERVE_LOOK_S = 0.1

#: How long requests have the library for themselves after each piece of work that is done ahead of
#: them, such as naming a thousand references after an import.
SERVE_WORK_PAUSE_S = 0.02

#: Of a search that finds more than so many, an order of all references is made for the next ones,
#: between requests, in pieces of so many seconds. So many orders are kept, of 800 KB each for
#: 100,000 references. What a write touches has no place in them from then on and is sorted by
#: itself: up to so many of what a search finds, and so many in all before they are forgotten.
SERVE_SORTED_MAX = 50
SERVE_PIECE_S = 0.005
SERVE_RANKS_MAX = 6
SERVE_UNRANKED_MAX = 100
SERVE_MOVED_MAX = 2_000

#: Characters of references, and of the objects that were made of them, that are kept for the next
#: window: three thousand references, so that the process stays far under 120 MB.
SERVE_MADE_BYTES_MAX = 12 * 1024 * 1024

#: Searches whose results are kept for their next pages, and how many results in all, of 8 bytes
#: each.
SERVE_SEARCHES_MAX = 16
SERVE_FOUND_MAX = 1_000_000

#: Facts that are kept from one request to the next, such as how many references a search finds.
SERVE_FACTS_MAX = 200

#: Texts of files that one request may give, as Zotero has it.
SERVE_TEXTS_MAX = 10

#: How often programs may ask their user for leave to write, in so many seconds: as Zotero has it.
SERVE_ASKINGS_MAX = 5
SERVE_ASKING_S = 60.0

#: Keys that one program may have: one for each installation of it.
SERVE_KEYS_PER_PROGRAM_MAX = 10

#: Writes whose tokens are remembered, so that none is done twice, and for how long: as Zotero.
SERVE_TOKENS_MAX = 10_000
SERVE_TOKEN_KEPT_S = 12 * 3600.0

#: Uploads that were announced and not registered yet, and how long one may take.
SERVE_UPLOADS_MAX = 64
SERVE_UPLOAD_S = 3600.0

#: Clicks of a browser's button of which it is remembered what they saved, and items of one page.
SERVE_SESSIONS_MAX = 200
SERVE_CONNECTOR_ITEMS_MAX = 500

#: What one answer to an assistant holds: references, characters of one field and of a file. An
#: assistant's own memory is a few hundred thousand characters.
ASSISTANT_REFERENCES_MAX = 100
ASSISTANT_FIELD_CHARACTERS_MAX = 20_000
ASSISTANT_TEXT_CHARACTERS_MAX = 200_000

#: How long a library that could not be served waits: the user closes what has the port meanwhile.
SERVE_RETRY_S = 20.0
