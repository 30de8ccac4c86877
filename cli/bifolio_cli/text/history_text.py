"""How the past reads to a person: events, the log, what was undone and what was not.

Pure. Long texts are shortened to what changed in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bifolio import lazy
from bifolio.lazy import pattern
from bifolio.records.notes import read_part
from bifolio.results import Action, ActionKind, KeptReason, LogEntry, Subject
from bifolio_cli.text.reference_text import count, value_text

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy.module("difflib")

#: A text longer than this is shown by what changed in it alone.
_WHOLE_CHARACTERS_MAX = 60

#: Characters that stay around a place that changed, and of one removed or added piece.
_CONTEXT_CHARACTERS = 20
_PIECE_CHARACTERS_MAX = 200

#: Beyond this many characters a text is compared by lines: by words it would take seconds.
_WORDS_CHARACTERS_MAX = 20_000

#: Fields that one line of the log names.
_FIELDS_NAMED_MAX = 3

_ACTIONS = {
    ActionKind.ADDED: "added",
    ActionKind.IMPORTED: "imported",
    ActionKind.UPDATED: "updated",
    ActionKind.EDITED: "edited",
    ActionKind.CHANGED: "changed",
    ActionKind.DELETED: "deleted",
    ActionKind.RESTORED: "restored",
    ActionKind.REVIVED: "restored, by an edit,",
    ActionKind.PURGED: "removed, with the trash,",
    ActionKind.UNPURGED: "put back into the trash",
    ActionKind.CREATED: "created",
    ActionKind.RENAMED: "renamed",
    ActionKind.MOVED: "moved",
}

_WHOLE_ACTIONS = {
    ActionKind.NAMED_LIBRARY: "named the library {name}",
    ActionKind.JOINED: "brought {references} along when it joined",
    ActionKind.FIRST_CHANGE: "made its first change",
    ActionKind.CHANGED_SETTINGS: "changed the settings of the library",
    ActionKind.DEVICE_CHANGES: "{changes} of {name}",
    ActionKind.TEXT: "{text}",
}

_UNDOING = {ActionKind.UNDID: "undid", ActionKind.REDID: "redid"}

#: Why an undo left something as it is.
KEPT_REASONS = {
    KeptReason.EDITED_SINCE: "edited since",
    KeptReason.IN_CONFLICT: "it has several values",
    KeptReason.IN_TRASH: "in the trash",
    KeptReason.OTHER_VALUE_WAS_SHOWN: "another value, written at the same time, was shown before",
    KeptReason.DELETED_BY_OTHERS_TOO: "another computer deleted it too",
    KeptReason.UNKNOWN_BEFORE: "what was there before is not known on this computer",
}

_WORDS = pattern(r"\w+|\W")
_LINES = pattern(r"[^\n]*\n|[^\n]+")


def local_time(at: str | None) -> str:
    """A moment as this computer's clock showed it, to the second."""
    if at is None:
        return ""
    try:
        return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return at


def event_lines(events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A reference's history: who and when once for each change, then a line for each field."""
    told = None
    for event in events:
        if event["what"] == "begins":
            yield "What was there before is not known on this computer: its history begins here."
            continue
        heading = (event["change"], event["by"], event["at"])
        if heading != told:
            told = heading
            source = f" from {event['source']}" if event["source"] else ""
            yield f"{local_time(event['at'])}  {event['by']}{source}  [{event['change'][:12]}]"
        yield f"  {_event_text(event)}"


def _event_text(event: Mapping[str, Any]) -> str:
    whole = {
        "deleted": "moved to the trash",
        "purged": "removed from the library when the trash was emptied",
        "unpurged": "in the trash again",
        "restored": "restored from the trash",
        "revived": "restored by an edit that was made without knowing of the deletion",
    }
    if event["field"] is None:
        if event["what"] == "deleted" and not event["shown"]:
            return "deleted without knowing of an edit, so it stays"
        return whole.get(str(event["what"]), str(event["what"]))
    lost = "" if event["shown"] else "   (written at the same time as the one shown)"
    return f"{event['field']}: {difference_text(event['before'], event['after'])}{lost}"


def log_line(entry: LogEntry) -> str:
    """One command or change of the log."""
    undone = "   (undone)" if entry.undone else ""
    when = local_time(entry.at)
    return f"{entry.id[:12]}  {when}  {entry.by}  {_line(actions_text(entry.what))}{undone}"


def actions_text(actions: Sequence[Action]) -> str:
    """What was done, on one line."""
    return "; ".join(map(_action_text, actions))


def _action_text(action: Action) -> str:
    if action.kind in _WHOLE_ACTIONS:
        return _WHOLE_ACTIONS[action.kind].format(
            name=action.name,
            text=action.text,
            changes=count(action.count, "change"),
            references=count(action.count, "reference"),
        )
    if action.kind in _UNDOING:
        return f"{_UNDOING[action.kind]}: {actions_text(action.actions)}"
    named = _named_subject(action)
    if action.kind is ActionKind.RENAMED and action.new_name:
        named = f"{named} to {action.new_name}"
    source = f" from {action.source}" if action.source else ""
    if action.files:
        source = f" from {'a file' if action.files == 1 else count(action.files, 'file')}"
    return f"{_ACTIONS[action.kind]} {_list_fields(action.fields)}{named}{source}"


def _named_subject(action: Action) -> str:
    """The one that it is about by name, otherwise how many."""
    if action.count == 1 and action.name:
        return f"the group {action.name}" if action.subject is Subject.GROUP else action.name
    return count(action.count, str(action.subject))


def _list_fields(fields: Sequence[str]) -> str:
    """``title and note of``, ``title, note, tags and 2 more of``; nothing where there are none."""
    if not fields:
        return ""
    fields = list(dict.fromkeys(map(_field_name, fields)))
    named = fields[:_FIELDS_NAMED_MAX]
    if len(fields) > _FIELDS_NAMED_MAX:
        named.append(f"{len(fields) - _FIELDS_NAMED_MAX} more")
    *most, last = named
    return f"{', '.join(most)} and {last} of " if most else f"{last} of "


def _field_name(field: str) -> str:
    """What a field is called among others: any part of any note is the note."""
    part = read_part(field)
    return field if part is None else part.kind


def difference_text(before: object, after: object) -> str:
    """One value and the next: what was added and removed where they are long or lists."""
    if isinstance(before, list | None) and isinstance(after, list | None):
        return _list_difference(before or [], after or [])
    if isinstance(before, str) and isinstance(after, str):
        if max(len(before), len(after)) > _WHOLE_CHARACTERS_MAX:
            return _text_difference(before, after)
        return f"{_line(before)} -> {_line(after)}"
    if before is None:
        return _line(value_text(after))
    if after is None:
        return f"{_line(value_text(before))} -> (none)"
    return f"{_line(value_text(before))} -> {_line(value_text(after))}"


def _list_difference(before: list[object], after: list[object]) -> str:
    old, new = [_element_text(one) for one in before], [_element_text(one) for one in after]
    added = [f"+{one}" for one in new if new.count(one) > old.count(one)]
    removed = [f"-{one}" for one in old if old.count(one) > new.count(one)]
    if added or removed:
        return _line("; ".join(dict.fromkeys([*removed, *added])))
    return _line(f"in the order {'; '.join(new)}")


def _element_text(element: object) -> str:
    """A name, a tag, a group; a file by its name."""
    if isinstance(element, Mapping) and "hash" in element:
        return str(element["name"])
    return value_text(element)


def _text_difference(before: str, after: str) -> str:
    """The places that changed, with a little around each."""
    pieces = _WORDS if max(len(before), len(after)) <= _WORDS_CHARACTERS_MAX else _LINES
    old, new = pieces.findall(before), pieces.findall(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    parts: list[str] = []
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            parts.append(_context("".join(old[old_from:old_to])))
            continue
        removed, added = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        parts.append(f"[-{_short(removed)}-]" if removed else "")
        parts.append(f"[+{_short(added)}+]" if added else "")
    return _line("".join(parts))


def _context(same: str) -> str:
    if len(same) <= 2 * _CONTEXT_CHARACTERS + 3:
        return same
    return f"{same[:_CONTEXT_CHARACTERS]}...{same[-_CONTEXT_CHARACTERS:]}"


def _short(piece: str) -> str:
    """The beginning of a piece."""
    short = len(piece) <= _PIECE_CHARACTERS_MAX
    return piece if short else f"{piece[:_PIECE_CHARACTERS_MAX]}..."


def _line(text: str) -> str:
    """A text on one line, shortened."""
    return _shortened(" ".join(text.split()))


def _shortened(text: str) -> str:
    limit = 5 * _PIECE_CHARACTERS_MAX
    return text if len(text) <= limit else f"{text[:limit]}..."
