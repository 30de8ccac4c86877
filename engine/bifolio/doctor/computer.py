"""Checks of what a library needs of its computer: place, keys, clock, relay, work that waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bifolio import limits
from bifolio.autosync import control
from bifolio.clock import stamp_milliseconds
from bifolio.crypto.key_condition import KeyCondition, KeyPlace
from bifolio.errors import (
    BifolioError,
    Next,
    NextStep,
    OldMembershipError,
    ProtocolError,
    RelayUnreachableError,
)
from bifolio.home import Home
from bifolio.library import status
from bifolio.library.counting import say_count
from bifolio.replica import folder
from bifolio.replica.membership import LibraryMembership
from bifolio.replica.replica import Replica
from bifolio.replication.adapter import ReplicaAdapter
from bifolio.replication.client import Client
from bifolio.replication.remote import Remote
from bifolio.replication.run_blocking import run_blocking
from bifolio.results import Link, Status
from bifolio.results.doctor import CheckVerdict, Finding
from bifolio.wire.messages import Welcome

_SET_CLOCK = NextStep(Next.SET_CLOCK)


def place(path: Path, home: Home) -> Iterator[Finding]:
    """Neither the library nor the home lies where a cloud's program or a hand takes it away."""
    bad = [one for place in dict.fromkeys((path, home.path)) for one in folder.warnings(place)]
    for one in bad:
        yield Finding("place", CheckVerdict.ATTENTION, one.message, one.next)
    if not bad:
        yield Finding("place", CheckVerdict.WELL, f"{path} is on this computer's own disk.")


def key(condition: KeyCondition) -> Finding:
    """The device's key is there, can be read, and can be read by its user alone."""
    if condition.reason:
        return Finding("key", CheckVerdict.ATTENTION, condition.reason, condition.next)
    if condition.place is KeyPlace.NOWHERE:
        return Finding(
            "key", CheckVerdict.WELL, "This computer has no key yet: its first edit makes one."
        )
    where = "the system's keyring" if condition.place is KeyPlace.KEYRING else str(condition.path)
    return Finding("key", CheckVerdict.WELL, f"This computer's key is in {where}, for you alone.")


def membership(member_log: LibraryMembership, replica: Replica) -> Finding:
    """This device may write the library, and can open its content key."""
    try:
        role = member_log.role()
    except OldMembershipError as error:
        return Finding("membership", CheckVerdict.ATTENTION, error.message, error.next_step)
    ticket = NextStep(Next.ASK_FOR_TICKET)
    if role is None:
        message = "This computer is not a member of the library (is it a copy from another one?)."
        return Finding("membership", CheckVerdict.ATTENTION, message, ticket)
    if not member_log.has_key():
        message = "This computer is a member of the library, but cannot open the library's key."
        return Finding("membership", CheckVerdict.ATTENTION, message, ticket)
    message = f"This computer is {_article(str(role))} of the library."
    for notice in status.advice(replica):
        return Finding("membership", CheckVerdict.WELL, f"{message} {notice.message}", notice.next)
    return Finding("membership", CheckVerdict.WELL, message)


def clock(replica: Replica, relay_s: float | None) -> Iterator[Finding]:
    """This computer's clock agrees with the relay's and with its own last edits; so do others'."""
    now_ms = replica.runtime.now_ms()
    bad = []
    if relay_s is not None:
        ahead_s = now_ms / 1000 - relay_s
        if abs(ahead_s) * 1000 > limits.CLOCK_AHEAD_MS_MAX:
            way = "ahead of" if ahead_s > 0 else "behind"
            message = (
                f"This computer's clock is {abs(ahead_s) / 60:,.0f} minutes {way} the relay's."
            )
            bad.append(Finding("clock", CheckVerdict.ATTENTION, message, _SET_CLOCK))
    last = replica.meta.clock
    before_s = (stamp_milliseconds(last) - now_ms) / 1000
    if not bad and before_s * 1000 > limits.CLOCK_AHEAD_MS_MAX:
        message = f"The newest edit here is dated {before_s / 60:,.0f} minutes in the future."
        bad.append(Finding("clock", CheckVerdict.ATTENTION, message, _SET_CLOCK))
    bad += [
        Finding("clock", CheckVerdict.ATTENTION, one.reason, one.next)
        for one in status.clocks(replica)
    ]
    yield from bad
    if not bad:
        compared = "the relay's and " if relay_s is not None else ""
        yield Finding(
            "clock", CheckVerdict.WELL, f"The clock agrees with {compared}the last edits."
        )


def relay(replica: Replica, member_log: LibraryMembership) -> tuple[Finding, float | None]:
    """The relay answers, holds the library, and takes this device for a member; and its time."""
    url = replica.meta.relay_url
    if not url:
        message = "The library is on this computer only: it is not attached to a relay."
        return Finding("relay", CheckVerdict.WELL, message), None
    port = ReplicaAdapter(replica, member_log)

    try:
        answer = run_blocking(Remote.reach(url, port.make_hello))
        relay_s = run_blocking(Client.time_of(url))
    except RelayUnreachableError as error:
        step = NextStep(Next.CHECK_RELAY)
        return Finding("relay", CheckVerdict.ATTENTION, error.message, step), None
    except (ProtocolError, BifolioError) as error:
        return Finding("relay", CheckVerdict.ATTENTION, error.message, error.next_step), None
    return judge_answer(url, answer, replica), relay_s


def judge_answer(url: str, answer: object, replica: Replica) -> Finding:
    """What a relay's answer to a greeting says of it and of this computer."""
    if not isinstance(answer, Welcome):
        message = f"The relay at {url} did not answer as a relay does."
        return Finding("relay", CheckVerdict.ATTENTION, message, NextStep(Next.CHECK_VERSIONS))
    if not answer.exists:
        message = f"The relay at {url} does not hold this library any more."
        return Finding("relay", CheckVerdict.ATTENTION, message, NextStep(Next.RUN_SYNC))
    if answer.role is None:
        message = f"The relay at {url} does not know this computer as a member."
        step = NextStep(Next.SYNC_OR_ASK_FOR_TICKET)
        return Finding("relay", CheckVerdict.ATTENTION, message, step)
    cursor = replica.meta.cursor
    behind = answer.n - (cursor.position if cursor is not None else 0)
    new = f", with {say_count(behind, 'change')} not received yet" if behind > 0 else ""
    role = _article(answer.role)
    message = f"The relay at {url} holds the library{new}; this computer is {role} of it."
    if "fragment_bytes" not in answer.limits:
        message += (
            " It is of an earlier Bifolio: everything syncs, but where a line is cut, a large "
            "change begins again from its start."
        )
        return Finding("relay", CheckVerdict.ATTENTION, message, NextStep(Next.UPGRADE_RELAY))
    return Finding("relay", CheckVerdict.WELL, message)


def check_pending(report: Status) -> Iterator[Finding]:
    """Work that waits: unsent, received too early, refused, quarantined."""
    bad = [
        Finding("pending", CheckVerdict.ATTENTION, one.reason, one.next) for one in report.refusals
    ]
    drafts = (NextStep(Next.EXPORT_DRAFT), NextStep(Next.EXPORT_DRAFT_OR_ASK))
    may_send = all(one.next not in drafts for one in report.refusals)
    unsent = report.unsent if may_send else 0  # otherwise said among the refusals
    if report.relay is not None and (unsent or report.unsent_files):
        numbers = (("change", unsent), ("file", report.unsent_files))
        what = " and ".join(say_count(n, noun) for noun, n in numbers if n)
        message = f"{what} of this computer not sent yet."
        bad.append(Finding("pending", CheckVerdict.ATTENTION, message, NextStep(Next.RUN_SYNC)))
    if report.waiting:
        message = f"{say_count(report.waiting, 'received change')} waiting for earlier ones."
        step = NextStep(Next.RUN_SYNC_ON_BOTH)
        bad.append(Finding("pending", CheckVerdict.ATTENTION, message, step))
    yield from bad
    if not bad:
        yield Finding("pending", CheckVerdict.WELL, "Nothing is waiting, and nothing was refused.")


def autosync(path: Path, home: Home, *, attached: bool) -> Finding:
    """Automatic sync, where it is on, runs and has the library."""
    found = control.status(home)
    lines = [one for one in found.libraries if one.path == path]
    if not lines:
        step = NextStep(Next.TURN_ON_AUTOSYNC) if attached else None
        return Finding("autosync", CheckVerdict.WELL, "Automatic sync is off.", step)
    state = lines[0]
    if state.link in (Link.CONNECTED, Link.STARTING):
        return Finding("autosync", CheckVerdict.WELL, f"Automatic sync is on: {state.link}.")
    return Finding("autosync", CheckVerdict.ATTENTION, state.reason, state.next)


def _article(role: str) -> str:
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"
