"""Who may be connected, and who goes for whom; how often something may happen."""

from __future__ import annotations

import ipaddress

import pytest
from tests.support.cases import each

from bifolio import limits
from bifolio_relay.admission import OWN_COMPUTER, Admission, address_of, forwarded_address
from bifolio_relay.rates import Buckets, TokenBucket

SOMEWHERE = address_of("203.0.113.7")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Connection:
    def __init__(self) -> None:
        self.is_cut = False

    def cut_off(self) -> None:
        self.is_cut = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def connect(
    admission: Admission, clock: Clock, count: int, address: bytes = OWN_COMPUTER
) -> list[Connection]:
    """So many connections, slowly enough."""
    made = []
    for _ in range(count):
        clock.now_s += 1
        made.append(Connection())
        assert admission.connect(made[-1], address)
    return made


def test_strangers_never_keep_a_newcomer_out(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    strangers = connect(admission, clock, limits.RELAY_STRANGERS_MAX + 5)
    assert [one.is_cut for one in strangers[:6]] == [True] * 5 + [False]
    assert admission.strangers == limits.RELAY_STRANGERS_MAX


def test_one_address_has_so_many_strangers_and_its_members_stay(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    (member,) = connect(admission, clock, 1, SOMEWHERE)
    assert admission.prove(member, b"library", b"device")
    strangers = connect(admission, clock, limits.RELAY_ADDRESS_STRANGERS_MAX + 3, SOMEWHERE)
    assert [one.is_cut for one in strangers[:4]] == [True] * 3 + [False]
    assert not member.is_cut


def test_one_address_has_so_many_connections_in_all(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    for number in range(limits.RELAY_ADDRESS_CONNECTIONS_MAX):
        (one,) = connect(admission, clock, 1, SOMEWHERE)
        assert admission.prove(one, b"library", b"device %d" % number)
    assert not admission.connect(Connection(), SOMEWHERE)
    assert admission.connect(Connection(), address_of("203.0.113.8"))


def test_one_address_opens_so_many_a_second(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    opened = [
        admission.connect(Connection(), SOMEWHERE)
        for _ in range(limits.RELAY_ADDRESS_OPENINGS_AT_ONCE + 10)
    ]
    assert opened.count(True) == limits.RELAY_ADDRESS_OPENINGS_AT_ONCE
    clock.now_s += 1
    assert admission.connect(Connection(), SOMEWHERE)


def test_one_device_has_so_many_connections_and_its_oldest_goes(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    made = connect(admission, clock, limits.RELAY_DEVICE_CONNECTIONS_MAX + 2)
    for one in made:
        assert admission.prove(one, b"library", b"device")
    assert [one.is_cut for one in made[:3]] == [True, True, False]


def test_a_crowd_at_one_library_keeps_nobody_from_another(clock: Clock) -> None:
    admission = Admission(100, clock)
    for number in range(25):
        (one,) = connect(admission, clock, 1)
        assert admission.prove(one, b"crowded", b"device %d" % number)
    (late,) = connect(admission, clock, 1)
    assert not admission.prove(late, b"crowded", b"late")
    (other,) = connect(admission, clock, 1)
    assert admission.prove(other, b"another", b"device")


def test_where_members_fill_all_places_the_largest_library_gives_one(clock: Clock) -> None:
    admission = Admission(100, clock)
    made = []
    for number in range(100):
        made += connect(admission, clock, 1)
        assert admission.prove(made[-1], b"library %d" % (number % 4), b"device %d" % number)
    (newcomer,) = connect(admission, clock, 1)
    assert [one.is_cut for one in made].count(True) == 1
    assert not newcomer.is_cut
    assert len(admission) == 100


def test_strangers_at_one_library_are_few(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    made = connect(admission, clock, limits.RELAY_LIBRARY_STRANGERS_MAX + 1)
    for one in made:
        admission.greet(one, b"library")
    assert [one.is_cut for one in made[:2]] == [True, False]


def test_an_address_creates_so_many_libraries(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    (one, own) = (
        connect(admission, clock, 1, SOMEWHERE)[0],
        connect(admission, clock, 1, OWN_COMPUTER)[0],
    )
    may = [admission.may_create(one) for _ in range(limits.RELAY_ADDRESS_CREATIONS_AT_ONCE + 5)]
    assert may.count(True) == limits.RELAY_ADDRESS_CREATIONS_AT_ONCE
    assert all(admission.may_create(own) for _ in range(100))
    clock.now_s += 1 / limits.RELAY_ADDRESS_CREATIONS_PER_S
    assert admission.may_create(one)


def test_what_ended_is_forgotten(clock: Clock) -> None:
    admission = Admission(10_000, clock)
    for number, one in enumerate(connect(admission, clock, 50, SOMEWHERE)):
        if number % 2:
            admission.prove(one, b"library", b"device")
        admission.leave(one)
        admission.leave(one)
    assert (len(admission), admission.strangers, admission._groups) == (0, 0, {})


@each(
    ("host", "address"),
    [
        ("203.0.113.7", bytes([203, 0, 113, 7])),
        ("::ffff:203.0.113.7", bytes([203, 0, 113, 7])),
        ("2001:db8:1:2:3:4:5:6", bytes.fromhex("20010db800010002")),
        ("2001:db8:1:2:ffff::%eth0", bytes.fromhex("20010db800010002")),
        ("127.0.0.1", OWN_COMPUTER),
        ("::1", OWN_COMPUTER),
        ("", OWN_COMPUTER),
        ("/run/relay.sock", OWN_COMPUTER),
    ],
)
def test_connections_are_counted_by_address_or_network(host: str, address: bytes) -> None:
    assert address_of(host) == address


def test_a_forwarded_address_is_believed_of_a_trusted_proxy_alone() -> None:
    proxies = ipaddress.ip_network("10.0.0.0/8")
    assert forwarded_address("10.1.2.3", "6.6.6.6, 203.0.113.7", proxies) == "203.0.113.7"
    assert forwarded_address("192.0.2.1", "203.0.113.7", proxies) is None
    assert forwarded_address("10.1.2.3", "", proxies) is None
    assert forwarded_address("somewhere", "203.0.113.7", proxies) is None


def test_a_bucket_fills_with_time() -> None:
    bucket = TokenBucket(2.0, 3)
    assert [bucket.try_take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s(0.0) == pytest.approx(0.5)
    assert bucket.try_take(0.5)
    assert [bucket.try_take(1_000.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.try_take(0.0)  # a clock that goes back gives nothing


def test_buckets_of_so_many_are_kept() -> None:
    buckets = Buckets(1.0, 1, kept=2)
    assert buckets.of(b"a").try_take(0.0)
    for name in (b"b", b"a", b"c"):
        buckets.of(name)
    assert not buckets.of(b"a").try_take(0.0)
