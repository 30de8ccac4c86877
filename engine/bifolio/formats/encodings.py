"""Bytes to text: which character set a file is in, and what never reaches a value.

What the user says; else the first of these that fits: UTF-8 or UTF-16, each with or without a mark;
what the beginning declares, in a comment as JabRef, BibDesk and Emacs write it or in XML's own
declaration; the set that is most likely (``character_sets``); Windows-1252, which gives every byte
a character. Bytes that are not UTF-8 in a text that is are Windows-1252 too: files are joined end
to end. What is a guess is reported. Line ends become ``\\n``. May not know any format.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from bifolio.errors import FileFormatError, Next, UsageError
from bifolio.formats import character_sets
from bifolio.limits import IMPORT_FILE_BYTES_MAX

#: Control characters that no text file holds. More than one in two hundred characters of the
#: beginning (a PDF has one in four, a text damaged in one place a handful) means a binary file.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
_CONTROL_SHARE_MAX = 1 / 200
#: So many are never too many, unless there is a NUL: a title copied out of a PDF has one for each
#: ligature, a binary file has NULs.
_CONTROLS_ALLOWED = 20
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
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


#: What a comment of the first lines, or the first line of an XML, says of the file's character set.
_DECLARED = re.compile(
    rb"^%+[ \t]*(?:Saved with string )?encoding:?[ \t]+([^\r\n]{3,40}?)[ \t]*$"
    rb"|-\*-.{0,60}?coding:[ \t]*([\w-]+)"
    rb"|\A\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.:-]{3,40})[\"']",
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

#: Latin-1 has control characters where Windows-1252 has quotation marks and dashes; a file that
#: names the one is written in the other.
_LATIN_1 = "iso8859-1"
#: Windows-1252 for every byte: those that it leaves open are control characters.
_WINDOWS = {
    byte: bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in range(128, 256)
}
_OPEN = re.compile("[\x81\x8d\x8f\x90\x9d]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_STRAY = re.compile("[\udc80-\udcff]")
#: The mark of a file that was joined to another one: at a line's beginning, or behind a last line
#: without an end, before something that begins a record in any format.
_INNER_MARK = re.compile("^\ufeff+", re.MULTILINE)
_JOINED = re.compile("\ufeff+(?=@[A-Za-z]+[ \t]*[{(]|%0 |TY[ \t]{1,3}-|[\\[{<])")
#: Lines that a remark names.
_LINES_NAMED_MAX = 5

#: The beginning of Japanese in a text of seven bits.
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]")


@dataclass(frozen=True, slots=True)
class Remark:
    """Where a character set had to be guessed, and how."""

    line: int
    reason: str


def check_encoding(name: str) -> str:
    """A character set that a user names, by Python's name of it.

    Raises:
        UsageError: no character set of texts is called so.
    """
    try:
        found = codecs.lookup(name.strip().removeprefix("x-"))
        if not getattr(found, "_is_text_encoding", True):  # rot13, hex
            raise LookupError(name)
    except (LookupError, UnicodeError, ValueError):
        raise UsageError(
            f"There is no character set '{name}'.", next_step=Next.NAME_CHARACTER_SET
        ) from None
    return found.name


def read_text(
    path: Path, *, expected: str, encoding: str | None = None
) -> tuple[str, Remark | None]:
    """The whole text of a file, in Unicode, with ``\\n`` line ends; and what was guessed in it.

    Args:
        encoding: the character set, where the user says it.

    Raises:
        FileFormatError: missing, no file, not readable, too large, or binary.
    """
    raw = _read_bytes(path, expected=expected)
    for magic, kind in _MAGIC.items():
        if raw.startswith(magic):
            raise FileFormatError(str(path), expected=expected, got=kind)
    text, remark = decode(raw) if encoding is None else (_decode_as_said(path, raw, encoding), None)
    sample = text[:_SAMPLE_CHARACTERS]
    allowed = 1 if "\x00" in sample else _CONTROLS_ALLOWED
    if len(_CONTROL.findall(sample)) > max(allowed, len(sample) * _CONTROL_SHARE_MAX):
        raise FileFormatError(str(path), expected=expected, got="a binary file")
    return _clean(text), remark


def decode(raw: bytes) -> tuple[str, Remark | None]:
    """The text of these bytes, and what was guessed in it; every byte string has one."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            if encoding == "utf-8":
                return _decode_mostly_utf8(raw[len(mark) :])
            return raw[len(mark) :].decode(encoding, errors="replace"), None
    if (unmarked := _find_unmarked_utf16(raw)) is not None:
        return raw.decode(unmarked, errors="replace"), None
    if _ISO_2022_JP.search(raw) and (text := _decode_exactly(raw, "iso2022_jp_2")) is not None:
        return text, None
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        if _is_cut(error, raw) or _is_mostly_utf8(raw):
            return _decode_mostly_utf8(raw)
    if (text := _decode_as_declared(raw)) is not None:
        return text, None
    if encoding := character_sets.guess(raw):
        return raw.decode(encoding), _guessed(raw, encoding)
    return _decode_windows(raw)


def _guessed(raw: bytes, encoding: str) -> Remark:
    """The remark on a character set that nothing states."""
    first = re.search(rb"[\x80-\xff]", raw)
    line = 1 + raw.count(b"\n", 0, first.start()) if first else 1
    shown = character_sets.shown_set(encoding)
    return Remark(line, f"the file does not say its character set; it was read as {shown}")


def _decode_as_said(path: Path, raw: bytes, encoding: str) -> str:
    try:
        text = raw.decode(check_encoding(encoding))
    except UnicodeDecodeError as error:
        line = 1 + raw.count(b"\n", 0, error.start)
        raise FileFormatError(
            str(path),
            expected=f"text in {encoding}",
            got=f"other bytes in line {line}",
            next_step=Next.NAME_CHARACTER_SET,
        ) from None
    return text.removeprefix("\ufeff")


def _is_mostly_utf8(raw: bytes) -> bool:
    """Whether of the characters beyond ASCII at least as many are UTF-8 as are not.

    Two bytes that are one such character by chance are rare in any other character set.
    """
    text = raw.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    good = sum(map(len, _BEYOND_ASCII.findall(text))) - broken
    return good >= max(1, broken)


def _is_cut(error: UnicodeDecodeError, raw: bytes) -> bool:
    """Whether the text is UTF-8 that ends inside a character.

    One byte that begins a character may be a letter of another set where no other one is UTF-8.
    """
    begun = error.end - error.start
    cut = error.reason == "unexpected end of data"
    return cut and (begun > 1 or _non_ascii(raw[: error.start]) > 0)


def _decode_mostly_utf8(raw: bytes) -> tuple[str, Remark | None]:
    """UTF-8 in which other bytes are Windows-1252; the end may be cut inside a character."""
    text = raw.decode("utf-8", errors="surrogateescape")
    if not _STRAY.search(text):
        return text, None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_cut(error, raw):
            return raw.decode("utf-8", errors="replace"), None
    lines = _lines(text, _STRAY)
    text = _STRAY.sub(lambda found: _WINDOWS[ord(found.group()) - 0xDC00], text)
    reason = f"the file is UTF-8, but not all of {_line_words(lines)}; read there as Windows-1252"
    return text, Remark(lines[0], reason)


def _decode_windows(raw: bytes) -> tuple[str, Remark | None]:
    """Windows-1252; a byte that it leaves open is the control character of its number."""
    try:
        return raw.decode("cp1252"), None
    except UnicodeDecodeError:
        text = raw.decode("latin-1").translate(_WINDOWS)
    lines = _lines(text, _OPEN)
    reason = (
        f"the character set is not known: not all bytes in {_line_words(lines)} are "
        "Windows-1252; letters with accents may be wrong"
    )
    return text, Remark(lines[0], reason)


def _lines(text: str, pattern: re.Pattern[str]) -> list[int]:
    """The numbers of the lines in which the pattern is found."""
    lines: list[int] = []
    line, counted = 1, 0
    for found in pattern.finditer(text):
        line += _line_ends(text, counted, found.start())
        counted = found.start()
        if not lines or lines[-1] != line:
            lines.append(line)
    return lines


def _line_ends(text: str, start: int, end: int) -> int:
    ends = text.count("\n", start, end)
    return ends + text.count("\r", start, end) - text.count("\r\n", start, end)


def _line_words(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    named = ", ".join(map(str, lines[:_LINES_NAMED_MAX]))
    more = len(lines) - _LINES_NAMED_MAX
    return f"lines {named}" + (f" and {more} more" if more > 0 else "")


def _decode_exactly(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _decode_as_declared(raw: bytes) -> str | None:
    """The text by the character set that the file names, if it is one and fits."""
    found = _DECLARED.search(raw[:_DECLARED_BYTES])
    if found is None:
        return None
    said = found.group(1) or found.group(2) or found.group(3)
    name = said.decode("ascii", errors="replace").lower()
    name = _BIBDESK_NAMES.get(name, name.removeprefix("x-"))
    try:
        if codecs.lookup(name).name == _LATIN_1:
            return _decode_windows(raw)[0]
        return raw.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return None


def _find_unmarked_utf16(raw: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of a beginning in Latin letters is NUL, or of the
    first word (``@book{``, ``TY  -``) and of a third of what comes after it."""
    sample = raw[:256]
    half = len(sample) // 2
    if half >= 2 and sample[1::2].count(0) * 10 >= half * 9 and sample[::2].count(0) == 0:
        return "utf-16-le"
    if half >= 2 and sample[::2].count(0) * 10 >= half * 9 and sample[1::2].count(0) == 0:
        return "utf-16-be"
    first = raw[:8]
    if half >= 4 and not any(first[1::2]) and all(first[::2]):
        return "utf-16-le" if sample[1::2].count(0) * 3 >= half else None
    if half >= 4 and not any(first[::2]) and all(first[1::2]):
        return "utf-16-be" if sample[::2].count(0) * 3 >= half else None
    return None


def _non_ascii(raw: bytes) -> int:
    """How many bytes are outside ASCII."""
    return len(raw) - len(raw.translate(None, bytes(range(128, 256))))


def _clean(text: str) -> str:
    """``\\n`` line ends; no NUL, which means nothing in a text; no DOS end-of-file mark, and none
    of files that were joined."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    if "\ufeff" in text:
        text = _JOINED.sub(r"\n", _INNER_MARK.sub("", text))
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
