"""The character set of a text that names none and is not in UTF-8: the only user of ``chardet``.

Few bytes of such a file are outside ASCII, so only their lines are looked at, and only the sets
that programs of this field wrote are considered: those of other scripts where most of the bytes
come in runs, those of Latin letters where they are single. Windows-1252 is what most such files are
in: another set of Latin letters has to fit clearly better. May not know any format.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_HIGH: Final = re.compile(rb"[\x80-\xff]")
_RUN: Final = re.compile(rb"[\x80-\xff]+")
#: Characters of two bytes of which the second may be ASCII: Shift JIS and Big5.
_PAIRS: Final = re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe]){4,}")

_LATIN: Final = ("cp1252", "cp1250", "mac-roman", "cp1254", "iso8859-2", "cp1257")
_OTHERS: Final = (
    "cp1251 koi8-r koi8-u mac-cyrillic iso8859-5 cp1253 iso8859-7 cp1255 cp1256 euc_kr cp949 "
    "euc_jis_2004 shift_jis_2004 cp932 big5hkscs gb18030"
).split()
_WINDOWS: Final = "Windows-1252"

#: Of the bytes outside ASCII so many are in runs where the text is in another script.
_RUN_SHARE: Final = 0.6
_PAIR_SHARE: Final = 0.8
#: How much better another set of Latin letters has to fit; and where there are few of them.
_MARGIN: Final = 1.15
_MARGIN_OF_FEW: Final = 1.5
_FEW: Final = 6
#: Letters of UTF-8 in a text that is none as a whole: files of it and of Windows-1252, joined.
_UTF_8: Final = re.compile(rb"\xc3[\x80-\xbf](?![\x80-\xff])")
#: Bytes that Windows-1252 leaves open.
_OPEN: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Fewer letters than these tell no set of Latin letters from another.
_LETTERS_MIN: Final = 2
#: So much of a text is looked at.
_BYTES_MAX: Final = 200_000

#: What people call a set, by Python's name of it.
_SHOWN: Final = {
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1252": "Windows-1252 (Western European)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "iso8859-2": "ISO 8859-2 (Central European)",
    "iso8859-5": "ISO 8859-5 (Cyrillic)",
    "iso8859-7": "ISO 8859-7 (Greek)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "koi8-u": "KOI8-U (Cyrillic)",
    "mac-roman": "Mac Roman",
    "mac-cyrillic": "Mac Cyrillic",
    "euc_kr": "EUC-KR (Korean)",
    "cp949": "CP949 (Korean)",
    "euc_jis_2004": "EUC-JP (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "shift_jis_2004": "Shift JIS (Japanese)",
    "shift_jis": "Shift JIS (Japanese)",
    "cp932": "Shift JIS (Japanese)",
    "big5hkscs": "Big5 (Chinese)",
    "big5": "Big5 (Chinese)",
    "gb18030": "GB 18030 (Chinese)",
}
#: By any of Python's names of a set.
_NAMES: Final = {codecs.lookup(name).name: shown for name, shown in _SHOWN.items()}


def shown_set(encoding: str) -> str:
    """What people call a character set."""
    return _NAMES.get(codecs.lookup(encoding).name, encoding)


def guess(raw: bytes) -> str:
    """The set that a text is most likely in, by a name that decodes all of it; empty where none
    of those that are considered does."""
    lines = b"\n".join(line for line in raw.splitlines() if _HIGH.search(line))[:_BYTES_MAX]
    high = len(_HIGH.findall(lines))
    in_runs = sum(len(run) for run in _RUN.findall(lines) if len(run) > 2)
    in_pairs = sum(len(_HIGH.findall(pairs)) for pairs in _PAIRS.findall(lines))
    other = in_runs >= _RUN_SHARE * high or in_pairs >= _PAIR_SHARE * high
    found = _candidates(lines, _OTHERS) if other else _latin(lines)
    return next((one for one in found if _decodes(raw, one)), "")


def _latin(lines: bytes) -> list[str]:
    """Windows-1252 first, unless another set fits clearly better; none where it has few letters to
    tell by and a byte that is none of its own."""
    import chardet

    high = len(_HIGH.findall(lines))
    if _UTF_8.search(lines) or (high < _FEW and _OPEN.search(lines)):
        return [_WINDOWS]

    results = chardet.detect_all(lines, include_encodings=_LATIN, ignore_threshold=True)
    fits = {str(one["encoding"]): float(one["confidence"]) for one in results if one["encoding"]}
    least = fits.get(_WINDOWS, 0.0) * (_MARGIN if high >= _FEW else _MARGIN_OF_FEW)
    found = [
        name
        for name, fit in fits.items()
        if name == _WINDOWS or (fit >= least and _says_otherwise(lines, name))
    ]
    return sorted(found, key=lambda name: name == _WINDOWS)


def _says_otherwise(lines: bytes, name: str) -> bool:
    """Whether a set gives letters, and others than Windows-1252 does."""
    read = lines.decode(name, errors="replace")
    letters = sum(1 for one in read if one > "\x7f" and one.isalpha())
    return letters >= _LETTERS_MIN and read != lines.decode("cp1252", errors="replace")


def _candidates(lines: bytes, names: list[str]) -> list[str]:
    import chardet

    results = chardet.detect_all(lines, include_encodings=names, ignore_threshold=True)
    return [str(one["encoding"]) for one in results if one["encoding"]]


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
