"""Texts as a search compares them: words without case, accents and markup.

``fold`` gives a text whose words are the runs of ASCII letters, digits and non-ASCII characters;
everything between two words is ASCII. So the index splits it at exactly the same places as
``words`` does, whatever version of Unicode the database knows.

A script without spaces between words (Chinese, Japanese, Thai...) becomes one word for each
character, and what is searched in it a run of such words: any part of it is found. Korean is
treated likewise, because its compounds are written in one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from bifolio.lazy import pattern

#: Accents, vowel points of Hebrew and Arabic: what writers leave out. The signs of Indian scripts
#: are no accents and stay.
_ACCENTS = pattern(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065f\u0670\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)

#: Letters that Unicode does not take apart, and how people write them without the key for it.
_SPELLED = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ı": "i"}
)

#: Thai, Lao, Tibetan's neighbours Myanmar and Khmer, kana, Han, Hangul.
_WITHOUT_SPACES = pattern(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)

_FOREIGN_RUN = pattern(r"[^\x00-\x7f]+")
_WORD = pattern(r"[a-z0-9\x80-\U0010ffff]+")

#: Markup of titles and notes; any other angle bracket is a sign of its own (``p < 0.05``).
_INLINE_MARKUP = pattern(
    r"</?(?:i|b|u|em|strong|sub|sup|sc|scp|span|jats:(?:italic|bold|sub|sup|sc))(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_BLOCK_MARKUP = pattern(r"</?(?:p|br|div|li|ul|ol|h[1-6]|jats:\w+)(?:\s[^<>]*)?/?>", re.IGNORECASE)

#: Where the punctuation of a value goes that is one word: into Unicode's private area.
_KEPT_PUNCTUATION = {chr(code): chr(0xE100 + code) for code in range(128)}
#: That punctuation, and what is private or half a character itself.
_NO_WORD = pattern("[\x00-/:-@\\[-`{-\x7f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]")
#: A longer value is cut, with a hash of the whole: no index needs more of a word.
_VALUE_CHARACTERS_MAX = 200


def fold(text: str) -> str:
    """The text as it is given to the index: words in lower case, and what is between."""
    if "<" in text:
        text = _BLOCK_MARKUP.sub(" ", _INLINE_MARKUP.sub("", text))
    if text.isascii():
        return text.lower()
    return _FOREIGN_RUN.sub(lambda run: run.group().translate(_CHARACTERS), bare(text))


def words(text: str) -> list[str]:
    """The words of a text, folded, in their order."""
    return _WORD.findall(fold(text))


def bare(text: str) -> str:
    """The text without case and accents, its punctuation as it is."""
    if text.isascii():
        return text.lower()
    decomposed = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", decomposed.casefold().translate(_SPELLED))


def one_word(text: str) -> str:
    """A whole value (a tag, a key, a DOI) as one word of the index, case and accents aside."""
    value = " ".join(bare(text).split())
    if not (value.isascii() and value.isalnum()):
        value = _NO_WORD.sub(lambda found: _KEPT_PUNCTUATION.get(found.group(), "\ufffd"), value)
    if len(value) > _VALUE_CHARACTERS_MAX:
        hashed = hashlib.blake2b(value.encode(errors="replace"), digest_size=16).hexdigest()
        value = value[:_VALUE_CHARACTERS_MAX] + hashed
    return value


def is_run_of_characters(word: str) -> bool:
    """Whether a word is one character of a script without spaces."""
    return bool(_WITHOUT_SPACES.match(word))


class _Characters(dict[int, str]):
    """What becomes of a character that is not ASCII; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if _WITHOUT_SPACES.match(character) and category[0] in "LNM":
            given = f" {character} "
        elif category == "Cf":  # soft hyphens, joiners
            given = ""
        elif category[0] in "LNM" or category == "Cn":
            given = character
        else:
            given = " "
        self[code] = given
        return given


_CHARACTERS = _Characters()
