"""The log of automatic sync: a bounded file without any title, name or secret.

It names a library by the beginning of its id, and what went wrong by its kind; the sentences are
in ``bifolio autosync status``.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from bifolio import limits
from bifolio.autosync.state import LibraryState


def open_log(path: Path) -> logging.Logger:
    """A logger that writes to a file and one older one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        path, maxBytes=limits.AUTOSYNC_LOG_BYTES_MAX, backupCount=1, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.Logger("bifolio-autosync", logging.INFO)
    logger.addHandler(handler)
    return logger


def line(state: LibraryState) -> str:
    """What the log says of a library's new state."""
    return f"library {state.library[:8] or 'not opened'}: {state.link}"
