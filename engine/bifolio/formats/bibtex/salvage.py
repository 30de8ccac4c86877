"""What a damaged BibTeX entry still says.

A value whose braces or quotes do not balance is cut at the next line that begins like a field; what
belongs to no field is kept as a comment line. Reads one region of a text and never past its end,
each character a bounded number of times. May not know what a field means.
"""

from __future__ import annotations

import re
from typing import Final

from bifolio import limits
from bifolio.formats.bibtex.values import COMMENT_TAG, value_end

Tags = list[tuple[str, str]]

_KEY: Final = re.compile(r"\s*([^\s,={}\"]*)\s*(?:,|(?=[\n})])|$)")
#: A key that holds braces: all up to the comma at the end of its line.
_ODD_KEY: Final = re.compile(r"[ \t]*([^\s,=]+),(?=[ \t]*\n)")
_FIELD_LINE: Final = re.compile(r"\n[ \t]*,?[ \t]*[^\W\d][\w.:+@/-]*[ \t]*=")
_FIELD: Final = re.compile(r"\s*,?\s*([^\s,={}\"#%]+)\s*=\s*")
#: A value that lacks no more than the comma behind it.
_WHOLE: Final = re.compile(r'\{(?:[^{}\\]|\\.|\{[^{}]*\})*+\}|"[^"{}]*"|[\w-]+', re.DOTALL)
_NO_COMMA: Final = "there is no comma after"
_COMMENT_LINE: Final = re.compile(r"\s*(%[^\n]*)")


def salvage(region: str, at: int) -> tuple[str, Tags, str, bool]:
    """(key, tags, what was wrong, whether that lost nothing) of an entry.

    Args:
        at: where its key begins in its region.
    """
    found = _KEY.match(region, at) or _ODD_KEY.match(region, at)
    key, at = (found.group(1), found.end()) if found else ("", at)
    tags, doubts = _fields(region, at)
    lossless = all(doubt.startswith(_NO_COMMA) for doubt in doubts)
    if lossless:
        return key, tags, doubts[0] if doubts else "", True
    return key, tags, "; ".join(one for one in doubts if not one.startswith(_NO_COMMA)), False


def _fields(region: str, at: int) -> tuple[Tags, list[str]]:
    """The fields from here on, and what was wrong with them."""
    tags: Tags = []
    doubts: list[str] = []
    next_field = 0
    while at < len(region):
        if len(tags) > limits.IMPORT_RECORD_VALUES_MAX:
            break  # enough for its reader to see that there are too many
        comment = _COMMENT_LINE.match(region, at)
        if comment is not None:
            tags.append((COMMENT_TAG, comment.group(1).rstrip()))
            at = comment.end()
            continue
        found = _FIELD.match(region, at)
        if found is None:
            end = region.find("\n", at)
            end = len(region) if end < 0 else end + 1
            stray = region[at:end].strip().strip(",").strip()
            if stray.strip("})"):
                tags.append((COMMENT_TAG, stray))
                doubts.append(f"'{stray[:40]}' belongs to no field")
            at = end
            continue
        if next_field < found.end():
            next_line = _FIELD_LINE.search(region, found.end())
            next_field = next_line.start() if next_line else len(region)
        raw, at, balanced = _value(region, found.end(), next_field)
        tags.append((found.group(1), raw))
        if not balanced and _WHOLE.fullmatch(raw) is not None:
            doubts.append(f"{_NO_COMMA} '{found.group(1)}'")
        elif not balanced:
            doubts.append(f"the braces or quotes of '{found.group(1)}' do not balance")
    return tags, doubts


def _goes_on(region: str, end: int, next_field: int) -> bool:
    """Whether the text of a value goes on behind the brace that closes it: up to the next line that
    begins like a field there are words, and a brace more that closes."""
    rest = region[end:next_field]
    if next_field == len(region) or rest[:1] != "}":
        return False
    return bool(rest.strip("}, \t\n)")) and rest.count("}") > rest.count("{") + 1


def _value(region: str, at: int, next_field: int) -> tuple[str, int, bool]:
    """(raw value, where to go on, whether it balanced) of the value that begins here."""
    end = value_end(region, at, next_field)
    if end is not None and not _goes_on(region, end, next_field):
        return region[at:end].strip(), end, True
    raw = region[at:next_field].strip()
    if next_field == len(region):
        raw = raw.removesuffix(")") if raw.endswith("\n)") else raw
        raw = raw[:-1].rstrip() if raw.endswith("\n}") else raw
    return raw.rstrip(",").rstrip(), next_field, False
