"""The operating system's keyring: put, get and remove one secret text, never blocking.

Backends are plug-ins that may ask for a password, wait for a locked store, or fail in their own
ways. Each call therefore runs in a thread of its own with a time limit, and every failure is the
plain answer "not there". Knows nothing of what the text holds. The package ``keyring`` is loaded
only when asked for, since it costs a tenth of a second. May import only ``limits``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from bifolio import limits

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "bifolio"

Answer = TypeVar("Answer")


def put(entry: str, text: str) -> bool:
    """Keep the text under this entry; True only if it was read back."""

    def attempt() -> bool:
        backend = _backend()
        if backend is None:
            return False
        backend.set_password(_SERVICE, entry, text)
        return bool(backend.get_password(_SERVICE, entry) == text)

    return _within_time(attempt) is True


def get(entry: str) -> str | None:
    """The text of this entry; None if there is no keyring, no entry, or no answer in time."""

    def attempt() -> str | None:
        backend = _backend()
        return None if backend is None else backend.get_password(_SERVICE, entry)

    return _within_time(attempt)


def remove(entry: str) -> bool:
    """Forget the entry, if the keyring lets us; whether it is not there any more."""

    def attempt() -> bool:
        backend = _backend()
        if backend is None:
            return False
        if backend.get_password(_SERVICE, entry) is not None:
            backend.delete_password(_SERVICE, entry)
        return True

    return _within_time(attempt) is True


def _backend() -> KeyringBackend | None:
    """The keyring that this session offers; those that keep nothing have no priority."""
    import keyring

    backend = keyring.get_keyring()
    return backend if backend.priority > 0 else None


def _within_time(attempt: Callable[[], Answer]) -> Answer | None:
    answers: list[Answer] = []

    def run() -> None:
        try:
            answers.append(attempt())
        except Exception:  # noqa: BLE001 - the top of this thread; a plug-in may raise anything
            return

    thread = threading.Thread(target=run, name="bifolio-keyring", daemon=True)
    thread.start()
    thread.join(limits.KEYRING_TIMEOUT_S)
    return answers[0] if answers else None
