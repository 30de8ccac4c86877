"""Several notes, and annotations, as the one text that a format of references has for them.

May know no format's syntax.
"""

from __future__ import annotations

from bifolio.records.edits import PARAGRAPH_BREAK
from bifolio.records.notes import (
    ANNOTATION,
    FIRST,
    NOTE,
    annotations_of,
    annotations_text,
    is_part,
    notes_of,
)
from bifolio.records.reference import Values

#: What was joined, by the name under which a report has it, and how.
Joined = tuple[str, str]

#: Under which a report says that several notes, or annotations, are one text.
NOTES, ANNOTATIONS = "notes", "annotations"


def join_notes(values: Values) -> tuple[Values, list[Joined]]:
    """The values with all notes as one text, and all annotations as another.

    Returns:
        the values themselves where there is nothing to be joined; and what a report says of it.
    """
    if not any(map(is_part, values)):
        return values, []
    joined = {name: value for name, value in values.items() if not is_part(name)}
    said: list[Joined] = []
    notes = notes_of(values)
    if notes:
        joined[NOTE] = PARAGRAPH_BREAK.join(one.text for one in notes)
    tagged = any(one.tags for one in notes)
    if len(notes) > 1:
        said.append((NOTES, f"its {len(notes)} notes are one text" + ", without tags" * tagged))
    elif tagged:
        said.append((NOTES, "its note is written without tags"))
    annotations = annotations_of(values)
    if text := annotations_text(values):
        joined[ANNOTATION] = text
    if objects := sum(one.id != FIRST or bool(one.type) for one in annotations):
        of = "its annotation is" if objects == 1 else f"its {len(annotations)} annotations are"
        said.append((ANNOTATIONS, f"{of} one text, without places and colours"))
    return joined, said
