"""docs/decisions.md has a line for every dependency that is declared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(.*)")
_ROW = re.compile(r"^\| `([^`]+)` ?([^|]*?) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

ROWS = {name: (versions, licence, why) for name, versions, licence, why in _ROW.findall(PAGE)}
EXTRAS = PROJECT["project"]["optional-dependencies"]
DECLARED = [*PROJECT["project"]["dependencies"], *EXTRAS["cite"]]
DEVELOPMENT = [
    *(one for one in EXTRAS["dev"] if not one.startswith("bifolio[")),
    *PROJECT["build-system"]["requires"],
]

#: What an Apache-2.0 program may depend on, and MPL-2.0 for what is not shipped.
PERMISSIVE = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC"}


def split(requirement: str) -> tuple[str, str]:
    """Name and versions of a requirement."""
    found = _REQUIREMENT.fullmatch(requirement)
    assert found is not None, requirement
    return found[1], found[2]


@pytest.mark.parametrize("requirement", DECLARED)
def test_every_dependency_has_its_versions_its_licence_and_its_reason(requirement: str) -> None:
    name, versions = split(requirement)
    assert name in ROWS, f"docs/decisions.md does not say why Bifolio needs {name}"
    written, licence, why = ROWS[name]
    assert written == versions
    assert licence in PERMISSIVE
    assert len(why) > 20


@pytest.mark.parametrize("requirement", DEVELOPMENT)
def test_every_tool_of_development_has_its_licence_and_its_reason(requirement: str) -> None:
    name, _ = split(requirement)
    assert name in ROWS, f"docs/decisions.md does not say what {name} is for"
    assert ROWS[name][1] in PERMISSIVE | {"MPL-2.0"}


def test_the_page_names_nothing_that_is_not_declared() -> None:
    declared = {split(requirement)[0] for requirement in [*DECLARED, *DEVELOPMENT]}
    assert set(ROWS) - declared == set()
