"""docs/operations.md: its unit file is installed, and its commands are run as they are printed."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.test_readme import runtime, typed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"(?:<!-- run on: (\w+) -->\n)?```console\n(.*?)```", re.DOTALL)
_FILE = re.compile(r"<!-- file: (\S+) -->\n```ini\n(.*?)```", re.DOTALL)
_NOT_TRIED = "# (not tried by a test)"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)

#: So many commands at most are not run: they install, linger, or do not end.
NOT_TRIED_MAX = 6

COMPUTERS = ("desk", "laptop")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the page is about systemd")


def commands() -> list[tuple[str, str, str]]:
    """Every command that is tried: its section, the computer, and what is typed; in order."""
    found = []
    for section in _SECTION.split(PAGE)[1:]:
        if "\n" not in section:
            title = section
            continue
        for computer, block in _BLOCK.findall(section):
            lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
            found += [(title, computer, line) for line in lines if _NOT_TRIED not in line]
    return found


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Three computers; the relay's has the unit file, a virtual environment and ``systemctl``."""
    made = {name: tmp_path / name for name in ("relay", "desk", "laptop")}
    for home in made.values():
        (home / "bin").mkdir(parents=True)
    port = free_port()
    ((path, unit),) = _FILE.findall(PAGE)
    target = made["relay"] / path.removeprefix("~/")
    target.parent.mkdir(parents=True)
    target.write_text(unit.replace("8787", str(port)), "utf-8")
    installed = made["relay"] / "bifolio" / "bin"
    installed.mkdir(parents=True)
    (installed / "bifolio").symlink_to(Path(sys.executable).with_name("bifolio"))
    script = made["relay"] / "bin" / "systemctl"
    services = ROOT / "tests" / "support" / "user_services.py"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {services} "$@"\n')
    script.chmod(0o755)
    (tmp_path / "port").write_text(str(port))
    yield made
    environment = runtime(made["relay"], "relay")
    stopping = [str(script), "--user", "stop", "bifolio-relay"]
    subprocess.run(stopping, env=environment, check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_every_command_is_tried_or_says_that_it_is_not() -> None:
    blocks = _BLOCK.findall(PAGE)
    for computer, block in blocks:
        tried = [_NOT_TRIED not in line for line in block.splitlines() if line.startswith("$ ")]
        assert tried, block
        assert all(tried) if computer else not any(tried), block
    assert PAGE.count(_NOT_TRIED) <= NOT_TRIED_MAX
    assert PAGE.count("```console") == len(blocks)


def test_the_commands_on_the_relay_s_folder_do_what_the_page_says(tmp_path: Path) -> None:
    """The small sister: no service, no computers."""
    (tmp_path / "bin").mkdir()
    tried = [one for _, computer, one in commands() if computer == "relay" and one[:7] == "bifolio"]
    typed("bifolio relay token create --data ~/relay", tmp_path, "relay")
    said = [typed(one, tmp_path, "relay") for one in tried]
    assert len(said) >= 4
    assert any("Ada" in one for one in said)


@pytest.mark.heavy
def test_the_commands_of_the_page_do_what_it_says(homes: dict[str, Path]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    port = (homes["relay"].parent / "port").read_text()
    url = f"ws://127.0.0.1:{port}"
    said: dict[tuple[str, str], str] = {}
    sections: list[str] = []
    for section, computer, command in commands():
        if section not in sections:
            sections.append(section)
            begin(section, homes, url)
        line = command.replace("8787", port)
        if line.startswith("systemctl"):
            line = f"~/bin/{line}"
        said[section, command] = typed(line, homes[computer], computer)
    ready = json.loads(said["How it goes", "curl --fail http://127.0.0.1:8787/readyz"])
    assert (ready["ready"], ready["files"], ready["damage_open"]) == ("ok", "ok", 0)
    for name in ("free_bytes", "reserve_bytes", "checks", "damage_found", "damage_mended"):
        assert name in ready
    assert {"connections", "commits", "queued_bytes"} <= ready.keys()
    metrics = said["How it goes", "curl --fail http://127.0.0.1:8787/metrics"]
    assert "bifolio_relay_ready 1" in metrics
    token = "Who may bring a library"
    assert "Ada" in said[token, "bifolio relay token list --data ~/relay"]
    assert "All changes of this computer are sent." in said["Restore", "bifolio status"]
    assert not (homes["relay"] / "relay").exists()
    states = [json.loads(typed("bifolio --json status", homes[one], one)) for one in COMPUTERS]
    assert states[0]["state"] == states[1]["state"]
    assert all(one["unsent"] == 0 for one in states)
    titles = typed("bifolio list", homes["laptop"], "laptop")
    assert all(title in titles for title in ("First", "Before the restore", "After the back-up"))


def begin(section: str, homes: dict[str, Path], url: str) -> None:
    """What happened on the computers before a section is read."""

    def on(computer: str, command: str) -> str:
        return typed(command, homes[computer], computer)

    match section:
        case "How it goes":
            on("desk", "bifolio init")
            on("desk", "bifolio add type=book title=First")
            ticket = json.loads(on("desk", f"bifolio --json attach {url}"))["ticket"]
            on("laptop", f"bifolio attach {ticket} ~/bifolio/Library.bifolio")
        case "Back-up":
            on("desk", "bifolio add type=book 'title=Before the restore'")
            on("desk", "bifolio sync")
        case "Restore":
            on("laptop", "bifolio add type=book 'title=After the back-up'")
            on("laptop", "bifolio sync")
        case "A full disk":
            on("desk", "bifolio sync")
        case _:
            return
