"""A copy of a replica's file that becomes a replica of its own (DESIGN §2, promise 7).

The original may live on, here or elsewhere, and go on writing. So the copy gets an id of its own
and continues no chain: what it seals goes into a new one, and its first write takes a slot and a
client id that nobody has used. What it knows of the log stays: old news to everybody, so that
nothing old comes back as new.
"""

from __future__ import annotations

from bifolio.storage.database import Database
from bifolio.storage.listings import Listings
from bifolio.storage.meta import Meta

#: What the original noted of its own talks with the relay, or showed to its user.
_OF_THE_ORIGINAL = (
    "own_chain",
    "reachable",
    "last_sync_ms",
    "notes",
    "stated",
    "snapshot_made",
    "snapshot_not_before_ms",
)


def begin_anew(database: Database, replica_id: bytes) -> None:
    """Make a copied file another replica; inside a transaction."""
    meta = Meta(database)
    meta.replica_id = replica_id
    meta.forget(*_OF_THE_ORIGINAL)
    Listings(database).clear()
