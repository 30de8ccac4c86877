"""What a command loads: what it needs, so that it starts fast."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cases import each

#: Nothing that only reads shows progress, merges, reads or writes a file, or uses the network.
FOREIGN = (
    "pycrdt pycrdt._pycrdt asyncio typer rich websockets ssl nacl.bindings lxml pylatexenc"
    " platformdirs typing_extensions inspect difflib shutil random"
)
OURS = "bifolio.formats bifolio.document.record bifolio.sync bifolio.wire.messages bifolio.imports"

READING = [
    ["status"],
    ["show", "doe2024"],
    ["search", "ink", "year:2024"],
    ["list", "--limit", "3", "--sort", "year", "--json"],
]

#: The modules of a command that reads: 275 of them on Python 3.11, of which 130 are ours.
LOADED_MAX = 300

_SCRIPT = """
import sys
from bifolio_cli.main import run
code = run(sys.argv[1:])
sys.stderr.write("LOADED " + " ".join(sys.modules))
sys.exit(code)
"""


def _loaded(home: Path, *call: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *call],
        env={**os.environ, "BIFOLIO_HOME": str(home)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.rpartition("LOADED ")[2].split()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    for call in (["init"], ["add", "citation-key=doe2024", "title=Of ink"]):
        _loaded(folder, *call)
    return folder


@each("call", READING, ids=lambda call: call[0])
def test_a_command_that_reads_loads_few_modules_and_nothing_that_is_slow(
    call: list[str], home: Path
) -> None:
    loaded = _loaded(home, *call)
    assert set(f"{FOREIGN} {OURS}".split()) & set(loaded) == set()
    assert len(loaded) <= LOADED_MAX


def test_an_edit_loads_no_event_loop_and_no_command_line_parser(home: Path) -> None:
    loaded = _loaded(home, "edit", "doe2024", "title=Of paper")
    avoided = "asyncio typer rich websockets bifolio.formats bifolio.sync dataclasses inspect"
    assert set(avoided.split()) & set(loaded) == set()


def test_an_edit_loads_the_document_type_without_the_event_streams_around_it(home: Path) -> None:
    loaded = _loaded(home, "edit", "doe2024", "title=Of paper and ink")
    assert "pycrdt._pycrdt" in loaded
    assert {"pycrdt", "anyio", "importlib.metadata"} & set(loaded) == set()


def test_values_that_every_command_loads_are_no_dataclasses(home: Path) -> None:
    # Each is compiled when its module is loaded, which takes 1.4 ms.
    assert "dataclasses" not in _loaded(home, "list", "--limit", "1")


def test_a_plain_call_ends_at_once_and_what_was_to_be_done_at_the_end_is_done(
    home: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "done"
    script = (
        "import atexit, pathlib, sys\n"
        "from bifolio_cli import main\n"
        f"atexit.register(pathlib.Path({str(mark)!r}).write_text, 'done')\n"
        "sys.argv = ['bifolio', 'show', sys.argv[1]]\n"
        "main.main()\n"
    )
    for key, code in (("doe2024", 0), ("nobody", 1)):
        mark.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", script, key],
            env={**os.environ, "BIFOLIO_HOME": str(home)},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert mark.read_text() == "done"
        assert key in (done.stdout if code == 0 else done.stderr)
