"""The character set of a text that names none and is not in UTF-8: the only user of ``cchardet``.

Few bytes of such a file are outside ASCII, so only their lines are looked at. The detector knows
sets together with languages; what it does not tell apart is told here: Mac Roman by letters where
letters are expected, the Asian sets of two high bytes by their alphabets, KOI8-U by its letters.
Another set of Latin letters than Windows-1252, which most such files are in, counts only where it
reads letters otherwise. May not know any format.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_HIGH: Final = re.compile(rb"[\x80-\xff]")
_WINDOWS: Final = "cp1252"
_MAC: Final = "mac-roman"

#: The set that is read for what the detector says: the larger one of the same letters.
_READ_AS: Final = {
    "iso-8859-1": _WINDOWS,
    "iso-8859-15": _WINDOWS,
    "windows-1252": _WINDOWS,
    "iso-8859-9": "cp1254",
    "iso-8859-13": "cp1257",
    "uhc": "cp949",
    "euc-kr": "cp949",
    "euc-jp": "euc_jis_2004",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "gb2312": "gb18030",
    "maccyrillic": "mac-cyrillic",
    "windows-1253": "cp1253",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
}
#: What programs of this field wrote; anything else that the detector says is a chance of few bytes.
_LATIN: Final = frozenset({_WINDOWS, "cp1250", "cp1254", "iso8859-2", "cp1257"})
_OTHERS: Final = frozenset(
    """
    cp1251 koi8-r koi8-u mac-cyrillic iso8859-5 cp866 cp855 cp1253 iso8859-7 cp1255 cp1256 cp874
    cp949 euc_jis_2004 cp932 big5hkscs gb18030
    """.split()
)
#: Those of one byte for each letter, whose words have hardly an ASCII letter.
_OF_OTHER_LETTERS: Final = frozenset(
    """
    cp1251 koi8-r koi8-u mac-cyrillic iso8859-5 cp866 cp855 cp1253 iso8859-7 cp1255 cp1256 cp874
    """.split()
)
#: Of Macs and of DOS; of two that fit alike that with more of the letters that are common.
_OLD_LATIN: Final = (_MAC, "cp850", "cp852")
_COMMON: Final = frozenset("éèêàçüöäßóíáñåøłęąśżőűřšž")
#: A word in other letters; and a letter beyond ASCII by itself inside of an ASCII word.
_OTHER_WORD: Final = re.compile(rb"[\x80-\xff]{3}")
_LONE_LETTER: Final = re.compile(rb"[A-Za-z][\x80-\xff]{1,2}(?=[A-Za-z])")
#: A set of two bytes for a character, of which neither is ASCII in three of them.
_WIDE: Final = frozenset({"cp949", "euc_jis_2004", "big5hkscs", "gb18030"})
_PAIR: Final = re.compile(rb"[\xa1-\xfe][\xa1-\xfe]")
#: So many characters without an ASCII byte are no Big5, of whose characters three in five have one.
_PAIRS_OF_NO_BIG5: Final = 4
#: A run of bytes beyond ASCII that is no run of such pairs; letters of one byte have some.
_ODD_RUN: Final = re.compile(rb"(?<![\x80-\xff])(?!(?:[\xa1-\xfe]{2})+(?![\x80-\xff]))[\x80-\xff]+")
_KANA: Final = re.compile(rb"[\xa4\xa5][\xa1-\xf6]")
_HANGUL: Final = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
#: The share of characters by which Japanese and Korean tell themselves.
_KANA_SHARE: Final = 0.1
_HANGUL_SHARE: Final = 0.9

#: Letters of Ukrainian, where KOI8-R draws boxes.
_UKRAINIAN: Final = re.compile(
    rb"[\xc0-\xff][\xa4\xa6\xa7\xad\xb4\xb6\xb7\xbd]"
    rb"|[\xa4\xa6\xa7\xad\xb4\xb6\xb7\xbd][\xc0-\xdf]"
)

#: Letters of UTF-8 in a text that is none as a whole: files of it and of Windows-1252, joined.
_UTF_8: Final = re.compile(rb"\xc3[\x80-\xbf](?![\x80-\xff])")
#: A high byte inside of a word, or at its beginning or end.
_IN_WORD: Final = re.compile(rb"([A-Za-z]?)([\x80-\xff])([A-Za-z]?)")
#: Fewer letters than these tell no set of Latin letters from another.
_LETTERS_MIN: Final = 2
#: How sure the detector is of another set of Latin letters, and where there are few letters.
_SURE: Final = 0.6
_SURE_OF_FEW: Final = 0.75
_FEW: Final = 6
#: What a Baltic text has, read as Windows-1252: its letters of Icelandic, which Icelandic has in
#: other words, and Lithuanian endings.
_BALTIC: Final = re.compile(rb"[\xd0\xde\xf0\xfe]|i\xf8(?![A-Za-z])|\xe8i[u\xfb]")
_ICELANDIC: Final = re.compile(rb"\xde[o\xf3]r|\xf0(?:ur|ir|ar|as|ss|sd|r\xfan|mun)|\xed\xf0")
#: What Portuguese and French have and no text of Central Europe does.
_WESTERN: Final = re.compile(rb"\xf5es(?![a-z])|\xe3o(?![a-z])|[a-z]\xe8res?(?![a-z])")
_CENTRAL: Final = frozenset({"cp1250", "iso8859-2"})
#: Bytes that Windows-1252 leaves open.
_OPEN: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Signs that touch a word, and where.
_IN_WORDS: Final = frozenset("\u2019\u2018\u2013\u2014\xa0\xad")
_NO_LETTERS: Final = frozenset("ªºˆ")
_BEFORE_WORDS: Final = frozenset("\u201c\u2018\u201e\u201a«‹¿¡\u2013\u2014©§†‡•")
_BEHIND_WORDS: Final = frozenset("\u201d\u2019\u201c\u2018»›…™®\u2013\u2014°ºª†‡")
#: Two characters in a row, as every text in characters has them somewhere.
_TWO: Final = re.compile(r"[^\x00-\x7f]{2}")
#: Where Windows-1252 has a dash or an apostrophe next to a part of a word that is none: Mac Roman
#: has a letter of Spanish there (``Espa\xf1a``, ``L\xf3pez``, ``Garc\xeda``).
_SPANISH: Final = re.compile(
    rb"(?<![A-Za-z\x80-\xff])(?!(?:i[fnst]|or|a[nst]?|so|no|o[fn]|by|to|we|he|be)\x97)"
    rb"[A-Za-z]{1,2}([\x96\x97])[a-z]{2}"
    rb"|[A-Za-z]{2}([\x96\x97])(?!(?<=\x97)(?:i[fnst]|or|a[nst]?|so|no|o[fn]|by|to|we|he|be)\b)"
    rb"[a-z]{1,2}(?![A-Za-z\x80-\xff])"
    rb"|(?<!qu)(?<=[a-z]{2})(\x92)(?!(?:s|t|d|m|re|ve|ll|em|am)(?![a-z]))[a-z]"
)
#: Where one byte alone is a letter or a dash of Mac Roman: by Windows-1252 these are words with a
#: dash, an apostrophe or another sign inside, or letters between figures and blanks.
_MAC_WORDS: Final = re.compile(
    rb"(?<=[\d ])[\xd0\xd1](?=[\d ])|[a-z]\xd5s(?![a-z])|\xd2[A-Za-z][^\xd2\xd3\n]{0,80}\xd3"
    rb"|(?<=[b-df-hj-km-np-qs-tv-xzBCDFGHJKMNPQSTVWXZ])\x9a(?=[b-df-hj-np-tv-z])"  # Kšnig
    rb"|[A-Za-z][a-z]\x96(?:os?|[eo]z|ol(?:a|as|es)?)(?![A-Za-z\x80-\xff])"  # Mu–oz
    rb"|(?:[Ee]spa|Pe|[Nn]i|[Ss]e|ense)\x96(?:as?|or[ae]?s?|anza)(?![A-Za-z\x80-\xff])"
    rb"|[cs]i\x97n(?:es)?(?![a-z])|(?:L\x97p|G\x97m)ez"  # determinaci—n
    rb"|[a-z]{2}\x92(?:as?|[nr]ez|guez|genas?)(?![A-Za-z\x80-\xff])|(?<![a-z])D\x92az(?![a-z])"
    rb"|(?<![A-Za-z])\x86ber|(?<![A-Za-z])\x85(?:sterr|ffn|kono|kolo)"  # †ber
    rb"|(?:seg|alg|com)\x9cn(?![a-z])|(?<!n)[ao]\x91l(?![a-z])"
)
#: So many of the bytes beyond ASCII are in such words, at least, where a text is of Mac Roman.
_MAC_SHARE: Final = 0.1
_QUOTES: Final = re.compile(rb"[\x93\x94]")
#: Each of these signs by itself may be one; two kinds of them, among few bytes, are letters.
_SPANISH_KINDS: Final = 2
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
    "cp850": "code page 850 (DOS, Western European)",
    "cp852": "code page 852 (DOS, Central European)",
    "cp855": "code page 855 (DOS, Cyrillic)",
    "cp866": "code page 866 (DOS, Cyrillic)",
    "mac-cyrillic": "Mac Cyrillic",
    "euc_kr": "EUC-KR (Korean)",
    "cp874": "Windows-874 (Thai)",
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
    lines = lines.translate(None, b"{}")  # BibTeX's braces may be inside of words
    return next((one for one in _candidates(lines) if _decodes(raw, one)), "")


def _candidates(lines: bytes) -> list[str]:
    """The likely sets, the likeliest first; none where few letters and a byte that is not one of
    Windows-1252's tell nothing."""
    found, sure = _detect(lines)
    if found in _OTHERS and not _is_latin(lines, found):
        return [found, _WINDOWS]
    high = len(_HIGH.findall(lines))
    if not _ODD_RUN.search(lines) and high >= 2 * _PAIRS_OF_NO_BIG5:
        return [_tell_wide(lines, found), _WINDOWS]
    if _UTF_8.search(lines):
        return [_WINDOWS]
    if len(_MAC_WORDS.findall(lines)) > high * _MAC_SHARE or (high < _FEW and _is_spanish(lines)):
        return [_MAC, _WINDOWS]
    if old := _old_set(lines, found):
        return [old, _WINDOWS]
    if high < _FEW and _OPEN.search(lines):
        return []
    least = _SURE if high >= _FEW else _SURE_OF_FEW
    if found in _LATIN and sure >= least and _says_otherwise(lines, found):
        return [found, _WINDOWS]
    return [_WINDOWS]


def _detect(lines: bytes) -> tuple[str, float]:
    """(the set that the detector finds, by the name that it is read by; how sure it is)."""
    import cchardet

    result = cchardet.detect(lines)
    said = (result["encoding"] or "").lower()
    try:
        found = _READ_AS.get(said) or codecs.lookup(said).name
    except LookupError:  # a set that Python does not read
        return "", 0.0
    if found in _WIDE:
        found = _tell_wide(lines, found)
    elif found == "koi8-r" and _UKRAINIAN.search(lines):
        found = "koi8-u"
    return found, result["confidence"] or 0.0


def _tell_wide(lines: bytes, found: str) -> str:
    """Which of the sets of two high bytes for a character: few bytes mislead the detector."""
    pairs = sum(len(run) // 2 for run in re.findall(rb"(?:[\xa1-\xfe]{2})+", lines))
    rest = len(re.sub(rb"(?:[\xa1-\xfe]{2})+|[\x00-\x7f]+", b"", lines))
    if rest or pairs < _PAIRS_OF_NO_BIG5:
        return found
    whole = [
        pair for run in re.findall(rb"(?:[\xa1-\xfe]{2})+", lines) for pair in _PAIR.findall(run)
    ]
    kana = sum(1 for pair in whole if _KANA.fullmatch(pair))
    hangul = sum(1 for pair in whole if _HANGUL.fullmatch(pair))
    if kana >= pairs * _KANA_SHARE:
        return "euc_jis_2004"
    return "cp949" if hangul >= pairs * _HANGUL_SHARE else "gb18030"


def _is_latin(lines: bytes, found: str) -> bool:
    """Whether a text that the detector takes for other letters has its high bytes inside of words
    of ASCII letters, and no word without one; or no two characters in a row."""
    if found not in _OF_OTHER_LETTERS:
        return _TWO.search(lines.decode(found, errors="replace")) is None
    return _OTHER_WORD.search(lines) is None and _LONE_LETTER.search(lines) is not None


def _old_set(lines: bytes, found: str) -> str:
    """The set of Macs or of DOS by which the letters beyond ASCII are letters where letters are
    expected, and by Windows-1252 and what the detector found are signs, or capitals inside of
    words; empty for none."""
    others = {_WINDOWS, *({found} & _LATIN)}
    best = max(_OLD_LATIN, key=lambda name: (_fitness(lines, name), _common(lines, name)))
    least = max(best != _MAC, *(_fitness(lines, other) for other in others))
    return best if _fitness(lines, best) > least else ""


def _is_spanish(lines: bytes) -> bool:
    """Whether signs of Windows-1252 are where only letters of Mac Roman make words."""
    kinds = {sign for signs in _SPANISH.findall(lines) for sign in signs if sign}
    return len(kinds) >= _SPANISH_KINDS and _QUOTES.search(lines) is None


def _common(lines: bytes, name: str) -> int:
    return sum(1 for one in lines.decode(name, errors="replace") if one in _COMMON)


def _fitness(lines: bytes, name: str) -> int:
    """How many bytes beyond ASCII that touch a letter are letters that fit there, less those that
    do not."""
    fits = 0
    for before, byte, after in _IN_WORD.findall(lines):
        if not before and not after:
            continue
        one = byte.decode(name, errors="replace")
        if not one.isalpha() or one in _NO_LETTERS:
            fits += _fits_as_sign(one, inside=bool(before and after), after_word=bool(before))
        else:
            capital = one.isupper() and (before.islower() or (before.isalpha() and after.islower()))
            small = not before and after.isupper() and one.islower()
            fits += -1 if capital or small else 1
    return fits


def _fits_as_sign(one: str, *, inside: bool, after_word: bool) -> int:
    """1 for a sign where it is expected, inside of a word or at one of its ends; -1 for any other
    inside of one."""
    if inside:
        return 1 if one in _IN_WORDS else -1
    return int(one in (_BEHIND_WORDS if after_word else _BEFORE_WORDS))


def _says_otherwise(lines: bytes, name: str) -> bool:
    """Whether a set gives letters, and others than Windows-1252 does, and they are likelier."""
    if name == "cp1257" and (not _BALTIC.search(lines) or _ICELANDIC.search(lines)):
        return False
    if name in _CENTRAL and _WESTERN.search(lines):
        return False
    read = lines.decode(name, errors="replace")
    letters = sum(1 for one in read if one > "\x7f" and one.isalpha())
    western = lines.decode(_WINDOWS, errors="replace")
    if letters < _LETTERS_MIN or read == western:
        return False
    has_letters = any(one > "\x7f" and one.isalpha() for one in western)
    return has_letters or _fitness(lines, name) > _fitness(lines, _WINDOWS)


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
