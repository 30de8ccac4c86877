"""What starts automatic sync at login: the texts, as the systems that read them understand them."""

from __future__ import annotations

import configparser
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bifolio_cli.environment import Environment
from bifolio_cli.service.launchd import Launchd
from bifolio_cli.service.process import PlainProcess
from bifolio_cli.service.selection import choose_service, list_services
from bifolio_cli.service.service import Program, ServiceError, answers, carry_out
from bifolio_cli.service.systemd import Systemd

ODD = 'A "home" 100% of $HOME\\ours'


@pytest.fixture
def program(tmp_path: Path) -> Program:
    home = tmp_path / ODD
    return Program.of(
        home, {"BIFOLIO_HOME": str(home), "BIFOLIO_DEVICE": "Jane's laptop"}, is_default=False
    )


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text)
    return parser


def test_the_command_is_that_of_this_installation(program: Program) -> None:
    assert program.arguments[0] == sys.executable
    done = subprocess.run(
        [*program.arguments, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "autosync run" in done.stdout


def test_each_home_named_by_hand_has_a_service_of_its_own(tmp_path: Path) -> None:
    names = {
        Systemd(Program.of(home, {}, is_default=is_default), tmp_path).unit
        for home, is_default in ((tmp_path, True), (tmp_path, False), (tmp_path / "b", False))
    }
    assert len(names) == 3
    assert "bifolio-autosync.service" in names


def test_the_unit_of_systemd_starts_with_the_session_and_again_after_a_crash(
    program: Program, tmp_path: Path
) -> None:
    unit = parsed(Systemd(program, tmp_path).text())
    assert unit["Install"]["WantedBy"] == "default.target"
    assert unit["Service"]["Restart"] == "on-failure"
    command = unit["Service"]["ExecStart"]
    assert command.startswith(f'"{sys.executable}"')
    assert command.endswith('"-m" "bifolio_cli.main" "autosync" "run"')


def test_systemd_itself_takes_the_unit(program: Program, tmp_path: Path) -> None:
    """Where its checker is installed; its words are no part of ours."""
    service = Systemd(program, tmp_path)
    service.file.parent.mkdir(parents=True)
    service.file.write_text(service.text())
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        return
    done = subprocess.run(
        [verifier, "--user", "verify", str(service.file)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert service.unit not in done.stderr, done.stderr


def test_a_word_of_the_unit_is_taken_as_it_is_whatever_is_in_it(tmp_path: Path) -> None:
    program = Program(("/bin/a b", 'q"%$\\'), tmp_path, {"NAME": "100% $x"}, "")
    unit = parsed(Systemd(program, tmp_path).text())
    assert unit["Service"]["ExecStart"] == r'"/bin/a b" "q\"%%$$\\"'
    assert unit["Service"]["Environment"] == '"NAME=100%% $x"'


def test_the_agent_of_launchd_starts_at_login_and_again_after_a_crash(
    program: Program, tmp_path: Path
) -> None:
    agent = Launchd(program, tmp_path)
    content = plistlib.loads(agent.content())
    assert content["Label"] == agent.label == agent.file.stem
    assert agent.file.parent == tmp_path / "Library" / "LaunchAgents"
    assert content["ProgramArguments"] == list(program.arguments)
    assert content["EnvironmentVariables"]["BIFOLIO_HOME"] == str(tmp_path / ODD)
    assert content["RunAtLoad"] is True
    assert content["KeepAlive"] == {"SuccessfulExit": False}


def unquoted(line: str) -> list[str]:
    """The arguments of an Exec key, by the rules of the Desktop Entry Specification."""
    value = line.replace("\\\\", "\\")
    arguments, current, quoted, escaped = [], "", False, False
    for sign in value:
        if escaped:
            current, escaped = current + sign, False
        elif quoted and sign == "\\":
            escaped = True
        elif sign == '"':
            if quoted:
                arguments.append(current.replace("%%", "%"))
            current, quoted = "", not quoted
        elif quoted:
            current += sign
    return arguments


def test_the_autostart_entry_runs_the_command_with_its_home(
    program: Program, tmp_path: Path
) -> None:
    entry = parsed(PlainProcess(program, tmp_path, {}, has_autostart=True).text())["Desktop Entry"]
    assert entry["Type"] == "Application"
    arguments = unquoted(entry["Exec"])
    assert arguments[0] == "/usr/bin/env"
    assert f"BIFOLIO_HOME={tmp_path / ODD}" in arguments
    assert tuple(arguments[-len(program.arguments) :]) == program.arguments


def test_a_plain_process_is_the_last_resort_and_can_be_asked_for(tmp_path: Path) -> None:
    environment = Environment(home=str(tmp_path), configuration=str(tmp_path / "config"))
    assert [kind.kind for kind in list_services(environment)][-1] == "process"
    assert choose_service(environment, plain=True).kind == "process"


def test_a_system_that_refuses_is_told_with_the_way_round_it() -> None:
    assert not answers(["no-such-command-of-any-system"])
    with pytest.raises(ServiceError, match="no-such-command") as told:
        carry_out(["no-such-command-of-any-system"])
    assert "--process" in str(told.value.next_step)
    with pytest.raises(ServiceError, match="/no/such/folder"):
        carry_out(["ls", "/no/such/folder"])
