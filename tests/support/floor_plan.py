"""The floor plan of the code: its parts, what each may import, and the picture drawn from that.

The one source of the layer tests (``tests/unit/test_layers.py``) and of the picture in
docs/architecture.md, which ``python -m tests.support.floor_plan`` writes.
"""

from __future__ import annotations

import ast
import gc
import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar, cast

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = {"engine": "bifolio", "relay": "bifolio_relay", "cli": "bifolio_cli"}

_Node = TypeVar("_Node", bound=ast.AST)

_FOUNDATION = frozenset({"clock", "disk", "ids", "limits", "errors", "lazy"})

#: Calls that load the module which they name.
_IMPORTS = frozenset({"import_module", "lazy.module"})

#: What each part of the engine may import, by parts. Further down is lower: no part may name one
#: that comes before it here. ``bifolio`` is the package's own ``__init__``.
ENGINE: dict[str, frozenset[str]] = {
    "bifolio": frozenset({"library", "errors"}),
    "serve": _FOUNDATION
    | {"autosync", "library", "exports", "search", "formats", "results", "records", "home"},
    "doctor": _FOUNDATION
    | {"repair", "autosync", "library", "replication", "replica", "document", "storage", "crypto"}
    | {"wire", "results", "home"},
    "autosync": _FOUNDATION | {"library", "sync", "results", "home"},
    "library": _FOUNDATION
    | {"imports", "exports", "history", "search", "bundles", "repair", "replication", "attachments"}
    | {"replica", "sync", "document", "storage", "crypto", "formats", "results", "records", "home"},
    "bundles": _FOUNDATION | {"replication", "replica", "storage", "crypto", "wire", "results"},
    "imports": _FOUNDATION
    | {"attachments", "replica", "document", "storage", "formats", "wire", "results", "records"},
    "exports": _FOUNDATION
    | {"search", "attachments", "replica", "document", "storage", "formats", "results", "records"},
    "repair": _FOUNDATION
    | {"replication", "history", "replica", "document", "storage", "crypto", "wire", "results"},
    "replication": _FOUNDATION
    | {"history", "attachments", "replica", "sync", "document", "storage", "crypto", "wire"}
    | {"results"},
    "history": _FOUNDATION
    | {"replica", "document", "storage", "crypto", "wire", "results", "records"},
    "search": _FOUNDATION | {"replica", "document", "storage", "results", "records"},
    "attachments": _FOUNDATION
    | {"replica", "sync", "document", "storage", "crypto", "wire", "results", "records"},
    "replica": _FOUNDATION | {"document", "storage", "crypto", "wire", "results", "records"},
    "sync": _FOUNDATION | {"wire", "results"},
    "document": _FOUNDATION | {"records"},
    "storage": _FOUNDATION | {"salvage", "wire", "records"},
    "crypto": _FOUNDATION,
    "formats": _FOUNDATION | {"records"},
    "wire": _FOUNDATION,
    "results": _FOUNDATION | {"records"},
    "records": _FOUNDATION - {"clock", "disk"},
    "salvage": frozenset(),
    "clock": frozenset({"limits"}),
    "home": frozenset(),
    "disk": frozenset({"ids"}),
    "ids": frozenset({"limits"}),
    "limits": frozenset(),
    "lazy": frozenset(),
    "errors": frozenset(),
}

#: What the relay and the command line may import of the engine.
RELAY = frozenset({"wire", "crypto", "salvage", "disk", "ids", "limits", "errors", "bifolio"})
COMMAND_LINE = frozenset(
    {"bifolio", "serve", "doctor", "autosync", "library", "exports", "search", "records", "results"}
    | {"home", "disk", "ids", "errors", "lazy"}
)

_BEGIN = "<!-- floor plan: written by `python -m tests.support.floor_plan` -->"
_END = "<!-- end of the floor plan -->"
_WIDTH = 92


@contextmanager
def without_collections() -> Iterator[None]:
    """Looking for garbage among the nodes takes two thirds of the time that parsing takes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Module:
    """One source file, parsed when it is asked for: every worker of a test run imports this."""

    name: str
    path: str
    part: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What its text says."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of its tree."""
        return tuple(ast.walk(self.tree))

    def each(self, *kinds: type[_Node]) -> Iterator[_Node]:
        """The nodes of these classes: a module has a hundred times as many others."""
        for kind in kinds:
            yield from cast("list[_Node]", self._by_kind.get(kind, []))

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[ast.AST]]:
        found: dict[type[ast.AST], list[ast.AST]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n")

    def imported(self) -> Iterator[str]:
        """The dotted names that the module imports, anywhere in it."""
        for plain in self.each(ast.Import):
            yield from (alias.name for alias in plain.names)
        for node in self.each(ast.ImportFrom):
            assert node.level == 0, f"{self.path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        for call in self.each(ast.Call):
            named = call.args[0] if call.args else None
            if isinstance(named, ast.Constant) and dotted(call.func) in _IMPORTS:
                yield str(named.value)


@dataclass(frozen=True)
class Package:
    """A folder of modules, and what the table in its ``__init__`` says of them."""

    path: Path

    @cached_property
    def docstring(self) -> str:
        """The docstring of its ``__init__``."""
        text = (self.path / "__init__.py").read_text(encoding="utf-8")
        return ast.get_docstring(ast.parse(text)) or ""

    @property
    def purpose(self) -> str:
        """The first sentence of the docstring."""
        return " ".join(self.docstring.partition("\n\n")[0].split())

    @property
    def table(self) -> dict[str, str]:
        """What each module is for, by its name, in the table's order."""
        rows = re.findall(r"^``(\w+)`` +(.+)$", self.docstring, re.MULTILINE)
        return {name: purpose.strip() for name, purpose in rows}

    @property
    def contents(self) -> list[str]:
        """The modules and packages in the folder, by name."""
        inside = [one.stem for one in self.path.glob("[!_]*.py")]
        inside += [one.parent.name for one in self.path.glob("*/__init__.py")]
        return sorted(inside)


def dotted(node: ast.AST) -> str:
    """The name that an expression is; empty where it is anything else."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the three source roots, each parsed once in a process."""
    return tuple(_modules())


def _modules() -> Iterator[Module]:
    for root, package in PACKAGES.items():
        for path in sorted((ROOT / root / package).rglob("*.py")):
            inside = path.relative_to(ROOT / root / package).parts[0].removesuffix(".py")
            part = inside if package == "bifolio" and inside != "__init__" else package
            parts = path.relative_to(ROOT / root).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            where = path.relative_to(ROOT).as_posix()
            yield Module(name, where, part, path.read_text(encoding="utf-8"))


def packages() -> Iterator[Package]:
    """Every package below the three source roots, the roots themselves left out."""
    for root, package in PACKAGES.items():
        for found in sorted((ROOT / root / package).rglob("__init__.py")):
            if found.parent.name not in ("bifolio", "libraries"):
                yield Package(found.parent)


def file_imports(all_modules: tuple[Module, ...]) -> dict[str, set[str]]:
    """Which modules of ours each module imports, by their dotted names."""
    names = {module.name for module in all_modules}
    graph: dict[str, set[str]] = {}
    for module in all_modules:
        meant = {one if one in names else one.rpartition(".")[0] for one in module.imported()}
        graph[module.name] = (meant & names) - {module.name}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other round in a circle."""
    left = {name: set(imported) for name, imported in graph.items()}
    while leaves := [name for name, imported in left.items() if not imported & left.keys()]:
        for name in leaves:
            del left[name]
    found: list[list[str]] = []
    while left:
        start = next(iter(left))
        reached = _reachable(left, start)
        circle = sorted(one for one in reached if start in _reachable(left, one))
        if circle:
            found.append(circle)
        for one in circle or [start]:
            del left[one]
    return found


def floors() -> list[list[str]]:
    """The parts of the engine by floor, the highest first: each imports lower floors only."""
    height: dict[str, int] = {}
    for part in reversed(ENGINE):
        height[part] = 1 + max((height[lower] for lower in ENGINE[part]), default=0)
    return [
        [part for part in ENGINE if height[part] == floor and part != "bifolio"]
        for floor in range(max(height.values()), 0, -1)
        if any(height[part] == floor and part != "bifolio" for part in ENGINE)
    ]


def picture() -> str:
    """The floor plan as Markdown: the floors as boxes, then what each module is for."""
    lines = [_BEGIN, "", "```", *_box("cli/bifolio_cli", Package(ROOT / "cli/bifolio_cli").purpose)]
    for floor in floors():
        lines += _boxes(floor)
    lines += _box("relay/bifolio_relay", "of the engine it uses: " + ", ".join(_relay_uses()))
    lines += ["```", ""]
    for part in ENGINE:
        folder = ROOT / "engine" / "bifolio" / part
        if (folder / "__init__.py").exists():
            lines += _listing(f"engine/bifolio/{part}", Package(folder))
    lines += _listing("relay/bifolio_relay", Package(ROOT / "relay" / "bifolio_relay"))
    lines += _listing("cli/bifolio_cli", Package(ROOT / "cli" / "bifolio_cli"))
    return "\n".join([*lines, _END])


def page_with_picture(page: str) -> str:
    """The page with today's floor plan between its marks."""
    before, _, rest = page.partition(_BEGIN)
    return before + picture() + rest.partition(_END)[2]


def _relay_uses() -> list[str]:
    return sorted(RELAY - {"bifolio"})


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """What can be reached from a module in one step or more."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for one in graph[waiting.pop()] & graph.keys():
            if one not in reached:
                reached.add(one)
                waiting.append(one)
    return reached


def _box(name: str, text: str) -> list[str]:
    inside = textwrap.wrap(text, _WIDTH - 24)
    named = [name, *[""] * (len(inside) - 1)]
    rows = [
        f"│ {left:<20}{right:<{_WIDTH - 24}} │" for left, right in zip(named, inside, strict=True)
    ]
    bar = "─" * (_WIDTH - 2)
    return [f"┌{bar}┐", *rows, f"└{bar}┘"]


def _boxes(floor: list[str]) -> list[str]:
    rows = []
    for part in floor:
        folder = ROOT / "engine" / "bifolio" / part
        if (folder / "__init__.py").exists():
            purpose = Package(folder).purpose
        else:
            tree = ast.parse(folder.with_suffix(".py").read_text(encoding="utf-8"))
            purpose = " ".join((ast.get_docstring(tree) or "").partition("\n\n")[0].split())
        wrapped = textwrap.wrap(purpose, _WIDTH - 24)
        named = [part, *[""] * (len(wrapped) - 1)]
        rows += [
            f"│ {left:<20}{right:<{_WIDTH - 24}} │"
            for left, right in zip(named, wrapped, strict=True)
        ]
    bar = "─" * (_WIDTH - 2)
    return [f"┌{bar}┐", *rows, f"└{bar}┘"]


def _listing(name: str, package: Package) -> list[str]:
    rows = [f"| `{module}` | {purpose} |" for module, purpose in package.table.items()]
    if not rows:
        return []
    return [
        f"**`{name}`**: {package.purpose}",
        "",
        "| module | what it is for |",
        "|---|---|",
        *rows,
        "",
    ]


if __name__ == "__main__":
    PAGE.write_text(page_with_picture(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
