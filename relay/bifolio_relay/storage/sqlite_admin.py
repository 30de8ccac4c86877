"""Who came when and by which token, and what is removed: blocking. Used by one thread.

A relay asks it while it serves, and so does whoever administers its folder, from another process.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from bifolio import limits
from bifolio_relay.storage import LibraryFacts, TokenFacts
from bifolio_relay.storage.sqlite_file import BLOBS_NAME, SqliteFile, remove_library

_TOKENS = (
    "SELECT id, public, label, uses,"
    " (SELECT count(*) FROM token_use WHERE token_use.token = token.id),"
    " created_ms, expires_ms, revoked_ms FROM token"
)


class SqliteAdmin:
    """Libraries and tokens of one file, from the side of whoever runs the relay."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    # --- libraries ---

    def libraries(self) -> tuple[LibraryFacts, ...]:
        """All libraries, the oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT library.id, library.created_ms, library.used_ms,"
                " CASE WHEN roles_known THEN (SELECT count(*) FROM member_role"
                "   WHERE member_role.library = library.key) END,"
                " library.n, library.size_bytes + library.members_bytes,"
                " (SELECT count(*) FROM blob WHERE blob.library = library.key),"
                " (SELECT coalesce(sum(size_bytes), 0) FROM blob_room"
                "   WHERE blob_room.library = library.key),"
                " token.label"
                " FROM library LEFT JOIN token ON token.id = library.token ORDER BY library.key"
            )
            return tuple(LibraryFacts(*row) for row in rows)

    def note_use(self, library: bytes, now_ms: int) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE library SET used_ms = max(used_ms, ?) WHERE id = ?", (now_ms, library)
            )

    def remove(self, library: bytes) -> bool:
        """Remove a library with all that is held of it; False if it is not held."""
        with self._file.transaction() as connection:
            key = self._file.library_key(library)
            if key is None:
                return False
            remove_library(connection, key)
        self._remove_files([library])
        return True

    def delete(self, library: bytes, now_ms: int) -> bool:
        """See ``LogStorage.delete_library``."""
        with self._file.transaction() as connection:
            key = self._file.library_key(library)
            if key is None:
                return False
            remove_library(connection, key)
            connection.execute("DELETE FROM deleted_library WHERE id = ?", (library,))
            connection.execute(
                "DELETE FROM deleted_library WHERE id IN (SELECT id FROM deleted_library"
                " ORDER BY deleted_ms DESC LIMIT -1 OFFSET ?)",
                (limits.RELAY_DELETIONS_KEPT_MAX - 1,),
            )
            connection.execute(
                "INSERT INTO deleted_library (id, deleted_ms) VALUES (?, ?)", (library, now_ms)
            )
        self._remove_files([library])
        return True

    def read_deletion(self, library: bytes) -> int | None:
        """See ``LogStorage.read_deletion``."""
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT deleted_ms FROM deleted_library WHERE id = ?", (library,)
            ).fetchone()
        return None if row is None else int(row[0])

    def remove_unused(self, before_ms: int, count_max: int) -> tuple[bytes, ...]:
        """See ``LogStorage.remove_unused``."""
        with self._file.transaction() as connection:
            rows = connection.execute(
                "SELECT key, id FROM library"
                " WHERE token IS NULL AND n = 0 AND members <= 1 AND used_ms < ?"
                " AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.library = library.key)"
                " AND NOT EXISTS (SELECT 1 FROM snapshot WHERE snapshot.library = library.key)"
                " ORDER BY used_ms LIMIT ?",
                (before_ms, count_max),
            ).fetchall()
            for key, _ in rows:
                remove_library(connection, key)
        self._remove_files([library for _, library in rows])
        return tuple(library for _, library in rows)

    def _remove_files(self, libraries: Sequence[bytes]) -> None:
        """After the commit: a file without its row is in nobody's way."""
        for library in libraries:
            shutil.rmtree(self._file.folder / BLOBS_NAME / library.hex(), ignore_errors=True)

    # --- tokens ---

    def add_token(self, token: TokenFacts) -> None:
        """Keep a new token."""
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT INTO token (id, public, label, uses, created_ms, expires_ms)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    token.id,
                    token.public,
                    token.label,
                    token.uses,
                    token.created_ms,
                    token.expires_ms,
                ),
            )

    def tokens(self) -> tuple[TokenFacts, ...]:
        """All tokens, the oldest first."""
        with self._file.reading() as connection:
            rows = connection.execute(f"{_TOKENS} ORDER BY created_ms, id")
            return tuple(TokenFacts(*row) for row in rows)

    def revoke(self, token: bytes, now_ms: int) -> None:
        """A token allows nothing more; libraries that it allowed stay."""
        with self._file.transaction() as connection:
            connection.execute(
                "UPDATE token SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL",
                (now_ms, token),
            )

    def read_token(self, token: bytes) -> TokenFacts | None:
        """See ``LogStorage.read_token``."""
        with self._file.reading() as connection:
            row = connection.execute(f"{_TOKENS} WHERE id = ?", (token,)).fetchone()
            return None if row is None else TokenFacts(*row)

    def use_token(self, token: bytes, library: bytes, now_ms: int) -> bool:
        """See ``LogStorage.use_token``."""
        with self._file.transaction() as connection:
            row = connection.execute(f"{_TOKENS} WHERE id = ?", (token,)).fetchone()
            if row is None:
                return False
            facts = TokenFacts(*row)
            used_here = connection.execute(
                "SELECT 1 FROM token_use WHERE token = ? AND library = ?", (token, library)
            ).fetchone()
            if facts.revoked_ms is not None:
                return False
            if used_here is not None:
                return True
            if facts.uses is not None and facts.used >= facts.uses:
                return False
            connection.execute(
                "INSERT INTO token_use (token, library, used_ms) VALUES (?, ?, ?)",
                (token, library, now_ms),
            )
            return True
