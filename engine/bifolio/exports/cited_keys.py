"""The keys that a paper cites, by what LaTeX wrote: an ``.aux`` file, or Biber's ``.bcf``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bifolio import limits
from bifolio.errors import FileFormatError

#: What BibTeX, BibLaTeX, natbib and apacite write of a citation.
_CITED: Final = re.compile(r"^\\(?:citation|abx@aux@cite(?:\{\d+\})?)\s*\{([^{}]*)\}", re.MULTILINE)
_INPUT: Final = re.compile(r"^\\@input\s*\{([^{}]+)\}", re.MULTILINE)
_BCF: Final = re.compile(r"<(?:bcf:)?citekey\b([^>]*)>([^<]*)</(?:bcf:)?citekey>")
_MEMBERS: Final = re.compile(r"\bmembers=\"([^\"]+)\"")
#: What a report calls a key that no reference has.
CITED: Final = "cited"
_EVERY: Final = "*"
_FILES_MAX: Final = 1_000


def read_cited(path: Path) -> frozenset[str] | None:
    """The cited keys; None where the paper cites everything (``\\nocite{*}``).

    Raises:
        FileFormatError: it cannot be read, or cites nothing.
    """
    found = _bcf(path) if path.suffix.lower() == ".bcf" else _aux(path)
    if not found:
        raise FileFormatError(
            str(path),
            expected="an .aux or .bcf file with citations",
            got="none in it",
            next_step="Run LaTeX on the paper first, and name the .aux or .bcf that it writes.",
        )
    return None if _EVERY in found else frozenset(found)


def _bcf(path: Path) -> set[str]:
    """The keys of a control file; of a set that the paper makes, those of its members."""
    found: set[str] = set()
    for attributes, key in _BCF.findall(_text(path)):
        members = _MEMBERS.search(attributes)
        keys = members.group(1).split(",") if members is not None else [key]
        found |= {one.strip() for one in keys if one.strip()}
    return found


def _aux(path: Path) -> set[str]:
    """The keys of an aux file and of those that it reads: chapters, next to it or below."""
    found: set[str] = set()
    waiting, seen = [path], set[Path]()
    while waiting and len(seen) < _FILES_MAX:
        one = waiting.pop()
        if one in seen or (one != path and not one.is_file()):
            continue
        seen.add(one)
        text = _text(one)
        for keys in _CITED.findall(text):
            found |= {key.strip() for key in keys.split(",") if key.strip()}
        for name in _INPUT.findall(text):
            inner = path.parent / name.strip().strip('"')
            if ".." not in Path(name).parts and not Path(name).is_absolute():
                waiting.append(inner)
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > limits.IMPORT_FILE_BYTES_MAX:
            raise OSError(f"it has more than {limits.IMPORT_FILE_BYTES_MAX:,} bytes")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileFormatError(
            str(path),
            expected="an .aux or .bcf file",
            got=f"a file that cannot be read ({error.strerror or error})",
            next_step="Check the path.",
        ) from error
