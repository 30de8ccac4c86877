"""Bytes to text: which character set a file is in, and what never reaches a value.

UTF-8 or UTF-16, each with or without a mark; else what a comment at the beginning declares, as
JabRef, BibDesk and Emacs write it; else GB 18030 where the bytes stand in pairs as Chinese text
has them; else Windows-1252, else Latin-1 (which cannot fail). Line ends become ``\\n``. May not
know any format.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from bifolio.errors import FileFormatError
from bifolio.limits import IMPORT_FILE_BYTES_MAX

#: Control characters that no text file holds. More than one in two hundred characters of the
#: beginning (a PDF has one in four, a text damaged in one place a handful) means a binary file.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_CONTROL_SHARE_MAX = 1 / 200
_SAMPLE_CHARACTERS = 65_536

#: What a file begins with that is certainly no text.
_MAGIC = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"SQLite format 3\x00": "a SQLite database",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"\x1f\x8b": "a gzip archive",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an old Office document",
}

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


#: What a comment of the first lines says of the file's character set.
_DECLARED = re.compile(
    rb"^%+[ \t]*(?:Saved with string )?encoding:?[ \t]+([^\r\n]{3,40}?)[ \t]*$"
    rb"|-\*-.{0,60}?coding:[ \t]*([\w-]+)",
    re.IGNORECASE | re.MULTILINE,
)
_DECLARED_BYTES = 2048
#: BibDesk's own names.
_BIBDESK_NAMES = {
    "western (mac os roman)": "mac_roman",
    "western (iso latin 1)": "latin-1",
    "western (windows latin 1)": "cp1252",
    "chinese (gb 18030)": "gb18030",
    "chinese (gbk)": "gbk",
    "japanese (shift jis)": "shift_jis",
    "japanese (euc)": "euc_jp",
}

_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_CHINESE = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
#: Of the bytes beyond ASCII, how many must stand in pairs, and of their characters be Chinese.
_CHINESE_SHARE = 0.95


def read_text(path: Path, *, expected: str) -> str:
    """The whole text of a file, in Unicode, with ``\\n`` line ends.

    Raises:
        FileFormatError: missing, no file, not readable, too large, or binary.
    """
    raw = _read_bytes(path, expected=expected)
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            raise FileFormatError(str(path), expected=expected, got=kind)
    text = decode(raw)
    sample = text[:_SAMPLE_CHARACTERS]
    if len(_CONTROL.findall(sample)) > max(1.0, len(sample) * _CONTROL_SHARE_MAX):
        raise FileFormatError(str(path), expected=expected, got="a binary file")
    return _clean(text)


def decode(raw: bytes) -> str:
    """The text of these bytes; every byte string has one."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace")
    if (unmarked := _unmarked_utf16(raw)) is not None:
        return raw.decode(unmarked, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut in the middle of its last character is UTF-8 all the same, and so is one with
        # a single damaged byte among many good characters.
        text = raw.decode("utf-8", errors="replace")
        broken = text.count("\ufffd")
        if error.start >= len(raw) - 4 or broken * 20 < _non_ascii(raw):
            return text
    if (declared := _declared(raw)) is not None:
        return declared
    if (chinese := _chinese(raw)) is not None:
        return chinese
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _declared(raw: bytes) -> str | None:
    """The text by the character set that the file names, if it is one and fits."""
    found = _DECLARED.search(raw[:_DECLARED_BYTES])
    if found is None:
        return None
    name = (found.group(1) or found.group(2)).decode("ascii", errors="replace").lower()
    try:
        return raw.decode(_BIBDESK_NAMES.get(name, name.removeprefix("x-")))
    except (LookupError, UnicodeError, ValueError):
        return None


def _chinese(raw: bytes) -> str | None:
    """The text in GB 18030, if all but a few of its bytes beyond ASCII can be nothing else."""
    runs = [len(run) for run in _HIGH_BYTES.findall(raw)]
    paired = sum(length for length in runs if length % 2 == 0)
    if paired < 20 or paired < _CHINESE_SHARE * sum(runs):
        return None
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    beyond = sum(1 for one in text if one > "\x7f")
    return text if len(_CHINESE.findall(text)) >= _CHINESE_SHARE * beyond else None


def _unmarked_utf16(raw: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of a beginning in Latin letters is NUL."""
    sample = raw[:256]
    half = len(sample) // 2
    if half >= 2 and sample[1::2].count(0) * 10 >= half * 9 and sample[::2].count(0) == 0:
        return "utf-16-le"
    if half >= 2 and sample[::2].count(0) * 10 >= half * 9 and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _non_ascii(raw: bytes) -> int:
    """How many bytes lie outside ASCII."""
    return len(raw) - len(raw.translate(None, bytes(range(128, 256))))


def _clean(text: str) -> str:
    """``\\n`` line ends; no NUL, which means nothing in a text; no DOS end-of-file mark."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.rstrip("\x1a") if text.endswith("\x1a") else text


def _read_bytes(path: Path, *, expected: str) -> bytes:
    if path.is_dir():
        raise FileFormatError(
            str(path), expected=expected, got="a folder", next_step="Name the file inside it."
        )
    try:
        size = path.stat().st_size
        if size > IMPORT_FILE_BYTES_MAX:
            raise FileFormatError(
                str(path),
                expected=f"a file of at most {IMPORT_FILE_BYTES_MAX:,} bytes",
                got=f"{size:,} bytes",
                next_step="Split the file and import the pieces.",
            )
        return path.read_bytes()
    except FileNotFoundError:
        got, advice = "no file there", "Check the path."
    except OSError as error:
        got = f"a file that cannot be read ({error.strerror or error})"
        advice = "Check that you may read the file."
    raise FileFormatError(str(path), expected=expected, got=got, next_step=advice)
