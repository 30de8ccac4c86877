"""Names under which a file of a reference is written to a disk, whatever its own name is.

The name came from another member, and the disk may be any system's: one place makes it safe, and
the same way everywhere, so that a file has one name on all computers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bifolio import limits
from bifolio.lazy import pattern

#: Separators of paths and streams, and what Windows has in no name.
_FORBIDDEN: Final = pattern(r'[/\\:*?"<>|]')

#: Names of Windows' devices, whatever suffix is behind them; the raised digits count as digits.
_DEVICES: Final = pattern(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)

#: Categories of what is not seen, moves a cursor, turns the writing round or is no character.
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")

#: Room that a suffix keeps where a name is cut.
_SUFFIX_BYTES_MAX: Final = 32


def safe_file_name(name: str) -> str:
    """The name under which a file can be written on every system, in its folder and nowhere else.

    A name that is safe is left as it is. Each character that some system does not take becomes
    ``_``, what is not seen is left out, and so are dots and spaces at the end. A name of a device,
    and one that hides a file or reads as an option, gets ``_`` before it.
    """
    shown = "".join(
        one
        for one in unicodedata.normalize("NFC", name)
        if unicodedata.category(one) not in _UNSEEN
    )
    safe = _FORBIDDEN.sub("_", shown).strip().rstrip(". ")
    if not safe or safe[0] in ".-~" or _DEVICES.fullmatch(safe.split(".")[0].rstrip()):
        safe = "_" + safe
    return _cut(safe)


def suffix_of(name: str) -> str:
    """The suffix by which a system chooses a program, in small letters without its dot."""
    stem, dot, suffix = safe_file_name(name).rpartition(".")
    return suffix.lower() if dot and stem else ""


def _cut(name: str) -> str:
    if len(name.encode(errors="replace")) <= limits.FILE_NAME_BYTES_MAX:
        return name
    stem, dot, suffix = name.rpartition(".")
    end = dot + suffix if stem and len(suffix.encode()) <= _SUFFIX_BYTES_MAX else ""
    room = limits.FILE_NAME_BYTES_MAX - len(end.encode())
    start = (stem if end else name).encode()[:room].decode(errors="ignore")
    return start.rstrip(". ") + end
