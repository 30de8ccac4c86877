"""The same records as several tools export them: they must land on nearly equal references.

The files hold the same ten articles (two tools' files eight of them). Every pair of tools is
compared, article by article, over the fields that identify a work.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Final

from bifolio.records.reference import Value, Values
from conformance.agreement import Agreement, plain_texts, show_value
from conformance.loading import load

FOLDER: Final = Path("ris/medium/asreview_cff")
TOOLS: Final = (
    "zotero", "endnote", "mendeley", "eppireviewer", "covidence_mendeley", "covidence_refworks"
)  # fmt: skip
FIELDS: Final = "type title author issued container-title volume issue page DOI".split()

#: What the pairs differ in and why; the rules are in ``_difference``.
REASONS: Final = {
    "initials-as-written": "Each tool spaces and points initials in its own way; names stay as the "
    "file has them.",
    "two-surnames-cut": "One tool's file cuts a double surname into two authors.",
    "left-out": "One tool leaves the field out of its file.",
}


def compare_tools(corpora: Path) -> Agreement:
    """Every core field of every article, between every two tools."""
    exports = {tool: _by_title(corpora / FOLDER / f"baseline_{tool}.ris") for tool in TOOLS}
    agreement = Agreement()
    for one, two in itertools.combinations(TOOLS, 2):
        for title in exports[one].keys() & exports[two].keys():
            for field in FIELDS:
                first, second = (exports[tool][title].get(field) for tool in (one, two))
                if first is None and second is None:
                    continue
                agreement.values += 1
                if plain_texts(first) == plain_texts(second):
                    agreement.agreeing += 1
                    continue
                values = f"{show_value(first)}, {show_value(second)}"
                line = f"{one} and {two}, {title[:30]}, {field}: {values}"
                name = _difference(field, first, second)
                if name:
                    agreement.named[name] = agreement.named.get(name, 0) + 1
                else:
                    agreement.unexplained.append(line)
    return agreement


def holds_tools(corpora: Path) -> bool:
    """Whether the corpora hold these files."""
    return all((corpora / FOLDER / f"baseline_{tool}.ris").is_file() for tool in TOOLS)


def _by_title(path: Path) -> dict[str, Values]:
    return {
        "".join(filter(str.isalnum, str(one.values.get("title", "")))).casefold(): one.values
        for one in load(path).references
    }


def _difference(field: str, first: Value | None, second: Value | None) -> str:
    if first is None or second is None:
        return "left-out"
    if field != "author":
        return ""
    names = [[_letters(name) for name in plain_texts(value)] for value in (first, second)]
    if names[0] == names[1]:
        return "initials-as-written"
    return "two-surnames-cut" if "".join(names[0]) == "".join(names[1]) else ""


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()
