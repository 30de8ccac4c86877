"""The log of automatic sync: a bounded file without any title, name or secret.

It names a library by the beginning of its id, and what went wrong by its kind; the sentences are
in ``bifolio autosync status``.
"""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bifolio import limits
from bifolio.autosync.state import LibraryState
from bifolio.disk import keep_private, make_private_folder, touch_private


def open_log(path: Path) -> logging.Logger:
    """A logger that writes to a file and one older one."""
    make_private_folder(path.parent)
    handler = _PrivateHandler(
        path, maxBytes=limits.AUTOSYNC_LOG_BYTES_MAX, backupCount=1, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.Logger("bifolio-autosync", logging.INFO)
    logger.addHandler(handler)
    return logger


class _PrivateHandler(RotatingFileHandler):
    """A log that only its user can read, also after it was begun again."""

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        touch_private(path)
        keep_private(path)
        return super()._open()


def line(state: LibraryState) -> str:
    """What the log says of a library's new state."""
    return f"library {state.library[:8] or 'not opened'}: {state.link}"
