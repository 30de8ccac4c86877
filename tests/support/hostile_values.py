"""What a hostile member may write: any value under any key of any record, past our own commands.

``plant`` writes raw keys in one change of a computer's; ``read_everything`` calls all that reads a
library and says what raised.
"""

from __future__ import annotations

import io
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.unit.replica.builders import Computer

from bifolio import Library
from bifolio.document.entries import Entries
from bifolio.document.plan import Plan
from bifolio.errors import BifolioError
from bifolio.formats import EXPORT_FORMATS
from bifolio.home import Home
from bifolio.ids import SEPARATOR
from bifolio.records.fields import FIELDS

#: Strings that mean something to some parser, terminal, shell, file system or format.
HOSTILE_STRINGS: tuple[str, ...] = (
    "",
    " ",
    "\x00",
    "\x1b]0;owned\x07\x1b[31mred\x1b[2J",
    "line\rback\nnext\x85nel\u2028ls\u2029ps",
    "gnp.\u202efdp.exe\u2066\u2069\u200e\u200f\u061c",
    "zero\u200b\u200d\ufeffwidth\u2060",
    "c1\x9b31m\x9d",
    "$(touch /tmp/owned); `id` && rm -rf ~ #'\"",
    "--output=/etc/passwd",
    "}\n@book{swallowed, title = {x}}\n",
    "{{{{unclosed",
    "}}}}",
    "\\",
    "a\\}",
    "\\write18{id}",
    "ER  - \nTY  - BOOK\nTI  - second\nER  - \n",
    "\n\nTY  - BOOK\n",
    "%0 Book\n%T second\n",
    "\n\n%0 Book",
    "]]>\x01<record><titles/></record></records>",
    "</record><record>",
    "&xxe; <!DOCTYPE a>",
    "\ufffe\uffff",
    "a" * 5000,
    "NaN",
    "Infinity",
    "1e999",
    "9" * 5000,
    "null",
    "true",
    "1.5",
    "[]",
    "{}",
    "[" * 3000,
    "[[[1.5]], {}]",
    '{"date-parts": [[2024]], "x": 1.5}',
    '{"date-parts": [[2024]], "season": 1.5}',
    '{"date-parts": [[2024]], "season": true}',
    '{"date-parts": [[2024]], "season": -99999999999999999999}',
    '{"date-parts": [[2024]], "circa": NaN}',
    '{"date-parts": [[2024.0]]}',
    '{"date-parts": [[1e999]]}',
    '{"date-parts": [[]]}',
    '{"date-parts": []}',
    '{"date-parts": null}',
    '{"date-parts": {"0": [2024]}}',
    '{"date-parts": [[2024, 99, 99]]}',
    '{"date-parts": [[0, 0, 0], [-1]]}',
    '{"date-parts": [["2024"]]}',
    '{"date-parts": [[true]]}',
    '{"date-parts": [[' + "9" * 5000 + "]]}",
    '{"literal": 1.5}',
    '{"literal": {"a": [1.5]}}',
    '{"literal": null}',
    '{"literal": "}\\n@book{x,"}',
    '{"raw": NaN}',
    '{"role": "author", "name": {"family": 1.5, "given": {"a": 2}}}',
    '{"role": 7, "name": {"family": "A"}}',
    '{"role": {"a": 1}, "name": {}}',
    '{"role": "groups", "name": {"family": "A"}}',
    '{"role": "title", "name": {"literal": "A } \\u2028 and B"}}',
    '{"role": "", "name": {"family": "", "literal": ""}}',
    '{"role": "x.a", "name": {"family": "\\n@book{"}}',
    '{"role": "author\\u001f", "name": {"family": "A"}}',
    '{"name": [], "role": []}',
    '{"hash": "' + "a" * 64 + '", "name": "a.pdf", "size": 1.5}',
    '{"hash": "' + "a" * 64 + '", "name": "CON", "size": 5}',
    '{"hash": "' + "b" * 64 + '", "name": "a.pdf:evil.exe", "size": 5}',
    '{"hash": "' + "c" * 64 + '", "name": "inv\\u202efdp.exe", "size": 5}',
    '{"hash": "../../etc", "name": "../x", "size": -1}',
    '{"text": 5, "seen": 7}',
    '{"text": "nowhere\\u001f0", "seen": {"a": 1.5}}',
    '{"text": null, "seen": [1]}',
    '{"name": {"a": 1}, "key": 7}',
    '{"name": "\\u001b[31m\\u202e", "key": "x"}',
    '{"0000000": "z", "": 1.5, "iiiiiii": null}',
    '["a", 1.5, {"b": null}, ["c"]]',
    '["missing", "missing"]',
    '{"format":"bibtex","type":"book","id":"k}\\n@book{k2","tags":[["title","{a}"]],"blocks":""}',
    '{"format":"bibtex","type":"book","id":"k","tags":[["title","{a"],["%","}"]],"blocks":""}',
    '{"format":"bibtex","type":"preamble","id":"\\\\write18{id}","tags":[],"blocks":"x"}',
    '{"format":"bibtex","type":"x{y}@book","id":"k","tags":[["a = {b}, c","{d}"]],"blocks":[]}',
    '{"format":"ris","type":"BOOK\\nER  - ","id":"","tags":[["T\\nER","\\nTY  - B"]],"blocks":""}',
    '{"format":"enw","type":"Book\\n%0 Book","id":"","tags":[["T","a\\n%0 Book"]],"blocks":""}',
    '{"format":"csl-json","type":"book","id":"x","tags":[["a","NaN"],["b","[[[[1e999"],'
    '["custom/x","Infinity"],["custom","7"]],"blocks":""}',
    '{"format":"endnote-xml","type":"6","id":"","tags":[["titles/title","</record>\\u0001"],'
    '["a><b","c"],["","d"]],"blocks":""}',
    '{"format":"zotero","type":"book","id":"x","tags":[["@library","groups files"],["@file","{"]],'
    '"blocks":""}',
    '{"format":"nowhere","type":"","id":"","tags":[],"blocks":"' + "0" * 32 + '"}',
    '{"format":"ris","type":"BOOK","id":"","tags":[[1.5,2]],"blocks":""}',
    '["ris", "1", "zz", ""]',
    "0" * 32,
    "../../../etc/passwd",
    "z" * 300,
    "------------------------",
    "group",
    "settings",
    "import",
    "reference",
    "query with (unbalanced AND OR NOT",
    "[auth",
    "#ff00zz",
    "yes",
)

#: Values that are no string, as JSON may hold them.
FOREIGN_SHAPES: tuple[object, ...] = (
    1.5,
    -0.0,
    float("nan"),
    float("inf"),
    1e300,
    2**53,
    True,
    [],
    {},
    [1.5, {"a": [0.1]}],
    {"a": 1.5, "": [None]},
    ["000000000000000001", 1.5],
    ["no stamp", "value"],
    ["000000000000000001", "one", "too many"],
)

#: Names of registers: every field, every part that is stored under a name of its own, and none.
REGISTERS: tuple[str, ...] = (
    *sorted(FIELDS),
    "x.bibtex.note",
    "x.bibtex.file",
    "x.ris.u1",
    "x.csl-json.custom/a",
    "x.odd }{ name",
    "x.",
    "kind",
    "name",
    "parent",
    "order",
    "colour",
    "query",
    "groups",
    "deleted",
    "purged",
    "merged-into",
    "modified",
    "key-pattern",
    "format",
    "blocks",
    *(
        SEPARATOR.join(parts)
        for parts in (
            ("creator", "AAAAAAAA", "name"),
            ("creator", "AAAAAAAA", "position"),
            ("creator", "AAAAAAAA"),
            ("creators", "author"),
            ("creators", ""),
            ("+tags", "a"),
            ("+groups", "0" * 32),
            ("+files", "#x"),
            ("+URL", "a"),
            ("+ISBN", "a"),
            ("+source", "AAAAAAAAAAAAAAAA"),
            ("+merged", "a"),
            ("+merged-source", "a"),
            ("+set-apart", "a"),
            ("+citation-key-aliases", "a"),
            ("+", ""),
            ("+unknown", "a"),
            ("modified", "abstract", "AAAAAAA", "0"),
            ("modified", "title"),
            ("modified", "", ""),
            ("device", "AAA"),
            ("device",),
            ("device", "AAA", "more", "parts"),
            ("", "", "", ""),
            ("a",) * 40,
        )
    ),
)


def exchange(victim: Computer, mallory: Computer) -> None:
    """Each learns what the other wrote; what is refused of it makes their states differ."""
    for _ in range(2):
        victim.learns(mallory)
        mallory.learns(victim)


def plant(computer: Computer, records: Mapping[str, Mapping[str, object]]) -> None:
    """Write registers of records as they are, in one change: a string or anything else."""

    def writer(registers: Mapping[str, object]) -> Callable[[Plan, Entries], None]:
        def write(plan: Plan, entries: Entries) -> None:
            del entries
            for name, value in registers.items():
                key = SEPARATOR.join((name, plan.writer.slot))
                if value is None or isinstance(value, str):
                    plan.puts[key] = value
                else:
                    plan.new_texts[key] = value  # type: ignore[assignment]

        return write

    computer.waits(0.001)
    computer.replica.commit([(one, writer(registers)) for one, registers in records.items()])


def library_of(computer: Computer) -> Library:
    """The library that a computer holds, as programs use it."""
    home = Home(computer.replica.path.parent / f"home-{computer.name}", device_name=computer.name)
    library = Library(computer.replica.path, computer.replica.database, home)
    library._replica = computer.replica
    return library


def every_reading(library: Library, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """All that reads a library, by name."""
    yield "list", lambda: [one.to_json() for one in library.list()]
    yield "show", lambda: [library.show(one.id).to_json() for one in library.list()]
    yield "trash", lambda: list(library.trash.list())
    yield "emptied", lambda: list(library.trash.emptied())
    yield "conflicts", lambda: [one.to_json() for one in library.conflicts()]
    yield "status", lambda: library.status().to_json()
    yield "state", lambda: list(library.state_json())
    yield "groups", lambda: [one.to_json() for one in library.groups.list()]
    yield "deleted groups", lambda: list(library.groups.list(deleted=True))
    yield "tags", lambda: list(library.tags.list())
    yield "keys", lambda: (library.keys.pattern, library.keys.shared())
    yield "duplicates", lambda: list(library.duplicates.list())
    yield "files", lambda: [one.to_json() for one in library.files.list()]
    yield "log", lambda: [one.to_json() for one in library.history.log()]
    yield "undo", lambda: library.history.undo(dry_run=True)
    yield "rebuild", lambda: library.rebuild_index()
    yield "backup", lambda: library.backups.create(folder / "b.bifolio-backup")
    for query in ("owned", "author:a", "year:2024", "tag:a", "has:files", "title:x*", "-a"):
        yield f"search {query}", partial(_read_all, library.search, query)
    for format in EXPORT_FORMATS:
        yield f"export {format}", partial(library.export, io.BytesIO(), format=format)
        yield f"live {format}", partial(library.live_export(format=format).write, io.BytesIO())
    ids = [one.id for one in library.list()]
    yield "history", lambda: [library.history.of(one) for one in ids]
    yield "cite", lambda: library.cite(ids)
    for group in library.groups.list():
        yield "group", partial(_read_all, library.groups.references, group.id)
    yield "make keys", lambda: library.keys.make()


def _read_all(read: Callable[[str], Iterable[object]], what: str) -> list[object]:
    return list(read(what))


def failures(library: Library, folder: Path) -> list[str]:
    """What raised anything but a documented error."""
    found = []
    for name, read in every_reading(library, folder):
        try:
            read()
        except BifolioError as error:
            if not name.startswith(("undo", "group", "cite", "history")):
                found.append(f"{name}: {type(error).__name__}: {error}"[:300])
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            where = "".join(traceback.format_tb(error.__traceback__)[-3:])
            found.append(f"{name}: {type(error).__name__}: {error!s:.200}\n{where}")
    return found


#: What moves a cursor, turns writing round, or is not seen.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
