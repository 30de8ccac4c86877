"""No command lets what another member wrote move the cursor, turn the writing or end a line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from tests.support.hostile_values import UNSAFE, exchange, library_of, plant
from tests.unit.replica.builders import members

from bifolio.ids import base64url
from bifolio_cli.main import run

EVIL = (
    "x\x1b[2J\x07\r\x9b\u202egpj\u2066\u200f\u061c\u200b\u2028\u2029\ufeff"
    "$(id);`id`'\"\nfaked: line"
)
ID, OTHER, GROUP = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in which another member planted such a text wherever one goes."""
    folder = tmp_path_factory.mktemp("evil")
    mallory, victim = members(folder, "mallory", "victim")
    victim.adds("f" * 32, {"type": "book", "title": "Good", "citation-key": "good"})
    exchange(victim, mallory)
    name = json.dumps({"role": "author", "name": {"family": EVIL, "given": EVIL}})
    file = {"hash": "d" * 64, "name": EVIL.replace("\x1b", "").replace("\n", ""), "size": 5}
    reference = {
        "kind": "reference",
        "type": EVIL,
        "title": EVIL,
        "note": "lines\n" + EVIL,
        "citation-key": EVIL,
        "issued": EVIL,
        "x." + EVIL: json.dumps([EVIL]),
        "creator\x1fAAAAAAAA\x1fname": name,
        "+tags\x1fa": EVIL,
        "+URL\x1fa": EVIL,
        "+groups\x1fa": GROUP,
        "+files\x1fa": json.dumps({**file, "name": "a\u202efdp.exe"}),
    }
    plant(
        mallory,
        {
            ID: reference,
            OTHER: reference,
            GROUP: {"kind": "group", "name": EVIL, "colour": EVIL, "query": EVIL + "("},
            "e" * 32: {"kind": "import", "format": "bibtex", "blocks": json.dumps([EVIL])},
            "0" * 32: {"name": EVIL, "key-pattern": EVIL},
        },
    )
    victim.sets(ID, "title", "mine")
    mallory.sets(ID, "title", EVIL + "2")
    exchange(victim, mallory)
    plant(
        mallory,
        {
            "0" * 32: {
                "device\x1f" + mallory.keys.tag: json.dumps(
                    {"name": EVIL, "key": base64url(mallory.keys.sign_public)}
                )
            }
        },
    )
    exchange(victim, mallory)
    path = victim.replica.path
    library_of(victim).close()
    return path


COMMANDS = (
    ["list"],
    ["show", ID],
    ["search", "mine"],
    ["search", "tag:x"],
    ["group", "list"],
    ["group", "show", GROUP],
    ["group", "edit", GROUP, "--colour", "zz"],
    ["tag", "list"],
    ["conflicts"],
    ["history", ID],
    ["log"],
    ["status"],
    ["doctor"],
    ["duplicates"],
    ["key", "pattern"],
    ["key", "list"],
    ["file", "list"],
    ["file", "open", ID, "ddddddd"],
    ["file", "export", ID, EVIL.strip(), "-o", "/nowhere"],
    ["show", EVIL],
    ["edit", ID, "author=" + EVIL],
    ["resolve", ID, EVIL, "--take", "9"],
    ["resolve", ID, "deleted", "--take", "9"],
    ["cite", ID],
    ["undo", "--dry-run"],
    ["trash", "list"],
    ["merge", ID, EVIL],
    ["copy", ID, "--to", "/nowhere/" + "x\u202e"],
    ["export", "--format", "bibtex", "-o", "{out}"],
    [EVIL],
    ["list", "--" + EVIL],
    ["delete", OTHER],
    ["restore", OTHER],
)


@pytest.mark.parametrize("json_too", [False, True], ids=["person", "json"])
@pytest.mark.parametrize(
    "command",
    COMMANDS,
    ids=lambda command: " ".join(command[:2]).encode("ascii", "backslashreplace").decode()[:40],
)
def test_no_command_prints_what_moves_a_cursor_or_turns_the_writing(
    library: Path,
    command: list[str],
    json_too: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIFOLIO_HOME", str(tmp_path / "home"))
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    words = [one.format(out=tmp_path / "out.bib") if one == "{out}" else one for one in command]
    code = run([*words, "-L", str(library), *(["--json"] if json_too else [])])
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    assert code in (0, 1, 2, 3), texts
    for text in texts:
        assert UNSAFE.search(text) is None, text
        assert "internal" not in text.lower() or code != 1, text
        if not json_too:
            # In a long text a line begins behind a margin, nowhere else.
            assert not any(line.startswith("faked:") for line in text.split("\n")), text
