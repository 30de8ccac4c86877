"""What the relay is told: bounds, and where the data go unless told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifolio.errors import UsageError
from bifolio_relay.config import Config, default_data_folder


def test_the_relay_listens_on_loopback_unless_told() -> None:
    assert Config(data=Path("folder")).host == "127.0.0.1"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_a_usage_error(port: int) -> None:
    with pytest.raises(UsageError, match="--port"):
        Config(data=Path("folder"), port=port)


def test_an_empty_host_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--host"):
        Config(data=Path("folder"), host="")


def test_the_data_go_below_the_home_where_one_is_set() -> None:
    assert default_data_folder({"BIFOLIO_HOME": "home"}) == Path("home") / "relay"
    assert default_data_folder({}).name == "relay"
