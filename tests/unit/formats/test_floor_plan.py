"""The floor plan of ``bifolio.formats``: which part may use which, and no circle between files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[3] / "engine"
FORMATS = ENGINE / "bifolio" / "formats"
PACKAGES = sorted(path.parent for path in FORMATS.rglob("__init__.py"))

#: What every format of records uses to map its tags.
MAPS = {"field_collector", "roundtrip_fields", "dates", "identifiers", "names", "mapping"}

#: What each part may use of the others; none that is above it.
PARTS: dict[str, set[str]] = {
    "reading": {
        *("registry", "bibtex", "csl", "tagged", "endnote"),
        *("library_facts", "field_collector", "encodings"),
    },
    "writing": {"registry", "bibtex", "library_facts", "mapping"},
    "whole_libraries": {"endnote", "zotero", "databases"},
    "registry": {"bibtex", "csl", "tagged", "endnote", "zotero", "field_collector"},
    "mapping_markdown": {"endnote", "mapping"},
    "bibtex": {*MAPS, "latex"},
    "csl": MAPS,
    "tagged": {*MAPS, "endnote"},
    "endnote": {*MAPS, "databases", "library_facts"},
    "zotero": {*MAPS, "databases", "library_facts"},
    "databases": set(),
    "library_facts": set(),
    "field_collector": {"roundtrip_fields"},
    "roundtrip_fields": set(),
    "names": {"latex"},
    "dates": set(),
    "identifiers": set(),
    "encodings": set(),
    "latex": set(),
    "mapping": set(),
}


def dotted(path: Path) -> str:
    """A module as imports name it."""
    return ".".join(path.relative_to(ENGINE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): path for path in FORMATS.rglob("*.py")}


def imports(path: Path) -> Iterator[str]:
    """The modules of ``bifolio.formats`` that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bifolio.formats"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else str(node.module) for name in names)


def part_of(module: str) -> str:
    return module.split(".")[2]


def table_of(package: Path) -> list[str]:
    """The names in the table of a package's docstring, in their order."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    return re.findall(r"^``(\w+)`` ", text.partition("\n===")[2], re.MULTILINE)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_the_table_of_a_package_names_each_of_its_modules(package: Path) -> None:
    modules = [path.stem for path in package.glob("[!_]*.py")]
    folders = [path.parent.name for path in package.glob("*/__init__.py")]
    assert sorted(table_of(package)) == sorted(modules + folders)


def test_a_part_uses_only_what_it_may() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module != "bifolio.formats" and (part := part_of(module))
        for name in imports(path)
        if part_of(name) not in PARTS[part] | {part}
    ]
    assert wrong == []


def test_no_part_uses_one_that_is_above_it_in_the_table() -> None:
    order = table_of(FORMATS)
    assert sorted(order) == sorted(PARTS)
    wrong = [
        f"{part} may use {lower}, which is above it"
        for part, below in PARTS.items()
        for lower in below
        if order.index(lower) <= order.index(part)
    ]
    assert wrong == []


def test_every_part_that_may_be_used_is_used() -> None:
    used = {
        (part_of(module), part_of(name))
        for module, path in MODULES.items()
        if module != "bifolio.formats"
        for name in imports(path)
    }
    unused = [
        f"{part} does not use {lower}"
        for part, below in PARTS.items()
        for lower in below - MAPS
        if (part, lower) not in used
    ]
    assert unused == []


def test_no_file_imports_itself_through_others() -> None:
    graph = {module: set(imports(path)) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" > ".join(circle.args[1]))


def test_the_docstring_of_a_sub_package_is_all_of_its_init() -> None:
    wrong = [
        package.name
        for package in PACKAGES
        if package != FORMATS
        and len(ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body) > 1
    ]
    assert wrong == []
