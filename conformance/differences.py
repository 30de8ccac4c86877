"""The differences that any format may have with another project, and why they are meant.

Each has a name, a reason and a rule. A format's own ones stand in its module in ``families``.
"""

from __future__ import annotations

from typing import Final

from conformance.agreement import plain, plain_texts
from conformance.family import Difference, Disagreement


def is_kept_as_extra(found: Disagreement) -> bool:
    """Whether all that is expected stands, word for word, in extra fields of ours."""
    if found.ours is not None:
        return False
    kept = [
        text for field, value in found.values.items() if field.startswith("x.")
        for text in plain_texts(value)
    ]  # fmt: skip
    wanted = plain_texts(found.expected)
    return bool(wanted) and all(
        any(text == one or text in one.split("\n") for one in kept) for text in wanted
    )


def is_in_another_field(found: Disagreement) -> bool:
    """Whether the other project has no name of ours for the field, and we have the value."""
    if "." not in found.field or found.ours is not None:
        return False
    kept = {text for value in found.values.values() for text in plain_texts(value)}
    return all(plain(text) in kept for text in plain_texts(found.expected))


SHARED: Final = (
    Difference(
        "kept-as-extra",
        "The tag has no field in CSL or in ours: its text is an extra field, editable and written "
        "back.",
        is_kept_as_extra,
    ),
    Difference(
        "other-home",
        "The project has a field of its own for it; the same text stands in a field of ours.",
        is_in_another_field,
    ),
)
