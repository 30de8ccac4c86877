"""docs/decisions.md has a line for every dependency that is declared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.support.cases import each

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(.*)")
_ROW = re.compile(r"^\| `([^`]+)` ?([^|]*?) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

#: A package of the lock, with all its hashes.
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==\S+[^\n]*(?:\n    [^\n]*)*", re.MULTILINE)

ROWS = {name: (versions, licence, why) for name, versions, licence, why in _ROW.findall(PAGE)}
EXTRAS = PROJECT["project"]["optional-dependencies"]
DECLARED = [
    *PROJECT["project"]["dependencies"],
    *(
        one
        for name in ("cite", "mcp", "pdf", "serve", "socks")
        for one in EXTRAS[name]
        if not one.startswith("bifolio[")
    ),
]
DEVELOPMENT = [
    *(one for one in EXTRAS["dev"] if not one.startswith("bifolio[")),
    *PROJECT["build-system"]["requires"],
]

#: What an Apache-2.0 program may depend on, and MPL-2.0 for what is not shipped. The MPL-1.1 binds
#: the files of a library that stays as it is: Apache's own projects may depend on such ones.
PERMISSIVE = {
    "MPL-1.1",
    "0BSD",
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-2-Clause-Views",
    "BSD-3-Clause",
    "ISC",
    "BlueOak-1.0.0",
}


def split(requirement: str) -> tuple[str, str]:
    """Name and versions of a requirement."""
    found = _REQUIREMENT.fullmatch(requirement)
    assert found is not None, requirement
    return found[1], found[2]


@each("requirement", DECLARED)
def test_every_dependency_has_its_versions_its_licence_and_its_reason(requirement: str) -> None:
    name, versions = split(requirement)
    assert name in ROWS, f"docs/decisions.md does not say why Bifolio needs {name}"
    written, licence, why = ROWS[name]
    assert written == versions
    assert licence in PERMISSIVE
    assert len(why) > 20


@each("requirement", DEVELOPMENT)
def test_every_tool_of_development_has_its_licence_and_its_reason(requirement: str) -> None:
    name, _ = split(requirement)
    assert name in ROWS, f"docs/decisions.md does not say what {name} is for"
    assert ROWS[name][1] in PERMISSIVE | {"MPL-2.0"}


def test_the_page_names_nothing_that_is_not_declared() -> None:
    declared = {split(requirement)[0] for requirement in [*DECLARED, *DEVELOPMENT]}
    assert set(ROWS) - declared == set()


def test_the_lock_has_the_hashes_of_every_dependency() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = {one[1].lower().replace("_", "-"): one for one in _LOCKED.finditer(lock)}
    for requirement in [*DECLARED, *DEVELOPMENT]:
        name = re.split(r"[\[<>=]", split(requirement)[0])[0].lower()
        assert name in locked, f"{name}: run 'make lock'"
    assert len(locked) == sum(not line.startswith(" ") for line in lock.splitlines())
    assert all("--hash=sha256:" in one[0] for one in locked.values())


@pytest.mark.parametrize(("name", "least"), [("msgpack", ">=1.2.1"), ("pynacl", ">=1.6.2")])
def test_no_floor_is_below_what_is_known_to_be_unsafe(name: str, least: str) -> None:
    assert (name, least) in [split(requirement) for requirement in DECLARED]
