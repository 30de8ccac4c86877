"""What the relay is told: bounds, and where the data go unless told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.cases import each
from typer import Context
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from bifolio.errors import UsageError
from bifolio_cli.application import application
from bifolio_relay.config import Config, default_data_folder, make_config, parse_size
from bifolio_relay.server import argument_parser


def test_the_relay_listens_on_loopback_unless_told() -> None:
    assert Config(data=Path("folder")).host == "127.0.0.1"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_a_usage_error(port: int) -> None:
    with pytest.raises(UsageError, match="port"):
        Config(data=Path("folder"), port=port)


def test_an_empty_host_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="address"):
        Config(data=Path("folder"), host="")


def test_the_data_go_below_the_home_where_one_is_set() -> None:
    assert default_data_folder({"BIFOLIO_HOME": "home"}) == Path("home") / "relay"
    assert default_data_folder({}).name == "relay"


@each(
    ("written", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("1k", 1024),
        ("500M", 500 << 20),
        ("20GiB", 20 << 30),
        ("1TB", 1 << 40),
    ],
)
def test_a_size_has_a_unit_or_is_bytes(written: str, size: int) -> None:
    assert parse_size(written) == size


@each("written", ["", "M", "-1", "1.5G", "1 X", "9" * 16])
def test_what_is_no_size_is_a_usage_error(written: str) -> None:
    with pytest.raises(UsageError, match="quota"):
        parse_size(written)


def test_a_quota_out_of_range_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="quota"):
        Config(data=Path("folder"), file_bytes_max=-1)


def test_both_commands_that_start_a_relay_offer_the_same_options() -> None:
    group = get_command(application())
    assert isinstance(group, TyperGroup)
    command = group.get_command(Context(group), "relay")
    assert command is not None
    offered = {
        option.opts[0]: option.help for option in command.params if isinstance(option, TyperOption)
    }
    common = {"-L", "--library", "--json"}
    own = {
        action.option_strings[0]: action.help
        for action in argument_parser()._actions
        if action.dest not in ("help", "version")
    }
    assert {flag: text for flag, text in offered.items() if flag not in common} == own


def test_what_is_not_given_is_as_the_configuration_has_it(tmp_path: Path) -> None:
    given = vars(argument_parser().parse_args(["--data", str(tmp_path)]))
    assert make_config({}, **given) == Config(data=tmp_path)
    given = vars(argument_parser().parse_args(["--quota", "5M", "--shared", "--port", "0"]))
    assert make_config({"BIFOLIO_HOME": str(tmp_path)}, **given) == Config(
        data=tmp_path / "relay", port=0, shared=True, file_bytes_max=5 << 20
    )


@each(
    ("given", "names"),
    [
        ("relay.example:8787", {"relay.example:8787"}),
        ("Relay.Example.", {"relay.example:443", "relay.example:80", "relay.example:8787"}),
        ("wss://a.example:1/, [::1]:2", {"a.example:1", "[::1]:2"}),
        ("10.0.0.1:1", {"10.0.0.1:1"}),
    ],
)
def test_a_relay_has_the_names_by_which_it_is_called(given: str, names: set[str]) -> None:
    assert make_config({"BIFOLIO_HOME": "h"}, **_options(f"--name={given}")).names == names


@each("given", [",", "relay example", "a:b", "a:99999", "ws://", "a/b", "-a"])
def test_what_is_no_name_is_a_usage_error(given: str) -> None:
    with pytest.raises(UsageError, match="no name of a relay"):
        make_config({"BIFOLIO_HOME": "h"}, **_options(f"--name={given}"))


def _options(*typed: str) -> dict[str, Any]:
    return vars(argument_parser().parse_args(typed))
