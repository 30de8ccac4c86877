"""An import into a record that a joining library brought, and its imports with it.

Such a record holds what the library's imports said, and none of their updates: a newer version of
the file would find nothing that it replaces. So the earlier imports are merged as well, and what
the record had made of them is taken away again: it has been edited since, or stands there already.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.clock import import_stamp
from bifolio.document.entries import Entries, Live, is_import, join
from bifolio.document.importing import document_of
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.ids import JOIN_MARK
from bifolio.records.canonical import stored_json


def merge_imports(document: RecordDocument, imports: Sequence[bytes]) -> tuple[bytes, ...]:
    """Merge all imports of a record, of which the last one is new.

    Args:
        document: the record's; written to.
        imports: an update for each version, the oldest first.

    Returns:
        the updates to send: those that brought something, and what they leave to be deleted.
    """
    before = document.entries()
    sent = [update for update in imports if document.merge_own(update)]
    if any(map(_was_joined, _lives(before))):
        plan = Plan(Writer("", import_stamp(1)))
        _plan_removals(plan, before, document.entries(), imports)
        if not plan.is_empty:
            sent.append(document.write(plan))
    return tuple(sent)


def _plan_removals(plan: Plan, before: Entries, after: Entries, imports: Sequence[bytes]) -> None:
    """Plan to delete what the earlier imports say again, and what the last one replaces."""
    earlier = document_of(imports[:-1]).entries()
    now = document_of(imports).entries()
    for name, said in earlier.registers.items():
        again = [
            live for live in said if live in after.live(name) and live not in before.live(name)
        ]
        plan.remove(name, again)
        if said == now.live(name):
            continue
        contents = {text_of(earlier, name, live) for live in said}
        plan.remove(
            name,
            [
                live
                for live in before.live(name)
                if _was_joined(live) and text_of(before, name, live) in contents
            ],
        )


def text_of(entries: Entries, name: str, live: Live) -> str | None:
    """What a value says: of a text's register the text, not its name."""
    text = text_name(live)
    return entries.texts.get(join(name, text)) if text else live.value


def text_name(live: Live) -> str | None:
    """The text that a register names; None where its value is none of a text."""
    stored = stored_json(live.value)
    text = stored.get("text") if isinstance(stored, dict) else None
    return text if isinstance(text, str) else None


def _was_joined(live: Live) -> bool:
    """Whether an import wrote this in a library that joined."""
    return live.slot.startswith(JOIN_MARK) and is_import(live)


def _lives(entries: Entries) -> list[Live]:
    return [live for lives in entries.registers.values() for live in lives]
