"""A library that moves to another relay: owners say so, and every computer follows.

Where the library is travels as a record of the members. An address from there is believed as far as
it can be checked: it has the form of one, it leads nobody from a relay of the network to a program
of the own computer, and the relay there holds this library. Relays that were left are looked at for
a while: the record is given to them, and what others said there at the same time is learnt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from bifolio import limits
from bifolio.crypto.ticket import is_relay_address
from bifolio.errors import BifolioError, NotAttachedError
from bifolio.ids import device_tag
from bifolio.replica import lookup
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.client import Client
from bifolio.replication.greeting import make_hello, relay_name
from bifolio.replication.relay_addresses import is_local_address, is_public_enough
from bifolio.storage.meta import FormerRelay, RelayMove
from bifolio.wire.messages import Challenge, Hello


class Followed(Struct, frozen=True):
    """What became of a record that says where the library is: the address ``to`` which this
    computer went, or ``why`` it stays; both empty where there was none."""

    to: str = ""
    why: str = ""


def is_to_be_said(replica: Replica, member_log: LibraryMembership, url: str) -> bool:
    """Whether an owner who brings the library to a relay has to tell others of it: there is
    somebody to follow, and an address that they could use."""
    here, said = replica.meta.relay_url, member_log.said_address()
    before = here or replica.meta.detached_from
    if here == url or said == url or (before == url and said is None):
        return False
    if is_local_address(url) and not is_local_address(before):
        return False
    membership = member_log.membership()
    return bool(here) or (membership is not None and len(membership.members) > 1)


def is_to_be_followed(replica: Replica, member_log: LibraryMembership) -> bool:
    """Whether an owner said where the library is, and this computer did not heed it yet."""
    meta, notice = replica.meta, member_log.relay_notice()
    return notice is not None and bool(meta.relay_url) and notice.hash != meta.relay_notice


async def follow(replica: Replica, member_log: LibraryMembership) -> Followed:
    """Go where an owner said that the library is, if this computer has not done so or cannot.

    Where the relay there does not answer, or not yet hold the library, it stays, and the next sync
    tries again.
    """
    notice, address = member_log.relay_notice(), member_log.said_address()
    if notice is None or address is None or not is_to_be_followed(replica, member_log):
        return Followed()  # nothing to do, or the content key is still to come
    here = replica.meta.relay_url
    if address == here:
        heed(replica, member_log)
        return Followed()
    if not may_follow(address, here):
        heed(replica, member_log)
        return Followed(
            why="An owner says that the library is on another relay now, at an address that other "
            f"computers cannot use. This computer stays with {here}."
        )
    by = lookup.device_name(lookup.device_names(replica), device_tag(notice.author))
    stays = f"This computer stays with {here} until it does."
    try:
        genesis = await asyncio.wait_for(
            Client.read_genesis(address, partial(_greeting, replica, address)),
            limits.RELAY_FOLLOW_TIMEOUT_S,
        )
    except (BifolioError, TimeoutError):
        return Followed(why=f"{by} moved the library to {address}, which does not answer. {stays}")
    membership = member_log.membership()
    if membership is None or genesis != membership.records[0]:
        return Followed(why=f"{by} moved the library to {address}, which does not hold it. {stays}")
    leave(replica, address, by=by)
    heed(replica, member_log)
    return Followed(to=address)


def not_attached(replica: Replica) -> NotAttachedError:
    """That this computer is on no relay, and where the library is."""
    said = replica.meta.said_relay
    return NotAttachedError(said.url if said is not None else "")


def may_follow(address: str, here: str) -> bool:
    """Whether a computer that is on one relay may go to the address that a record names."""
    if not is_relay_address(address) or "@" in address:
        return False
    if is_local_address(address):
        return is_local_address(here)
    return is_public_enough(address)


def heed(replica: Replica, member_log: LibraryMembership) -> None:
    """What the members' list says now of where the library is needs nothing more here."""
    notice = member_log.relay_notice()
    with replica.database.transaction():
        replica.meta.relay_notice = notice.hash if notice else b""


def leave(replica: Replica, url: str, *, by: str, token: bytes = b"") -> None:
    """Be on another relay from here on; the one before is kept among those that were left, with
    this computer's token for it, and what is known of the new one is taken from there.

    Args:
        url: the relay's address.
        by: whose computer said so.
        token: this computer's for it, sealed; otherwise the one from before, if it was there.
    """
    meta, now_ms = replica.meta, replica.runtime.now_ms()
    if meta.relay_url == url:
        with replica.database.transaction():
            meta.relay_token = token or meta.relay_token
        return
    before = meta.relay_url or meta.detached_from
    has_moved = before not in ("", url)
    with replica.database.transaction():
        if meta.relay_url:
            _remember(replica, FormerRelay(before, meta.relay_token, now_ms))
        returned = {one.url: one for one in meta.former_relays}.get(url)
        meta.former_relays = [one for one in meta.former_relays if one.url != url]
        meta.relay_url, meta.reachable, meta.was_asked, meta.notes = url, False, False, ()
        meta.is_at_another_relay = meta.is_at_another_relay or has_moved
        meta.relay_token = token or (returned.token if returned else b"")
        meta.relay_move = RelayMove(before, by, now_ms) if has_moved else None
        meta.detached_from = ""


def detach(replica: Replica, *, is_deleted: bool = False) -> None:
    """Be on no relay. An owner who later brings the library to another one tells the one that it
    was on, unless it was deleted there: then nothing is there to be told, and what that relay had
    is not what it lost."""
    meta = replica.meta
    with replica.database.transaction():
        if meta.relay_url and not is_deleted:
            left = FormerRelay(meta.relay_url, meta.relay_token, replica.runtime.now_ms())
            _remember(replica, left)
        meta.detached_from = "" if is_deleted else meta.relay_url
        meta.is_at_another_relay = meta.is_at_another_relay or is_deleted
        meta.relay_url, meta.relay_token, meta.notes = "", b"", ()


def remember_said(replica: Replica, url: str) -> None:
    """The relay on which an owner had said that the library is, if it is another one than where
    this owner brings it: who followed there has to hear of it."""
    said = replica.meta.said_relay
    if said is None or said.url in (url, replica.meta.relay_url) or not may_follow(said.url, url):
        return
    tokens = {one.url: one.token for one in replica.meta.former_relays}
    left = FormerRelay(said.url, tokens.get(said.url, b""), replica.runtime.now_ms())
    with replica.database.transaction():
        _remember(replica, left)  # told of another move before or not


def _remember(replica: Replica, left: FormerRelay) -> None:
    """Keep a relay among those that were left, the latest last."""
    others = [one for one in replica.meta.former_relays if one.url != left.url]
    replica.meta.former_relays = [*others, left][-limits.FORMER_RELAYS_MAX :]


#: What of ``meta`` says where the library is.
_PLACE = (
    "relay_url",
    "reachable",
    "notes",
    "relay_token",
    "former_relays",
    "relay_move",
    "is_at_another_relay",
    "detached_from",
)


def read_place(replica: Replica) -> Mapping[str, object]:
    """Where the library is, to be put back (``put_back``) if it does not come to another relay."""
    return {name: getattr(replica.meta, name) for name in _PLACE}


def put_back(replica: Replica, place: Mapping[str, object]) -> None:
    """The library is where it was after all."""
    with replica.database.transaction():
        for name, value in place.items():
            setattr(replica.meta, name, value)


async def look_back(replica: Replica, member_log: LibraryMembership) -> None:
    """Bring together the list of members here and on the relays that were left, for a while after
    that and now and then; one that does not answer costs a few seconds, once in an hour."""
    meta, now_ms = replica.meta, replica.runtime.now_ms()
    for one in meta.former_relays:
        waited_ms = now_ms - one.looked_ms
        if 0 <= waited_ms < limits.FORMER_RELAY_LOOK_S * 1000 and one.is_told:
            continue
        if 0 <= waited_ms < limits.FORMER_RELAY_RETRY_S * 1000:
            continue
        told = False
        store = ReplicaAdapter(replica, member_log)
        with suppress(BifolioError, TimeoutError):
            told = await asyncio.wait_for(
                Client.settle_members(one.url, store, partial(_greeting, replica, one.url)),
                limits.FORMER_RELAY_TIMEOUT_S,
            )
        _note_look(replica, one, told=told)


def _note_look(replica: Replica, looked: FormerRelay, *, told: bool) -> None:
    meta, now_ms = replica.meta, replica.runtime.now_ms()
    fresh: list[FormerRelay] = []
    for one in meta.former_relays:
        found = one
        if one.url == looked.url:
            found = replace(one, looked_ms=now_ms, is_told=one.is_told or told)
        if now_ms - one.left_ms < limits.FORMER_RELAY_KEPT_S * 1000:
            fresh.append(found)
    with replica.database.transaction():
        meta.former_relays = fresh


def _greeting(replica: Replica, url: str, challenge: Challenge) -> Hello:
    """HELLO of this device to another relay than the library's."""
    return make_hello(replica.keys, challenge, library=replica.library_id, relay=relay_name(url))
