"""What seals and opens the contents of files, for a relay and in bundles: the same pieces in both.

A content is called by a keyed hash outside, so nobody else learns which file it is.
"""

from __future__ import annotations

from bifolio.crypto.blob import BlobKey, blob_id
from bifolio.errors import NotAMemberError
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica


class BlobKeys:
    """The keys to the contents of one replica's files."""

    def __init__(self, replica: Replica, member_log: LibraryMembership) -> None:
        self._replica = replica
        self._member_log = member_log
        self._keys: dict[int, bytes] = {}

    def blob(self, hash: str) -> bytes:
        """What a content is called outside: 32 bytes.

        Raises:
            NotAMemberError: this device was never given the first key.
        """
        return blob_id(
            library=self._replica.library_id,
            first_key=self._key(0),
            content=bytes.fromhex(hash),
        )

    def of(self, hash: str, sealed_size: int, generation: int | None = None) -> BlobKey:
        """The key of a content of this sealed size (bytes), of a generation or the newest one.

        Raises:
            NotAMemberError: this device was never given that key.
        """
        if generation is None:
            generation, _ = self._member_log.newest_key()
        return BlobKey.make(
            library=self._replica.library_id,
            blob=self.blob(hash),
            content=bytes.fromhex(hash),
            sealed_size=sealed_size,
            generation=generation,
            key=self._key(generation),
        )

    def _key(self, generation: int) -> bytes:
        known = self._keys.get(generation)
        if known is None:
            known = self._member_log.key(generation)
            if known is None:
                raise NotAMemberError
            self._keys[generation] = known
        return known
