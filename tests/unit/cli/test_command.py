"""The command as a process: exit codes, both ways of speaking, and what it does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import command_server


def _run(*arguments: str | bytes, home: Path) -> subprocess.CompletedProcess[bytes]:
    """A process of its own, forked from one that has loaded the command where that is possible."""
    environment = _environment(home)
    if not command_server.is_available():
        return _start(*arguments, environment=environment)
    typed = [os.fsdecode(argument) for argument in arguments]
    ended = command_server.run(typed, environment=environment, folder=home, timeout_s=60)
    out, errors = ended.stdout.encode(), ended.stderr.encode()
    return subprocess.CompletedProcess(typed, ended.exit_code, out, errors)


def _start(
    *arguments: str | bytes, environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """A process from its start."""
    return subprocess.run(
        [sys.executable, "-m", "bifolio_cli.main", *arguments],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "BIFOLIO_HOME": str(home), "PYTHONUTF8": "1"}


_WRONG_CALLS: list[tuple[tuple[str | bytes, ...], str]] = [
    ((), "No command"),
    (("shwo",), "No such command"),
    (("show",), "Missing argument"),
    (("show", "doe2024", "--bogus"), "--bogus"),
    (("show", b"caf\xe9"), "UTF-8"),
    (("add",), "Missing argument"),
    (("add", "title"), "is not an assignment"),
    (("edit", "doe2024", "titel=x"), "no field named 'titel'"),
    (("edit", "doe2024", "title+=x"), "is one value"),
    (("attach", "relay.example"), "neither the address of a relay nor a ticket"),
    (("attach", "ws://relay.example", "Work"), "PATH is for a ticket"),
    (("export",), "--format"),
    (("export", "--format", "docx"), "docx"),
    (("import", "a.ris", "--format", "docx"), "docx"),
    (("resolve", "doe2024", "title"), "--take N and --value V"),
    (("resolve", "doe2024", "title", "--take", "1", "--value", "x"), "--take N and --value V"),
    (("resolve", "doe2024", "deleted", "--take", "1"), "no values to choose from"),
    (("relay", "--port", "65536"), "--port"),
]


@pytest.mark.parametrize(
    ("arguments", "named"), _WRONG_CALLS, ids=[str(call[0]) for call in _WRONG_CALLS]
)
def test_a_wrong_call_exits_with_2_and_says_what_is_wrong_and_what_to_do(
    arguments: tuple[str | bytes, ...], named: str, tmp_path: Path
) -> None:
    done = _run(*arguments, "--json", home=tmp_path)
    assert done.returncode == 2
    failure = json.loads(done.stdout)
    assert set(failure) == {"error"}
    assert named in failure["error"]["message"]
    assert failure["error"]["next"]["text"]
    assert done.stderr == b""


def test_a_wrong_call_of_a_person_is_told_on_stderr(tmp_path: Path) -> None:
    done = _run("edit", "doe2024", "titel=x", home=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Error: There is no field named 'titel'.\nDid you mean 'title'?" in done.stderr


def test_export_to_stdout_has_no_room_for_a_json_report(tmp_path: Path) -> None:
    done = _run("export", "--format", "ris", "--json", home=tmp_path)
    assert done.returncode == 2
    assert "-o FILE" in json.loads(done.stdout)["error"]["next"]["text"]


@pytest.mark.parametrize("arguments", [("--json", "show"), ("show", "--json")])
def test_json_may_stand_before_or_after_the_verb(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert "error" in json.loads(_run(*arguments, home=tmp_path).stdout)


def test_no_verb_shows_them_all(tmp_path: Path) -> None:
    done = _run(home=tmp_path)
    assert done.returncode == 2
    assert b"conflicts" in done.stderr


def test_the_version_is_told_in_both_ways(tmp_path: Path) -> None:
    from bifolio import __version__

    told = _start("--version", environment=_environment(tmp_path))
    assert told.stdout.decode().split() == ["bifolio", __version__]
    document = json.loads(_run("--json", "--version", home=tmp_path).stdout)
    assert document == {"version": __version__}


@pytest.mark.parametrize(
    "call", [["--version"], ["show", "doe2024"], ["edit", "doe2024", "title=x"], ["status"]]
)
def test_a_command_for_one_reference_loads_no_rich_and_no_network(
    call: list[str], tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "from bifolio_cli.main import run\n"
        "run(sys.argv[1:])\n"
        "heavy = ('rich', 'websockets', 'pylatexenc', 'lxml', 'platformdirs')\n"
        "sys.stderr.write('LOADED ' + ' '.join(name for name in heavy if name in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *call],
        env={**os.environ, "BIFOLIO_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.rpartition("LOADED")[2].split() == []


def test_ascii_output_shows_the_help_all_the_same(tmp_path: Path) -> None:
    ascii = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = _start("--help", environment=_environment(tmp_path) | ascii)
    assert done.returncode == 0
    assert b"Usage: bifolio" in done.stdout


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bifolio_cli.main", "--help"],
        env={**os.environ, "BIFOLIO_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    message = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert message == b""


def test_a_wrong_call_ends_a_process_from_its_start_too(tmp_path: Path) -> None:
    done = _start("show", b"caf\xe9", "--json", environment=_environment(tmp_path))
    assert done.returncode == 2
    assert "UTF-8" in json.loads(done.stdout)["error"]["message"]


def test_a_name_that_begins_with_a_dash_goes_after_two_dashes(tmp_path: Path) -> None:
    done = _run("show", "-44book", "--json", home=tmp_path)
    assert done.returncode == 2
    assert "after --" in json.loads(done.stdout)["error"]["next"]["text"]


def test_a_full_stdout_ends_in_one_sentence_on_stderr(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():  # Linux only; elsewhere there is nothing to show
        return
    with full.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "bifolio_cli.main", "--version", "--json"],
            env={"PATH": os.environ["PATH"], "BIFOLIO_HOME": str(tmp_path)},
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_mistyped_option_is_named_also_where_tickets_are_given(tmp_path: Path) -> None:
    result = _run("attach", "--labell", "office", home=tmp_path)
    assert result.returncode == 2
    assert b"No such option: --labell" in result.stderr
    for secret in ("--QkVeryMuchOfATicket", "-kkd", "--abcdefghijklmnopqrstuvw", "--abc_DEF"):
        result = _run("attach", secret, home=tmp_path)
        assert result.returncode == 2
        assert secret.strip("-").encode() not in result.stderr + result.stdout
