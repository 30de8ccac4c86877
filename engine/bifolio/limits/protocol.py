"""Bounds of what two computers exchange: envelopes, names, messages, keys and tickets."""

from __future__ import annotations

# --- changes and envelopes -------------------------------------------------------------------

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

# --- identity --------------------------------------------------------------------------------

#: How often a device's key is hashed for its tag: 1.2 ms, once for each key and process. Making a
#: key with another one's tag takes 2^48 trials: ten thousand years of one core.
DEVICE_TAG_ROUNDS = 1_500

#: An incarnation's key, slot and nonce for its client id: 0.1 ms for each that an envelope
#: declares. Meeting another's takes 2^52 trials, two of one's own that are the same 2^26.
INCARNATION_ROUNDS = 150

#: A content's hash for its client id: 0.02 ms for each record that is imported or received. Two
#: contents of one name take 2^26 trials and harm what their author wrote; another's takes 2^52.
CONTENT_ROUNDS = 16

# --- wire ------------------------------------------------------------------------------------

#: One websocket message: the largest envelope and its frame.
MESSAGE_BYTES_MAX = ENVELOPE_BYTES_MAX + 64 * 1024

#: Envelopes in one ENVELOPES or PUSH message: bounded by bytes, and by number so that
#: one message costs a bounded time.
BATCH_BYTES_TARGET = 1024 * 1024
BATCH_ENVELOPES_MAX = 512

#: Pushed and not yet acknowledged, per connection: one batch in flight and one being made.
PUSH_IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024

#: What is sent at once over a line of which nothing is known yet, and the least over one that is
#: cut again and again: a cut costs half of it on average, and each has some 60 bytes around it.
FLOW_BYTES_FIRST = 32 * 1024
FLOW_BYTES_MIN = 4 * 1024

#: A message is no larger than this part of what a connection carried so far, so that a first cut
#: costs little, and than this part of what one carried from cut to cut.
FLOW_PART_WHILE_GOOD = 4
FLOW_PART_AFTER_CUT = 16

#: A connection that carried so many times what the last one did shows that the line is good again.
FLOW_RECOVERED = 8

#: The line's rate bounds a message too: it takes no longer than so many seconds, so that others
#: find their turn and it is seen that something moves.
FLOW_MESSAGE_S = 4.0

#: Messages that are on their way without an answer.
FLOW_MESSAGES_IN_FLIGHT = 4

#: A message is sent in fragments where it is larger than wanted by more than what its envelopes
#: and names take around them.
FLOW_SLACK_BYTES = 4 * 1024

#: Messages of one device that are kept unfinished: it sends one after the other, from a command
#: and from automatic sync.
PARTIALS_OF_DEVICE_MAX = 4

#: Envelopes that are looked for after a cut: what one connection has on its way.
LOCATED_AT_ONCE_MAX = 64

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

#: Records that carry records that carry records: so many forks of forks are followed. Reading one
#: costs 256 KiB of hashing for each level at most: 20 ms.
MEMBERSHIP_CARRY_DEPTH_MAX = 64

#: A relay lets who is no owner put its list of members in another order only with fewer of them, so
#: that nobody makes the deepest ones, on top of which no other list could be carried.
MEMBERSHIP_CARRY_DEPTH_BY_MEMBERS_MAX = 32

#: A list of members that takes the place of another one behind their fork, in one message: some
#: 8,000 joins. Forks are of a handful of records.
MEMBERSHIP_REPLACED_BYTES_MAX = ENVELOPE_BYTES_MAX
MEMBERSHIP_REPLACED_RECORDS_MAX = 20_000

#: A name or a label sealed for the members: the text and 40 bytes.
SEALED_LABEL_BYTES_MAX = 512

#: What an invite says of itself, each cut to so many bytes: together they fit into a label.
INVITE_TEXT_BYTES_MAX = 140

#: How many may join with one ticket of which a number is given: more than a library has members.
INVITE_USES_MAX = 100_000

#: The file of a draft: more than a person changes before the next sync, and it fits in memory.
DRAFT_BYTES_MAX = 256 * 1024 * 1024

#: The name that a member is given, in bytes: sealed it fits into a label.
MEMBER_NAME_BYTES_MAX = 400

#: How long a ticket lets somebody in unless its maker says otherwise: a week, in which a colleague
#: reads a mail; one that is found later opens nothing.
INVITE_LASTS_S = 7 * 86_400

#: The longest that a ticket may last: ten years.
INVITE_LASTS_S_MAX = 3653 * 86_400

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

#: An answer to a request, once all of it has arrived; a relay under load still answers within it.
ANSWER_TIMEOUT_S = 30.0

#: A line on which nothing has moved for so long is asked by a ping, and is dead when for so long
#: nothing moved: not a byte came, and the system could not bring any to the other side.
LINE_PING_S = 15.0
LINE_DEAD_S = 30.0

#: How long the end of a connection may take: on a dead line nobody answers it.
CLOSE_TIMEOUT_S = 2.0

#: How often a line is looked at, and how far the two clocks part where the computer slept.
LINE_LOOK_S = 1.0
SLEPT_S = 5.0

#: What a connection must have brought, for a new one to be made at once after a cut; and how often
#: a sync tries in a row without that.
PROGRESS_BYTES = 1024
RECONNECTS_IN_A_ROW_MAX = 6

#: Reconnecting: the first wait, the factor and the longest wait; each is drawn at random
#: between zero and its bound, so that two thousand clients do not come back at once.
RECONNECT_FIRST_S = 0.25
RECONNECT_FACTOR = 1.8
RECONNECT_MAX_S = 30.0

# --- keys and tickets ------------------------------------------------------------------------

#: A device's key file is about 250 bytes; a longer one is no key.
KEY_FILE_BYTES_MAX = 4096

#: A device remembers so many public keys that it had before: what a backup of before the eighth
#: rotation had not sent is nobody's, and Windows keeps 1,280 characters in one secret.
EARLIER_KEYS_MAX = 8

#: How long the operating system's keyring may take to answer: one on the same computer needs
#: milliseconds, one that waits for a password longer than a command may hang.
KEYRING_TIMEOUT_S = 3.0

#: A relay's address, and a whole ticket with it in base64 and line breaks from mail programs.
RELAY_URL_CHARACTERS_MAX = 2048
TICKET_CHARACTERS_MAX = 8192

#: A relay's address sealed for the members: the address, nonce and tag.
SEALED_RELAY_ADDRESS_BYTES_MAX = RELAY_URL_CHARACTERS_MAX + 40

#: What somebody pastes to have the ticket in it found: a mail of many quoted ones. In it so many
#: places are tried, each with so many pieces: a ticket is cut at 60 characters or more.
TICKET_TEXT_CHARACTERS_MAX = 1024 * 1024
TICKET_PLACES_MAX = 50
TICKET_PIECES_MAX = 200

#: How many relays that a library left are looked at, for how long after that (three months, in
#: which a traveller comes home), how often, and how soon again where one was not told yet.
FORMER_RELAYS_MAX = 4
FORMER_RELAY_KEPT_S = 90 * 24 * 3600
FORMER_RELAY_LOOK_S = 3600.0
FORMER_RELAY_RETRY_S = 300.0

#: How long a relay that was left, which may be gone, may keep a sync waiting.
FORMER_RELAY_TIMEOUT_S = 3.0

#: How long the relay to which a library moved may take before this computer stays where it is.
RELAY_FOLLOW_TIMEOUT_S = 10.0

#: How soon whoever stays connected tries again to follow.
RELAY_FOLLOW_RETRY_S = 60.0
