"""Which attached files another program is started on: documents, by name and by content.

The name and the bytes are another member's. Opened are kinds that show something and run nothing:
no program, script, shortcut or web page, no document that can hold macros (``.docm``, ``.doc``,
OpenDocument), no table in text (a formula runs in it). Everything else is exported instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bifolio.errors import FileNotOpenedError
from bifolio.lazy import pattern
from bifolio.records.file_names import safe_file_name, suffix_of
from bifolio.results import FileView

#: So far into the file its kind must show; readers of PDF look as far.
_HEAD_BYTES: Final = 1024

#: How programs begin: of Windows, Linux, macOS, Java, and scripts.
_PROGRAM: Final = pattern(
    rb"MZ|\x7fELF|#!|\xca\xfe\xba\xbe|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|L\x00\x00\x00\x01\x14"
)
_MARKUP: Final = pattern(rb"<\s*(?:!doctype\s+html|html|script|svg|\?xml)", re.IGNORECASE)


def _begins(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(starts)


def _is_text(head: bytes) -> bool:
    return b"\x00" not in head and _MARKUP.search(head) is None


#: By suffix: whether the first bytes are of that kind.
_KINDS: Final[dict[str, Callable[[bytes], bool]]] = {
    "pdf": lambda head: b"%PDF-" in head,
    "djvu": _begins(b"AT&TFORM"),
    "djv": _begins(b"AT&TFORM"),
    **dict.fromkeys(("epub", "docx", "xlsx", "pptx"), _begins(b"PK\x03\x04")),
    "png": _begins(b"\x89PNG\r\n\x1a\n"),
    **dict.fromkeys(("jpg", "jpeg"), _begins(b"\xff\xd8\xff")),
    "gif": _begins(b"GIF87a", b"GIF89a"),
    **dict.fromkeys(("tif", "tiff"), _begins(b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")),
    "webp": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
    "bmp": _begins(b"BM"),
    **dict.fromkeys(("txt", "md"), _is_text),
}


def check_openable(file: FileView, content: Path) -> str:
    """The name under which a copy of the file may be opened: safe, and with its true suffix.

    Raises:
        FileNotOpenedError: it is no document, or not what its name says.
    """
    suffix = suffix_of(file.name)
    is_kind = _KINDS.get(suffix)
    if is_kind is None:
        kind = f"a .{suffix} file" if suffix else "a file without an ending"
        raise FileNotOpenedError(
            file.key,
            file.name,
            label=file.label,
            reason=f"{kind} could run something when it is opened",
        )
    with content.open("rb") as reading:
        head = reading.read(_HEAD_BYTES)
    if _PROGRAM.match(head) or not is_kind(head):
        what = "a program" if _PROGRAM.match(head) else f"no .{suffix} file"
        raise FileNotOpenedError(
            file.key, file.name, label=file.label, reason=f"by its content it is {what}"
        )
    return f"{safe_file_name(file.name).rpartition('.')[0]}.{suffix}"
