"""Where a record of the members may lead a computer."""

from __future__ import annotations

import pytest

from bifolio.replication.moving import may_follow

NETWORK, LOCAL = "wss://relay.example", "ws://127.0.0.1:8787"


@pytest.mark.parametrize(
    ("address", "from_network", "from_local"),
    [
        ("wss://new.example", True, True),
        ("ws://192.168.1.7:8787", True, True),
        ("wss://new.example/path", True, True),
        ("ws://127.0.0.1:9999", False, True),
        ("ws://localhost:9999", False, True),
        ("ws://[::1]:9999", False, True),
        ("ws://[::ffff:127.0.0.1]:9999", False, True),
        ("ws://0.0.0.0:9999", False, True),
        ("ws://169.254.169.254", False, False),
        ("ws://224.0.0.1", False, False),
        ("ws://[fe80::1]", False, False),
        ("http://new.example", False, False),
        ("wss://user:word@new.example", False, False),
        ("wss://new.example\nHost: other", False, False),
        ("wss:///nobody", False, False),
        ("", False, False),
        ("wss://" + "a" * 3000, False, False),
    ],
)
def test_where_a_record_may_lead(address: str, from_network: bool, from_local: bool) -> None:
    assert may_follow(address, NETWORK) is from_network
    assert may_follow(address, LOCAL) is from_local
