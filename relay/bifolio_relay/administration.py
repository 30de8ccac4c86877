"""What whoever runs a relay does with its folder, also while the relay runs: libraries and tokens.

Blocking. The relay that serves the folder compares what it remembers with the store at every use,
so it needs not be told. Knows nothing of connections.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from types import TracebackType

from bifolio.crypto.relay_token import RelayToken, new_relay_token
from bifolio.errors import Next, RelayError, RelayStorageError
from bifolio_relay.storage import LibraryFacts, TokenFacts
from bifolio_relay.storage.sqlite_admin import SqliteAdmin
from bifolio_relay.storage.sqlite_file import FILE_NAME, SqliteFile

_DAY_MS = 24 * 3600 * 1000
#: Characters of an id that name it: enough to be no accident.
_ID_CHARACTERS_MIN = 4
LABEL_CHARACTERS_MAX = 100


class Administration:
    """One relay's folder; a context manager.

    Arguments:
        folder: where the relay keeps its data.
        create: whether a folder without any is made one: before a relay's first start.

    Raises:
        RelayStorageError: no relay has data there, or they cannot be used.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        if not create and not (folder / FILE_NAME).is_file():
            raise RelayStorageError(
                folder,
                reason="no relay has kept data there",
                next_step=Next.CHOOSE_RELAY_FOLDER,
            )
        self._file = SqliteFile(folder, locked=False)
        self._admin = SqliteAdmin(self._file)

    def __enter__(self) -> Administration:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def libraries(self) -> tuple[LibraryFacts, ...]:
        """All libraries that the relay holds, the oldest first."""
        return self._admin.libraries()

    def library(self, prefix: str) -> LibraryFacts:
        """The one library whose id, in hexadecimal, begins so.

        Raises:
            RelayError: there is none, or there are several.
        """
        found = [one for one in self.libraries() if _begins(one.library, prefix)]
        if len(found) != 1:
            many = f"{len(found)} libraries" if found else "no library"
            raise RelayError(
                f"The relay holds {many} whose id begins with '{prefix[:40]}'.",
                next_step=Next.LIST_RELAY_LIBRARIES,
            )
        return found[0]

    def remove(self, library: bytes) -> bool:
        """Remove a library with its files; False if it is not held any more."""
        return self._admin.remove(library)

    def create_token(
        self, *, label: str = "", uses: int | None = None, days: int | None = None
    ) -> tuple[RelayToken, TokenFacts]:
        """A new token: the only moment at which its secret is known here.

        Arguments:
            label: what it is called in lists.
            uses: how many libraries it allows; any number unless given.
            days: after how many days it allows none; never unless given.
        """
        token = new_relay_token(secrets.token_bytes)
        now_ms = time.time_ns() // 1_000_000
        expires_ms = None if days is None else now_ms + days * _DAY_MS
        facts = TokenFacts(token.id, token.public, label, uses, 0, now_ms, expires_ms, None)
        self._admin.add_token(facts)
        return token, facts

    def tokens(self) -> tuple[TokenFacts, ...]:
        """All tokens, the oldest first."""
        return self._admin.tokens()

    def revoke(self, name: str) -> TokenFacts:
        """Have a token allow nothing more: the one with this label, or whose id begins so.

        Raises:
            RelayError: there is none, or there are several.
        """
        found = [one for one in self.tokens() if one.label == name or _begins(one.id, name)]
        if len(found) != 1:
            many = f"{len(found)} tokens" if found else "no token"
            raise RelayError(
                f"The relay has {many} of the name or id '{name[:40]}'.",
                next_step=Next.LIST_RELAY_TOKENS,
            )
        self._admin.revoke(found[0].id, time.time_ns() // 1_000_000)
        return found[0]


def _begins(raw: bytes, prefix: str) -> bool:
    prefix = prefix.strip().lower()
    return len(prefix) >= _ID_CHARACTERS_MIN and raw.hex().startswith(prefix)
