"""What ``bifolio attach`` is given: an address, a ticket, a file or a mail with one, or nothing.

A ticket is a secret: it need not be typed as an argument, which other users of the computer can
see, and no message repeats any of it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from shlex import quote

from msgspec import Struct

from bifolio.errors import UsageError

#: A mail with attachments is larger, and its text comes first.
_BYTES_MAX = 1024 * 1024
_SCHEME = re.compile(r"b\s*i\s*f\s*o\s*l\s*i\s*o\s*(?::|%3a)", re.IGNORECASE)
_RELAY_URL = re.compile(r"(?:ws|http)(s?)://(\S+)", re.IGNORECASE)
_STDIN = "-"


class RelayAddress(Struct, frozen=True):
    """The address of a relay, as ``ws://`` or ``wss://``."""

    url: str


class PastedTicket(Struct, frozen=True):
    """A text that is a ticket, or holds one."""

    text: str

    def __repr__(self) -> str:
        return "PastedTicket()"


def read_target(target: str | None) -> RelayAddress | PastedTicket:
    """What the argument names, or what comes on stdin for ``-`` or without one.

    Raises:
        UsageError: it is neither, or cannot be read.
    """
    if target is None:
        if not sys.stdin.isatty():
            raise UsageError(
                "Nothing to attach to was given.",
                next_step="Give the relay's address or the ticket, or '-' with the ticket on "
                "stdin.",
            )
        return PastedTicket(_ask())
    text = target.strip()
    if text == _STDIN:
        return PastedTicket(_decode(sys.stdin.buffer.read(_BYTES_MAX + 1)))
    # First: an address that holds a ticket is a link to it, and is sent to nobody.
    if _SCHEME.search(text):
        return PastedTicket(text)
    if (url := relay_url(text)) is not None:
        return RelayAddress(url)
    path = Path(text).expanduser()
    try:
        is_file = len(text) < 4096 and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        return PastedTicket(_read(path))
    raise UsageError(
        "What was given is neither the address of a relay nor a ticket, and no file has that name.",
        next_step="An address looks like ws://relay.example:8787 or wss://relay.example, a ticket "
        "begins with 'bifolio:' and is printed by 'bifolio invite'.",
    )


def relay_url(text: str) -> str | None:
    """A relay's address as ``ws://`` or ``wss://``; None for anything else."""
    found = _RELAY_URL.fullmatch(text.strip())
    if found is None:
        return None
    secure, rest = found.groups()
    return f"ws{secure.lower()}://{rest}"


def _ask() -> str:
    """Let somebody paste a ticket, or the mail that it came with."""
    sys.stderr.write("Paste the ticket, or the whole mail with it; then an empty line:\n")
    sys.stderr.flush()
    lines: list[str] = []
    for line in sys.stdin:
        if not line.strip() and _SCHEME.search("".join(lines)):
            break
        lines.append(line)
        if sum(map(len, lines)) > _BYTES_MAX:
            break
    return "".join(lines)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _decode(file.read(_BYTES_MAX + 1))
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be read: {error.strerror or 'it is not readable'}.",
            next_step=f"Check it with: ls -l {quote(str(path))}",
        ) from None


def _decode(raw: bytes) -> str:
    """The text of bytes: UTF-16 from some editors, otherwise as UTF-8 as it goes."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return raw[:_BYTES_MAX].decode(encoding, "replace")
    return raw[:_BYTES_MAX].decode("utf-8", "replace")
