"""What a replica's file holds from its beginning: of a new library, and of one that is attached."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from bifolio.storage.database import Database
from bifolio.storage.meta import Meta

if TYPE_CHECKING:
    from bifolio.replica.replica import Replica

_REPLICA_ID_BYTES = 16


def begin_library(replica: Replica, name: str) -> None:
    """Make this device the owner of a new library; inside a transaction."""
    from bifolio.crypto.envelope import CONTENT_KEY_BYTES
    from bifolio.replica.membership import LibraryMembership

    replica.meta.replica_id = secrets.token_bytes(_REPLICA_ID_BYTES)
    LibraryMembership(replica).create_genesis(secrets.token_bytes(CONTENT_KEY_BYTES))
    # A folder's name may hold bytes that are no text; a library's name may not.
    replica.name_library_inside(name.encode(errors="replace").decode())


def begin_attached(library: bytes, files_policy: str) -> Callable[[Database], None]:
    """What the file of a replica begins with that is filled from a relay."""

    def begin(database: Database) -> None:
        meta = Meta(database)
        meta.replica_id = secrets.token_bytes(_REPLICA_ID_BYTES)
        meta.library_id = library
        meta.files_policy = files_policy
        meta.is_filling = True

    return begin
