"""Long texts (abstract, note, annotation), merged by character.

A text lives under ``field␟slot␟n``, a key never written twice, and is edited by minimal
differences. The register ``field␟slot`` names the current text and every text that it
replaces, each with the hash of what was seen of it: a replaced text that someone edited unseen
is a conflict instead of being lost. Register values are canonical JSON text, because the order
of a map inside pycrdt is random and imports must be the same bytes everywhere.

Who edited a text is noted in a register of that text, ``modified␟field␟slot␟n``, which no edit of
another text touches.
"""

from __future__ import annotations

import hashlib
import unicodedata
from typing import TYPE_CHECKING

from msgspec import Struct

from bifolio import lazy, limits
from bifolio.document.entries import Entries, Live, join
from bifolio.document.plan import Plan, TextEdit
from bifolio.ids import SEPARATOR
from bifolio.lazy import pattern
from bifolio.records.canonical import canonical_json, stored_json

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy.module("difflib")

#: The register that says "this slot changed the record without a register of its own". Records of
#: earlier versions have the name of the text there that was edited last.
MODIFIED = "modified"

_WORDS = pattern(r"\w+\s*|[^\w\s]\s*|\s+")
#: From the CJK radicals on, scripts do not put spaces between words.
_WITHOUT_SPACES = "\u2e80"
_LINES = pattern(r"[^\n]*\n|[^\n]+")


class TextValue(Struct, frozen=True):
    """One value of a text field: the text's name (None when cleared), content, who and when."""

    text: str | None
    content: str | None
    stamp: str
    slot: str


def values(entries: Entries, field: str) -> list[TextValue]:
    """Every current value of a text field; the first is shown, the others are a conflict."""
    registers = [(live, *_parse(live.value)) for live in entries.live(field)]
    found: list[TextValue] = []
    named: set[str | None] = set()
    contents: set[str | None] = set()
    for live, text, _ in registers:
        content = entries.texts.get(join(field, text)) if text else None
        if text not in named and content not in contents:
            found.append(TextValue(text, content, live.stamp, live.slot))
        named.add(text)
        contents.add(content)
    for _, _, seen in registers:
        for text, digest in sorted(seen.items()):
            content = entries.texts.get(join(field, text))
            if text in named or content is None or hash_of(content) == digest:
                continue
            named.add(text)
            if content not in contents:
                contents.add(content)
                found.append(_unseen_edit(entries, field, text, content))
    return found


def content(entries: Entries, field: str) -> str | None:
    """The text that is shown; None where there is none or it was cleared."""
    standing = values(entries, field)
    return standing[0].content if standing else None


def plan_set(plan: Plan, entries: Entries, field: str, wanted: str | None) -> None:
    """Plan the text to read as wanted: an edit where enough remains, otherwise a replacement."""
    standing = values(entries, field)
    if not standing:
        if wanted is not None:
            plan_replace(plan, entries, field, wanted)
        return
    current = standing[0]
    if current.content == wanted:
        return
    if current.content and current.text and wanted is not None:
        edits = differences(current.content, wanted)
        kept = len(current.content) - sum(edit.removed for edit in edits)
        if 2 * kept >= len(current.content):
            plan.edit_text(join(field, current.text), edits)
            _mark_edited(plan, entries, join(field, current.text))
            return
    plan_replace(plan, entries, field, wanted)


def plan_append(plan: Plan, entries: Entries, field: str, paragraph: str) -> None:
    """Plan a further paragraph at the end."""
    current = content(entries, field)
    plan_set(plan, entries, field, f"{current}\n\n{paragraph}" if current else paragraph)


def plan_replace(plan: Plan, entries: Entries, field: str, wanted: str | None) -> None:
    """Plan a new text (or none) that names every text seen with the hash of what was seen."""
    lives = entries.live(field)
    seen: dict[str, str] = {}
    for live in lives:
        seen |= _parse(live.value)[1]
    start = field + SEPARATOR
    for key, text in entries.texts.items():
        if key.startswith(start):
            seen[key[len(start) :]] = hash_of(text)
    name = plan.new_text(entries, field, wanted) if wanted is not None else None
    plan.put(field, canonical_json({"text": name, "seen": seen}), seen=lives)


def mark_modified(plan: Plan, entries: Entries) -> None:
    """Plan the mark of a pure removal, so that stamps alone tell who edited."""
    # What an earlier version noted of a text stays: it says who edited that.
    plan.put(MODIFIED, "", seen=[live for live in entries.live(MODIFIED) if not live.value])


def edit_marks(entries: Entries, field: str) -> list[tuple[str, Live]]:
    """The marks of the edits of a field's texts, newest first, each with the text's name."""
    start = join(MODIFIED, field, "")
    found = [
        (register[len(start) :], live)
        for register in entries.under(join(MODIFIED, field))
        for live in entries.live(register)
    ]
    start = join(field, "")
    found += [
        (live.value[len(start) :], live)
        for live in entries.live(MODIFIED)
        if live.value is not None and live.value.startswith(start)
    ]
    return sorted(found, key=lambda one: one[1].rank, reverse=True)


def _mark_edited(plan: Plan, entries: Entries, key: str) -> None:
    """Plan the mark of an edit of one text, in the place of the marks of it that are seen."""
    register = join(MODIFIED, key)
    plan.put(register, "", seen=entries.live(register))
    plan.remove(MODIFIED, [live for live in entries.live(MODIFIED) if live.value == key])


def hash_of(text: str) -> str:
    """BLAKE2b-256 of the UTF-8 text, in hex."""
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def differences(old: str, new: str) -> list[TextEdit]:
    """The edits that make ``new`` of ``old``: by words, or by lines where the middle is long."""
    start = _common_prefix(old, new)
    end = _common_prefix(old[start:][::-1], new[start:][::-1])
    start, end = _whole_words(old, new, start, end)
    old_middle = old[start : len(old) - end]
    new_middle = new[start : len(new) - end]
    if not old_middle or not new_middle:
        return [TextEdit(start, len(old_middle), new_middle)] if old_middle or new_middle else []
    long = max(len(old_middle), len(new_middle)) > limits.DIFF_WORDS_CHARACTERS_MAX
    pieces = _LINES if long else _WORDS
    old_pieces, new_pieces = pieces.findall(old_middle), pieces.findall(new_middle)
    edits: list[TextEdit] = []
    offsets = [start]
    for piece in old_pieces:
        offsets.append(offsets[-1] + len(piece))
    matcher = difflib.SequenceMatcher(None, old_pieces, new_pieces, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag != "equal":
            removed = offsets[old_to] - offsets[old_from]
            edits.append(TextEdit(offsets[old_from], removed, "".join(new_pieces[new_from:new_to])))
    return edits


def _whole_words(old: str, new: str, start: int, end: int) -> tuple[int, int]:
    """The common beginning and end without a word that goes on into what differs.

    A word put before "west" may begin with a "w": cut into that word, it would lose its own "w"
    to somebody who deletes "west" at the same time.
    """
    if any(map(_in_word, (old[start : start + 1], new[start : start + 1]))):
        start -= _word_length(old[max(0, start - limits.WORD_CHARACTERS_MAX) : start][::-1])
    old_end, new_end = len(old) - end, len(new) - end
    if any(map(_in_word, (old[old_end - 1 : old_end], new[new_end - 1 : new_end]))):
        end -= _word_length(old[old_end : old_end + limits.WORD_CHARACTERS_MAX])
    return start, end


def _word_length(text: str) -> int:
    """How many of the first characters are of one word; 0 where it is longer than a word is."""
    length = next((at for at, one in enumerate(text) if not _in_word(one)), len(text))
    return length if length < limits.WORD_CHARACTERS_MAX else 0


def _in_word(character: str) -> bool:
    """Whether a character makes one word with its neighbours; scripts without spaces have none."""
    if not character or character >= _WITHOUT_SPACES:
        return False
    return character.isalnum() or unicodedata.combining(character) != 0


def _common_prefix(one: str, other: str) -> int:
    """The length of the common beginning, found by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _unseen_edit(entries: Entries, field: str, text: str, content: str) -> TextValue:
    """A replaced text that was edited unseen: by whoever marked it, otherwise by its author."""
    for marked, mark in edit_marks(entries, field):
        if marked == text:
            return TextValue(text, content, mark.stamp, mark.slot)
    return TextValue(text, content, "0" * 18, text.split(SEPARATOR)[0])


def _parse(value: str | None) -> tuple[str | None, dict[str, str]]:
    """The text that a register names, and what it had seen."""
    stored = stored_json(value)
    if not isinstance(stored, dict):
        return None, {}
    text, seen = stored.get("text"), stored.get("seen")
    return (
        text if isinstance(text, str) else None,
        {k: v for k, v in seen.items() if isinstance(v, str)} if isinstance(seen, dict) else {},
    )
