"""What the relay is told: bounds, and where the data go unless told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifolio.errors import UsageError
from bifolio_relay.config import Config, default_data_folder, parse_size


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


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("written", ["", "M", "-1", "1.5G", "1 X", "9" * 16])
def test_what_is_no_size_is_a_usage_error(written: str) -> None:
    with pytest.raises(UsageError, match="--quota"):
        parse_size(written)


def test_a_quota_out_of_range_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--quota"):
        Config(data=Path("folder"), file_bytes_max=-1)
