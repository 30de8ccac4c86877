"""README.md, run as it is printed: its commands on two computers, its Python in a folder.

A block of commands says in a comment on which computer it is typed. Only what a reader would
replace is replaced: the relay's port and the word TICKET.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import command_server
from tests.support.bibliographies import PRINTING_HISTORY, real_entries
from tests.support.cases import each

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_CONSOLE = re.compile(r"<!-- run on: (\w+) -->\n```console\n(.*?)```", re.DOTALL)
_PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
_TICKET = re.compile(r"^bifolio:\S+", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")

REFERENCES = 30
COMMAND_TIMEOUT_S = 60


def commands() -> list[tuple[str, str]]:
    """Every command of the README with the computer on which it is typed, in order."""
    return [
        (computer, line.removeprefix("$ "))
        for computer, block in _CONSOLE.findall(README)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def some_references(target: Path) -> None:
    """The first references of a real bibliography, as a file of one's own."""
    entries = real_entries(PRINTING_HISTORY, first=0, count=REFERENCES)
    target.write_text(entries, encoding="utf-8")


def runtime(home: Path, name: str) -> dict[str, str]:
    """What a user of the installed commands has in the environment."""
    installed = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([installed, os.environ["PATH"]]),
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "share"),
        "BIFOLIO_HOME": str(home / "bifolio"),
        "BIFOLIO_DEVICE": name,
        "PYTHONUTF8": "1",
    }


@contextmanager
def relay(command: str, home: Path) -> Iterator[str]:
    """The README's relay on a free port; its address."""
    process = subprocess.Popen(
        command.replace("8787", "0").split(),
        cwd=home,
        env=runtime(home, "relay"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on ws://"), line
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=COMMAND_TIMEOUT_S)
    assert process.returncode == 0


def typed(command: str, home: Path, name: str) -> str:
    """What a command prints that is typed into a shell; it must succeed."""
    words = shlex.split(command)
    if (
        words[0] == "bifolio"
        and not set(command) & set("|<>;&$*")
        and command_server.is_available()
    ):
        # Forked, as in the other tests of commands; ``make test-all`` starts each.
        environment = runtime(home, name)
        whole = [str(home / one[2:]) if one.startswith("~/") else one for one in words[1:]]
        forked = command_server.run(
            whole, environment=environment, folder=home, timeout_s=COMMAND_TIMEOUT_S
        )
        assert forked.exit_code == 0, (name, command, forked.stdout, forked.stderr)
        return forked.stdout
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=home,
        env=runtime(home, name),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, (name, command, ended.stdout, ended.stderr)
    return ended.stdout


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    homes = {name: tmp_path / name for name in ("office", "laptop", "relay")}
    for home in homes.values():
        home.mkdir()
    some_references(homes["office"] / "references.bib")
    (homes["office"] / "scan.pdf").write_bytes(b"%PDF-1.4 a scan")
    relay_commands = [command for computer, command in commands() if computer == "relay"]
    assert len(relay_commands) == 1
    ticket = ""
    printed: dict[tuple[str, str], str] = {}
    with relay(relay_commands[0], homes["relay"]) as url:
        for computer, command in commands():
            if computer == "relay":
                continue
            line = command.replace("ws://127.0.0.1:8787", url).replace("TICKET", ticket)
            said = printed[computer, command] = typed(line, homes[computer], computer)
            found = _TICKET.search(said)
            ticket = found.group() if found else ticket
    listed = printed["laptop", "bifolio -L ~/Thesis conflicts"]
    assert "1  Folding   (laptop" in listed
    assert "2  On Folding Paper   (office" in listed
    assert "Roe, Richard" in printed["laptop", "bifolio -L ~/Thesis show doe2024folding"]
    assert printed["office", "bifolio conflicts"].strip() == "There are no conflicts."
    assert f"{REFERENCES + 1} references" in printed["office", "bifolio status"]
    assert (homes["laptop"] / "copy.pdf").read_bytes() == b"%PDF-1.4 a scan"
    dated = printed["office", "bifolio search 'folding -plastic year:2020.. has:file' --sort -year"]
    assert "doe2024folding" in dated
    assert "A Mistake" in printed["office", "bifolio history doe2024folding"]
    exported = (homes["office"] / "thesis.bib").read_text(encoding="utf-8")
    assert "On Folding Paper" in exported
    assert "Roe, Richard" in exported


def test_the_python_of_the_readme_runs_as_it_is_printed(tmp_path: Path) -> None:
    blocks = _PYTHON.findall(README)
    assert len(blocks) == 1
    some_references(tmp_path / "references.bib")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks[0]],
        cwd=tmp_path,
        env=runtime(tmp_path / "home", "office"),
        capture_output=True,
        encoding="utf-8",
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "doe2024sync",
        "doe2024sync On Sync",
        "[('Reading', 1)]",
        f"{REFERENCES + 1} 0",
        str(REFERENCES + 1),
        "True",
    ]


def test_the_python_page_s_program_runs_as_it_is_printed(tmp_path: Path) -> None:
    (block,) = _PYTHON.findall((ROOT / "docs" / "python.md").read_text(encoding="utf-8"))
    (tmp_path / "relay").mkdir()
    with relay("bifolio relay --port 8787", tmp_path / "relay") as url:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", block.replace("ws://127.0.0.1:8787", url)],
            cwd=tmp_path,
            env=runtime(tmp_path / "home", "office"),
            capture_output=True,
            encoding="utf-8",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["bifolio: 1", "1"]


@each(
    "page",
    [
        "README.md",
        "docs/decisions.md",
        "docs/coming-from-endnote.md",
        "docs/python.md",
        "docs/operations.md",
    ],
)
def test_every_file_that_a_page_links_to_exists(page: str) -> None:
    path = ROOT / page
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
