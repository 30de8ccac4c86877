"""What came from others and was not merged, in sentences: whose it was, why, and what to do.

What an author did is told in a few lines, however often it was done. A reason is of our own words;
the names of computers and records are shown as data.
"""

from __future__ import annotations

from collections.abc import Iterator

from bifolio import limits
from bifolio.errors import Next, NextStep, next_step
from bifolio.ids import device_tag
from bifolio.library.counting import say_count
from bifolio.replica import lookup
from bifolio.replica.replica import Replica
from bifolio.results import Refusal
from bifolio.storage.quarantined_updates import INCOMPLETE, QuarantineCount


def refusals(replica: Replica) -> Iterator[Refusal]:
    """All that was refused, set aside or not kept of what others sent."""
    names = lookup.device_names(replica)
    yield from _fatal(replica, names)
    yield from _envelopes(replica, names)
    yield from _doubles(replica, names)
    yield from _updates(replica, names)
    yield from _not_kept(replica, names)


def _fatal(replica: Replica, names: dict[str, str]) -> Iterator[Refusal]:
    for device, count in replica.refused.fatal_by_author():
        author = _name(device, names)
        verb = "It was" if count == 1 else "They were"
        yield Refusal(
            f"{say_count(count, 'change')} of {author} ended Bifolio twice while merging. {verb} "
            "set aside, and all others go on.",
            next_step(Next.ASK_AUTHOR, device=author),
        )


def _envelopes(replica: Replica, names: dict[str, str]) -> Iterator[Refusal]:
    shown: dict[bytes | None, int] = {}
    hidden: dict[bytes | None, int] = {}
    for one in replica.refused.counts():
        shown[one.device] = shown.get(one.device, 0) + 1
        if shown[one.device] > limits.REFUSALS_SHOWN_PER_AUTHOR_MAX:
            hidden[one.device] = hidden.get(one.device, 0) + one.count
            continue
        yield _refused(one.device, _what(one.count, one.first), one.reason, names, one.count)
    for device, count in hidden.items():
        yield _refused(device, say_count(count, "further change"), "other rules", names, count)


def _what(count: int, first: bytes) -> str:
    return f"A received change ({first.hex()[:12]})" if count == 1 else f"{count:,} changes"


def _refused(
    device: bytes | None, what: str, reason: str, names: dict[str, str], count: int
) -> Refusal:
    verb = "was" if count == 1 else "were"
    if device is None:
        return Refusal(
            f"{what} {verb} refused: {reason}. Nothing of it was used.",
            NextStep(Next.TELL_RELAY_OPERATOR),
        )
    # Loaded here: it opens envelopes, and a status without refusals starts fast without it.
    from bifolio.replication.judging import NO_RIGHT

    author = _name(device, names)
    step = Next.ASK_FOR_DRAFT if reason == NO_RIGHT else Next.ASK_AUTHOR
    return Refusal(f"{what} of {author} {verb} refused: {reason}.", next_step(step, device=author))


def _doubles(replica: Replica, names: dict[str, str]) -> Iterator[Refusal]:
    for device, count in replica.changes.doubles():
        author = _name(device, names)
        yield Refusal(
            f"{author} signed two different changes for one place of its history "
            f"({say_count(count, 'time')}): its library's folder was copied, or it does not tell "
            "everybody the same.",
            next_step(Next.ASK_AUTHOR, device=author),
        )


def _updates(replica: Replica, names: dict[str, str]) -> Iterator[Refusal]:
    by_author: dict[tuple[bytes | None, str], list[QuarantineCount]] = {}
    for one in replica.quarantined.counts():
        by_author.setdefault((one.device, one.kind), []).append(one)
    for (device, kind), counts in by_author.items():
        for one in counts[: limits.REFUSALS_SHOWN_PER_AUTHOR_MAX]:
            yield _set_aside(device, kind, one.count, one.record[:12], one.reason, names)
        rest = counts[limits.REFUSALS_SHOWN_PER_AUTHOR_MAX :]
        if rest:
            records = f"{len(rest):,} further records"
            total = sum(one.count for one in rest)
            yield _set_aside(device, kind, total, records, "for such reasons", names)


def _set_aside(
    device: bytes | None, kind: str, count: int, record: str, reason: str, names: dict[str, str]
) -> Refusal:
    changes, verb = say_count(count, "change"), "was" if count == 1 else "were"
    if device is None:  # by an earlier version, which kept the record's later changes back too
        return Refusal(
            f"{changes} to {record} {verb} set aside: {reason}.", NextStep(Next.REPAIR_LIBRARY)
        )
    author = _name(device, names)
    step = next_step(Next.ASK_AUTHOR, device=author)
    if kind == INCOMPLETE:
        return Refusal(
            f"{changes} of {author} to {record} {'waits' if count == 1 else 'wait'} for a part "
            f"that is missing: {reason}.",
            step,
        )
    return Refusal(f"{changes} of {author} to {record} {verb} set aside: {reason}.", step)


def _not_kept(replica: Replica, names: dict[str, str]) -> Iterator[Refusal]:
    for tag, count in replica.meta.not_kept.items():
        changes, verb = say_count(count, "change"), "was" if count == 1 else "were"
        if not tag:
            yield Refusal(
                f"{changes} {verb} not kept: of computers that are no members, as far as is known "
                "here. They are asked for again when the members change.",
                NextStep(Next.WAIT),
            )
            continue
        author = lookup.device_name(names, tag)
        yield Refusal(
            f"{changes} of {author} {verb} not kept, because {author} has too much waiting for "
            "changes that never came. They are asked for again when there is room.",
            next_step(Next.ASK_AUTHOR, device=author),
        )


def _name(device: bytes, names: dict[str, str]) -> str:
    return lookup.device_name(names, device_tag(device))
