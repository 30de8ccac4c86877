"""The floor plan of ``bifolio.formats``: which part of it may use which.

That each table names its modules and no file imports itself through others is checked for all
packages in ``tests/unit/test_layers.py``.
"""

from __future__ import annotations

from functools import cache

from tests.support.floor_plan import ROOT, Package, file_imports, modules

FORMATS = "bifolio.formats"
FOLDER = ROOT / "engine" / "bifolio" / "formats"

#: What every format of records uses to map its tags.
MAPS = {
    "bounds",
    "entities",
    "pages",
    "field_collector",
    "roundtrip_fields",
    "dates",
    "date_words",
    "identifiers",
    "names",
    "mapping",
}

#: What each part may use of the others; none that is above it.
PARTS: dict[str, set[str]] = {
    "reading": {
        *("registry", "bibtex", "csl", "tagged", "endnote", "zotero"),
        *("library_facts", "field_collector", "encodings", "bounds"),
        *("services_reading", "imported", "foreign_formats", "file_facts", "databases"),
    },
    "file_facts": {"bibtex", "zotero", "databases", "library_facts"},
    "services_reading": {"registry", "imported", "services", "tagged"},
    "imported": {"registry", "bounds"},
    "foreign_formats": set(),
    "unaltered": {"registry", "bibtex", "writing", "written_blocks"},
    "writing": {
        *("registry", "bibtex", "mapping", "read_back", "library_tags", "joined_notes"),
        "written_blocks",
    },
    "written_blocks": {"registry", "bibtex", "read_back"},
    "library_tags": {"registry", "bibtex", "endnote"},
    "joined_notes": set(),
    "read_back": {"bibtex", "tagged"},
    "whole_libraries": {"endnote", "zotero", "databases", "bounds"},
    "registry": {"bibtex", "csl", "tagged", "endnote", "services", "zotero", "field_collector"},
    "mapping_markdown": {"endnote", "mapping"},
    "bibtex": {*MAPS, "latex"},
    "csl": MAPS,
    "tagged": {*MAPS, "endnote"},
    "services": {*MAPS, "endnote", "tagged"},
    "endnote": {*MAPS, "databases", "library_facts"},
    "zotero": {*MAPS, "databases", "library_facts"},
    "databases": set(),
    "library_facts": set(),
    "field_collector": {"roundtrip_fields"},
    "roundtrip_fields": set(),
    "names": {"latex", "bounds"},
    "dates": {"date_words"},
    "date_words": set(),
    "identifiers": {"bounds"},
    "pages": set(),
    "entities": set(),
    "bounds": set(),
    "encodings": {"character_sets"},
    "character_sets": set(),
    "latex": {"entities"},
    "mapping": set(),
}


@cache
def uses() -> list[tuple[str, str]]:
    """(module, what it imports), both below ``bifolio.formats``."""
    ours = tuple(one for one in modules() if one.name.startswith(FORMATS))
    return [
        (module.removeprefix(f"{FORMATS}."), name.removeprefix(f"{FORMATS}."))
        for module, imported in file_imports(ours).items()
        for name in imported
        if module.startswith(f"{FORMATS}.") and name.startswith(FORMATS)
    ]


def part_of(name: str) -> str:
    return name.split(".")[0]


def test_a_part_uses_only_what_it_may() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, name in uses()
        if part_of(name) not in PARTS[part_of(module)] | {part_of(module)}
    ]
    assert wrong == []


def test_no_part_uses_one_that_is_above_it_in_the_table() -> None:
    order = list(Package(FOLDER).table)
    assert sorted(order) == sorted(PARTS)
    wrong = [
        f"{part} may use {lower}, which is above it"
        for part, below in PARTS.items()
        for lower in below
        if order.index(lower) <= order.index(part)
    ]
    assert wrong == []


def test_what_a_part_may_use_is_used() -> None:
    used = {(part_of(module), part_of(name)) for module, name in uses()}
    unused = [
        f"{part} does not use {lower}"
        for part, below in PARTS.items()
        for lower in below - MAPS
        if (part, lower) not in used
    ]
    assert unused == []


def test_the_docstring_of_a_sub_package_is_all_that_its_init_holds() -> None:
    folders = [init.parent for init in FOLDER.glob("*/__init__.py")]
    assert folders
    assert [
        one.name for one in folders if not (one / "__init__.py").read_text().endswith('"""\n')
    ] == []
