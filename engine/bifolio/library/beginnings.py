"""What a replica's file holds from its beginning: of a new library, and of one that is attached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bifolio.errors import PathTakenError
from bifolio.replica import folder
from bifolio.storage.database import Database
from bifolio.storage.meta import Meta

if TYPE_CHECKING:
    from bifolio.replica.replica import Replica

_REPLICA_ID_BYTES = 16


def begin_library(replica: Replica, name: str) -> None:
    """Make this device the owner of a new library; inside a transaction."""
    from bifolio.crypto.envelope import CONTENT_KEY_BYTES
    from bifolio.replica.membership import LibraryMembership

    replica.meta.replica_id = os.urandom(_REPLICA_ID_BYTES)
    LibraryMembership(replica).create_genesis(os.urandom(CONTENT_KEY_BYTES))
    # A folder's name may hold bytes that are no text; a library's name may not.
    replica.name_library_inside(name.encode(errors="replace").decode())


def create_attached(
    path: Path, library: bytes, relay: str, files_policy: str, *, ticket_secret: bytes = b""
) -> Database:
    """A replica's folder that is to be filled from a relay or a bundle; the one that is there,
    where an earlier attempt with the same library was ended while it was filled.

    Args:
        path: where it is made.
        library: its id.
        relay: its address.
        files_policy: which files it fetches.
        ticket_secret: of the ticket, sealed to this device: a sync goes on with it where the
            process ends before anything else is done.

    Raises:
        PathTakenError: something else is there.
        ReadOnlyLibraryError: it cannot be made there.
    """
    if (path / folder.FILE).is_file():
        database = folder.open_database(path)
        meta = Meta(database)
        if meta.is_filling and meta.library_id == library:
            return database
        database.close()
        raise PathTakenError(path)

    def begin(database: Database) -> None:
        meta = Meta(database)
        meta.replica_id = os.urandom(_REPLICA_ID_BYTES)
        meta.library_id = library
        meta.relay_url = relay
        meta.ticket_secret = ticket_secret
        meta.files_policy = files_policy
        meta.is_filling = True

    return folder.create(path, begin)
