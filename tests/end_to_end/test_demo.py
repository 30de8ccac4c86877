"""``bifolio demo``: what it tells is so, what is not so ends it, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import command_server, short_demo
from tests.support.bibliographies import PRINTING_HISTORY, TYPOGRAPHY

from bifolio.errors import BifolioError
from bifolio_cli.demo import script
from bifolio_cli.demo.narration import command_line
from bifolio_cli.demo.outcome import Outcome

ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, "-m", "bifolio_cli.main", "demo")

#: The same with the smaller of the two libraries on both computers: it comes sooner to its relay.
SMALL_DEMO = (
    sys.executable,
    "-c",
    "from bifolio_cli.demo import script\n"
    "from bifolio_cli.main import main\n"
    "script.TYPOGRAPHY = script.PRINTING_HISTORY\n"
    "main()",
    "demo",
)

#: A test run keeps both processors busy with other tests.
DEMO_TIMEOUT_S = 280
WHOLE_DEMO_TIMEOUT_S = 900

#: Works that each library of ``shorter_demo`` has, those of the story first.
SHORT_REFERENCES = 40


def runtime(folder: Path) -> dict[str, str]:
    """The variables of a user whose temporary files go to ``folder``."""
    home = folder / "home"
    temporary = folder / "temporary"
    home.mkdir()
    temporary.mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith("BIFOLIO_")}
    return own | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "XDG_DATA_HOME": str(home / "share"),
        "PYTHONUTF8": "1",
    }


def processes_that_name(folder: Path) -> list[str]:
    """The command lines or working folders of running processes that lie in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = (entry / "cwd").readlink()
        except OSError:
            continue
        if place.is_relative_to(folder):
            found.append(f"{entry.name}: {place}")
    return found


@contextmanager
def started(folder: Path, demo: Sequence[str] = DEMO) -> Iterator[subprocess.Popen[str]]:
    """The demo in a process group of its own, as a terminal starts it."""
    process = subprocess.Popen(
        demo,
        env=runtime(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def assert_nothing_is_left(folder: Path, stderr: str) -> None:
    """No file, no process and no traceback."""
    assert "Traceback" not in stderr
    assert list((folder / "temporary").iterdir()) == []
    assert processes_that_name(folder) == []


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Read what the process prints until a line holds the text."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the demo ended without printing {text!r}")


def entries_of(file: Path) -> list[str]:
    """The entries of a BibTeX file."""
    return [one for one in file.read_text("utf-8").split("\n\n") if one.lstrip()[:1] == "@"]


def shorter_demo(folder: Path) -> tuple[str, ...]:
    """The demo with a part of each library: the works of the story, and some others."""
    entries = entries_of(TYPOGRAPHY)
    named = (*script.GROUPED, script.GROUPED_LATER, script.DELETED)
    wanted = [one for one in entries if any(f"{{{key}," in one for key in named)]
    wanted += [one for one in entries[:SHORT_REFERENCES] if one not in wanted]
    libraries = folder / "package" / "libraries"
    libraries.mkdir(parents=True)
    for file, kept in ((TYPOGRAPHY, wanted), (PRINTING_HISTORY, entries_of(PRINTING_HISTORY))):
        short = "\n\n".join(kept[:SHORT_REFERENCES]) + "\n"
        (libraries / file.name).write_text(short, encoding="utf-8")
    return (short_demo.__file__, str(libraries.parent), str(SHORT_REFERENCES), "demo")


@pytest.mark.timeout(300)
def test_the_demo_holds_what_it_promises_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = [*shorter_demo(tmp_path), "--json"]
    environment = runtime(tmp_path)
    if command_server.is_available():
        ended = command_server.run_script(
            demo, environment=environment, folder=ROOT, timeout_s=DEMO_TIMEOUT_S
        )
        code, printed, told = ended.exit_code, ended.stdout, ended.stderr
    else:
        code, printed, told = run_to_its_end(
            [sys.executable, *demo], environment | {"PYTHONPATH": str(ROOT)}, DEMO_TIMEOUT_S
        )
    assert code == 0, printed + told
    assert_it_held(tmp_path, printed, told, references=(SHORT_REFERENCES, SHORT_REFERENCES))


@pytest.mark.heavy
def test_the_whole_demo_does_so_too(tmp_path: Path) -> None:
    code, printed, told = run_to_its_end([*DEMO, "--json"], runtime(tmp_path), WHOLE_DEMO_TIMEOUT_S)
    assert code == 0, printed + told
    assert_it_held(tmp_path, printed, told, references=(5735, 846))


def run_to_its_end(
    demo: Sequence[str], environment: dict[str, str], timeout_s: float
) -> tuple[int, str, str]:
    """The exit code of a process, and what it printed on stdout and on stderr."""
    ended = subprocess.run(
        demo,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def assert_it_held(folder: Path, printed: str, told: str, *, references: tuple[int, int]) -> None:
    """All checks of a demo that ended hold, and nothing is left."""
    document = json.loads(printed)
    assert document["references"]["office_alone"] == references[0]
    assert document["references"]["laptop_alone"] == references[1]
    assert document["conflicts"]["after_the_edits"] == document["conflicts"]["at_the_end"] + 2
    assert len(document["checks"]) >= 20
    assert all(check["holds"] for check in document["checks"])
    assert document["folder"] is None
    assert len(document["state"]) == 64
    assert "office$ bifolio conflicts" in told
    assert "checks hold" in told
    assert not any(line.endswith(" ") for line in told.splitlines() if "holds" in line)
    assert list((folder / "home").rglob("*")) == []
    assert_nothing_is_left(folder, told)


def test_ctrl_c_during_a_command_leaves_no_file_and_no_process(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        read_until(process, "office$ bifolio import")
        # A terminal sends it to every process that runs in it.
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 130, stderr
    assert "nothing is left behind" in stderr
    assert_nothing_is_left(tmp_path, stderr)


@pytest.mark.heavy
def test_a_demo_that_is_terminated_ends_its_relay_too(tmp_path: Path) -> None:
    with started(tmp_path, SMALL_DEMO) as process:
        read_until(process, "listening on ws://")
        assert processes_that_name(tmp_path)
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM, stderr
    assert_nothing_is_left(tmp_path, stderr)


def test_what_does_not_hold_ends_the_demo_with_a_sentence_that_names_it() -> None:
    outcome = Outcome()
    outcome.check("the sky is blue", holds=True)
    outcome.require()
    outcome.check("the sea is dry", holds=False)
    with pytest.raises(BifolioError, match=r"does not hold: the sea is dry\.") as raised:
        outcome.require()
    assert raised.value.exit_code == 1
    assert raised.value.next_step


def test_commands_are_shown_as_a_user_types_them() -> None:
    shown = command_line(("edit", "a:1", "title=On Type", "author+=Doe, Jane", "issued=2026"))
    assert shown == "bifolio edit a:1 title='On Type' author+='Doe, Jane' issued=2026"


def test_a_ticket_is_shown_by_its_beginning_only() -> None:
    shown = command_line(("attach", "bifolio:" + "x" * 300))
    assert len(shown) < 60
    assert shown.endswith("...")
