"""Bounds of what keeps a library that grows for years small: statements and snapshots."""

from __future__ import annotations

from bifolio.limits.protocol import MESSAGE_BYTES_MAX

#: A statement or a verdict has some 250 bytes; the rest is room.
STATEMENT_BYTES_MAX = 512

#: Statements of one library: a thousand members with three replicas each.
STATEMENTS_MAX = 3_000

#: Replicas of one device that a relay keeps statements of; the one that was silent longest goes.
STATEMENTS_PER_DEVICE_MAX = 8

#: How often a replica that stays connected says where it stands, and after how long one that has
#: nothing new says it again.
STATEMENT_INTERVAL_S = 600.0
STATEMENT_AGAIN_S = 24 * 3600.0

#: A replica that has said nothing for so long holds nobody up any more.
REPLICA_GONE_S = 30 * 24 * 3600.0

#: A snapshot's header: 88 bytes for each chain, so 20,000 chains.
SNAPSHOT_HEADER_BYTES_MAX = 2 * 1024 * 1024

#: The content of a chunk before it is compressed: a chunk is then one small message on a poor line.
SNAPSHOT_PART_BYTES = 256 * 1024
SNAPSHOT_PART_BYTES_MAX = 2 * SNAPSHOT_PART_BYTES

#: A sealed chunk: zstd adds little to what it cannot compress.
SNAPSHOT_CHUNK_BYTES_MAX = SNAPSHOT_PART_BYTES_MAX + 4096

#: Chunks of one snapshot: 16 GiB of states, far above any library.
SNAPSHOT_CHUNKS_MAX = 65_536

#: The state of one record in a snapshot: it is put together in memory.
SNAPSHOT_RECORD_BYTES_MAX = 128 * 1024 * 1024

#: Structs of one record's state in a snapshot, and ranges that it deletes: ten times those of one
#: update. Each takes some 200 bytes while they are read.
SNAPSHOT_RECORD_PARTS_MAX = 1_048_576

#: Records, envelopes and incarnations that one part names: each takes twenty bytes at least.
SNAPSHOT_PART_ITEMS_MAX = 32_768

#: Snapshots that a relay keeps and tells of: two whole ones and one that is being sent.
SNAPSHOTS_KEPT = 2
SNAPSHOTS_TOLD_MAX = 8

#: Verdicts on one snapshot that a relay keeps.
SNAPSHOT_VERDICTS_MAX = 64

#: Chunks that are asked for, or sent, before the first of them is answered.
SNAPSHOT_CHUNKS_IN_FLIGHT = 4

#: Below this size of log no snapshot is worth its making.
SNAPSHOT_LOG_BYTES_MIN = 1024 * 1024

#: A snapshot's size in the file, as a part of the states in it, before there was a first one.
SNAPSHOT_STATES_DIVISOR = 3

#: Several replicas notice at the same time that a snapshot is due: each waits so long at most.
SNAPSHOT_WAIT_S = 3600.0

#: Who began to send a snapshot and stopped makes room for another one after so long.
SNAPSHOT_STALE_MS = 3600 * 1000

#: A message with a chunk fits far inside of what one message may have.
assert SNAPSHOT_CHUNK_BYTES_MAX < MESSAGE_BYTES_MAX
