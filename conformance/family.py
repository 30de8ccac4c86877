"""What a format hands to the conformance run: its files, its cases and its named differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bifolio.records.reference import Value, Values

#: Expected values by field. What the other project has and we have no field for is under
#: ``<project>.<its own name>``, so that nothing expected goes uncounted.
Expected = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Case:
    """One input of another project and the values that the project expects of it."""

    #: ``project/file#number``.
    name: str
    content: bytes
    expected: tuple[Expected, ...]
    #: The name that the input would have as a file.
    file_name: str

    @property
    def project(self) -> str:
        """Whose case it is."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One expected value that is not ours, with all that a rule may ask about."""

    case: str
    #: Which of the case's records, from 0.
    record: int
    field: str
    expected: Value
    #: None where we have no value for the field.
    ours: Value | None
    values: Values
    others: Expected
    tags: tuple[tuple[str, str], ...]

    @property
    def project(self) -> str:
        """Whose expectation it is."""
        return self.case.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Difference:
    """A known difference: its name, why it is right or at least meant, and when it applies."""

    name: str
    reason: str
    applies: Callable[[Disagreement], bool]


@dataclass(frozen=True, slots=True)
class Family:
    """One format, as ``bifolio.formats`` names it for an import."""

    name: str
    #: Whether a file of the corpora is of this format.
    owns: Callable[[PurePosixPath], bool]
    #: All cases in the folder of the cases.
    cases: Callable[[Path], Iterable[Case]]
    #: Tried in this order, after the shared ones.
    differences: tuple[Difference, ...] = ()
    #: Why a file gives fewer records than the manifest counts: path below the corpora to reason.
    losses: Mapping[str, str] = field(default_factory=dict)
