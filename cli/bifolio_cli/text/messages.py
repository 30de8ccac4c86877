"""Every message that a user can read, as a list: ``python -m bifolio_cli.text.messages``.

For somebody who looks at them together: the errors with what to do about them, then whatever else
the engine, the relay and the command line say, read from their sources. What is in braces is
filled in. The words of ``--help`` are in docs/cli.md.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from bifolio_cli.text.next_steps import WORDS

_PACKAGES = ("bifolio", "bifolio_relay", "bifolio_cli")

#: Calls whose texts a user reads: errors and results by their names, and ways of speaking.
_SPEAKING_CALLS = frozenset(
    "Finding Refusal Notice LeftOut SkippedRecord Remark say remark note KeyCondition".split()
)
_SPEAKING_ARGUMENTS = frozenset("reason next_step message expected got detail found where".split())
_SPEAKING_NAMES = frozenset("message sentence reason advice got where".split())

#: Modules of which every text is read by a user.
_OF_WORDS = ("bifolio_cli/text/", "bifolio_relay/next_steps")


def messages(below: tuple[str, ...] = _PACKAGES) -> Iterator[str]:
    """The lines of the list, of the modules whose paths begin with one of these."""
    yield "# What can be done next"
    for code in WORDS:
        words = WORDS[code]
        if isinstance(words, str):
            yield f"{code}: {words}"
    for package in _PACKAGES:
        for path, source in _modules(files(package), package):
            if not path.startswith(below):
                continue
            found = list(dict.fromkeys(_spoken(ast.parse(source), path)))
            if found:
                yield f"\n# {path}"
                yield from found


def _modules(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _modules(entry, f"{path}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{path}/{entry.name}", entry.read_text(encoding="utf-8")


def _spoken(tree: ast.Module, path: str) -> Iterator[str]:
    """The texts of a module that a user reads, in their order."""
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                named = _last_name(node.func)
                speaks = named.endswith("Error") or named in _SPEAKING_CALLS
                is_error = (
                    named == "__init__"
                    and "errors/" in path
                    and ast.unparse(node.func) == "super().__init__"
                )
                if speaks or is_error:
                    yield from _texts(*node.args)
                for keyword in node.keywords:
                    if speaks or is_error or keyword.arg in _SPEAKING_ARGUMENTS:
                        yield from _texts(keyword.value)
            case ast.Assign(targets=[ast.Name(id=name)]) if name in _SPEAKING_NAMES:
                yield from _texts(node.value)
            case ast.Return() | ast.Yield() | ast.Dict() if path.startswith(_OF_WORDS):
                yield from _texts(node)


def _last_name(called: ast.expr) -> str:
    """What is called, without where it comes from."""
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _texts(*nodes: ast.AST) -> Iterator[str]:
    """Texts of several words in these expressions, with names in braces."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr | ast.Constant):
            text = _text(node)
            if text is not None and " " in text.strip():
                yield text
            continue
        yield from _texts(*ast.iter_child_nodes(node))


def _text(node: ast.JoinedStr | ast.Constant) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    parts = (
        str(part.value) if isinstance(part, ast.Constant) else f"{{{_name_in(part)}}}"
        for part in node.values
    )
    return "".join(parts)


def _name_in(part: ast.expr) -> str:
    return ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ast.unparse(part)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in messages())
