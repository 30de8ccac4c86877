"""Whether two values are the same, and which difference explains it where they are not.

Equal is what a reader would take for the same text: in Unicode's composed form, without doubled
blanks; a name whose parts read alike in their order; a set whatever its order; a date with the
same numbers. Everything else is a disagreement, and a named difference or an unexplained one.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bifolio.records.dates import date_text
from bifolio.records.fields import FORMS, Form
from bifolio.records.names import Name
from bifolio.records.reference import ImportedReference, Value, Values
from conformance.family import Case, Difference, Disagreement, Expected


@dataclass(slots=True)
class Agreement:
    """How many expected values agree, and the others by the difference's name."""

    values: int = 0
    agreeing: int = 0
    #: Ours that the other project does not expect: no fault, but told.
    beyond: int = 0
    named: dict[str, int] = field(default_factory=dict)
    #: One line for each.
    unexplained: list[str] = field(default_factory=list)
    #: One line for each.
    explained: list[str] = field(default_factory=list)

    def add(self, other: Agreement) -> None:
        """Add the figures of another run."""
        self.values += other.values
        self.agreeing += other.agreeing
        self.beyond += other.beyond
        for name, count in other.named.items():
            self.named[name] = self.named.get(name, 0) + count
        self.unexplained += other.unexplained
        self.explained += other.explained


def compare(
    case: Case, references: Sequence[ImportedReference], differences: Iterable[Difference]
) -> Agreement:
    """Every expected value of a case against ours; a missing record disagrees in all of them."""
    agreement = Agreement()
    ours = _match_records(case.expected, references)
    for number, (expected, reference) in enumerate(zip(case.expected, ours, strict=True)):
        values: Values = reference.values if reference else {}
        tags = reference.source.tags if reference else ()
        for name, value in expected.items():
            agreement.values += 1
            if is_same(name, value, values.get(name)):
                agreement.agreeing += 1
                continue
            found = Disagreement(
                case.name, number, name, value, values.get(name), values, expected, tags
            )
            _explain(found, differences, agreement)
        agreement.beyond += sum(
            1 for name in values if name not in expected and not name.startswith("x.")
        )
    return agreement


def _match_records(
    expected: Sequence[Expected], references: Sequence[ImportedReference]
) -> list[ImportedReference | None]:
    """Our reference for each expected one: by key, else by place or, in other numbers, by title."""
    left = list(references)

    def take(one: Expected) -> ImportedReference | None:
        title = _letters(one.get("title"))
        match = next((each for each in left if _letters(each.values.get("title")) == title), None)
        if match is not None:
            left.remove(match)
        return match

    keys = [str(one.get("citation-key", "")) for one in expected]
    if not all(keys):
        if len(expected) == len(references):
            return [*left]
        return [take(one) for one in expected]
    found = _by_key(keys, left)
    return [reference or take(one) for one, reference in zip(expected, found, strict=True)]


def _by_key(keys: Sequence[str], left: list[ImportedReference]) -> list[ImportedReference | None]:
    """The references with these keys, each once and in their order; they leave the list."""
    by_key: dict[str, list[ImportedReference]] = {}
    for reference in left:
        by_key.setdefault(str(reference.values.get("citation-key", "")), []).append(reference)
    found: list[ImportedReference | None] = []
    for key in keys:
        same_key = by_key.get(key)
        found.append(same_key.pop(0) if same_key else None)
    taken = {id(one) for one in found}
    left[:] = [one for one in left if id(one) not in taken]
    return found


def _letters(value: Value | None) -> str:
    text = html.unescape("".join(plain_texts(value)))
    return "".join(filter(str.isalnum, text)).casefold()


def _explain(found: Disagreement, differences: Iterable[Difference], agreement: Agreement) -> None:
    line = (
        f"{found.case}[{found.record}] {found.field}: "
        f"expected {show_value(found.expected)}, ours {show_value(found.ours)}"
    )
    for difference in differences:
        if difference.applies(found):
            agreement.named[difference.name] = agreement.named.get(difference.name, 0) + 1
            agreement.explained.append(f"{difference.name}: {line}")
            return
    agreement.unexplained.append(line)


def is_same(name: str, expected: Value, ours: Value | None) -> bool:
    """Whether the two say the same."""
    if ours is None:
        return False
    if FORMS.get(name) is Form.STRINGS:
        return set(plain_texts(expected)) == set(plain_texts(ours))
    return plain_texts(expected) == plain_texts(ours)


def plain_texts(value: Value | None) -> list[str]:
    """The texts that a value shows, each in its plain form."""
    if value is None:
        return []
    if isinstance(value, str):
        return [plain(value)]
    if isinstance(value, dict):
        return [plain(date_text(value))]
    return [plain_name(one) if isinstance(one, Name) else plain(one) for one in value]


def plain(text: str) -> str:
    """The text in composed form, without doubled blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain_name(name: Name) -> str:
    """The name's parts in one order: a body and a family name alone read alike."""
    if name.literal:
        return plain(name.literal)
    family = " ".join(
        part for part in (name.dropping_particle, name.non_dropping_particle, name.family) if part
    )
    return plain(", ".join(part for part in (family, name.given, name.suffix) if part))


def show_value(value: Value | None) -> str:
    """The value in one short line."""
    if value is None:
        return "nothing"
    text = " | ".join(plain_texts(value))
    return repr(text if len(text) <= 120 else text[:117] + "...")
