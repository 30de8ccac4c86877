"""Random histories of one record, made by our own document code on several replicas.

Every update knows which updates its author had seen, so that they can be delivered causally or
not. Knows nothing of storage and envelopes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bifolio.clock import make_stamp
from bifolio.document import creators, deletion, editing
from bifolio.document.plan import Plan, Writer
from bifolio.document.record import RecordDocument
from bifolio.records.edits import Act, Edit

WORDS = ("alpha", "beta", "gamma ", "Żółć ", "é ", "👩‍🔬 ", "delta\n\n")


@dataclass(frozen=True, slots=True)
class Update:
    """One update, and the numbers of those that its author had merged."""

    seen: frozenset[int]
    raw: bytes


@dataclass(slots=True)
class Replica:
    """A document, what it has merged, and who writes in it."""

    name: int
    document: RecordDocument
    seen: set[int] = field(default_factory=set)
    opened: int = 0


def history(seed: int, *, length: int = 25, replicas: int = 3) -> list[Update]:
    """The updates of a random history, in an order in which they were made."""
    choose = random.Random(seed)
    updates: list[Update] = []
    everybody = [_opened(Replica(name, RecordDocument())) for name in range(replicas)]
    while len(updates) < length:
        replica = choose.choice(everybody)
        act = choose.random()
        if act < 0.35:
            _meet(replica, choose.choice(everybody), updates)
        elif act < 0.45:
            _opened(replica)
        else:
            plan = _plan(replica, len(updates), choose)
            if not plan.is_empty:
                raw = replica.document.write(plan)
                updates.append(Update(frozenset(replica.seen), raw))
                replica.seen.add(len(updates) - 1)
    return updates


def causal_order(updates: list[Update], choose: random.Random) -> list[int]:
    """A random order in which nothing comes before what its author had seen."""
    left = list(range(len(updates)))
    order: list[int] = []
    done: set[int] = set()
    while left:
        ready = [one for one in left if updates[one].seen <= done]
        one = choose.choice(ready)
        left.remove(one)
        done.add(one)
        order.append(one)
    return order


def _opened(replica: Replica) -> Replica:
    """Save, load and go on under another slot and client id, as every opening does."""
    replica.opened += 1
    state = replica.document.state() if replica.opened > 1 else None
    client = replica.name * 1000 + replica.opened + 1
    replica.document = RecordDocument(state, client_id=client)
    return replica


def _meet(one: Replica, other: Replica, updates: list[Update]) -> None:
    for number in sorted(other.seen - one.seen):
        one.document.merge(updates[number].raw)
    one.seen |= other.seen


def _plan(replica: Replica, number: int, choose: random.Random) -> Plan:
    slot = f"r{replica.name}-{replica.opened:04d}"
    plan = Plan(Writer(slot, make_stamp(milliseconds=number + 1, counter=0)))
    entries = replica.document.entries()
    act = choose.random()
    if act < 0.1:
        deletion.plan_delete(plan, entries)
    elif act < 0.15:
        deletion.plan_restore(plan, entries)
    else:
        editing.plan_edits(plan, entries, [_edit(replica, number, choose)])
    return plan


def _edit(replica: Replica, number: int, choose: random.Random) -> Edit:
    entries = replica.document.entries()
    names = [one.name for one in creators.read_creators(entries).get("author", [])]
    text = "".join(choose.choices(WORDS, k=choose.randint(1, 9))) + str(number)
    return choose.choice(
        (
            Edit("title", Act.SET, (text,)),
            Edit("note", Act.ADD, (text,)),
            Edit("note", Act.SET, (text,)),
            Edit("note", Act.CLEAR),
            Edit("author", Act.ADD, (f"Doe, {number % 4}",)),
            Edit("author", Act.SET, tuple(str(one) for one in reversed(names))),
            Edit("tags", Act.SET, tuple(choose.sample(("red", "green", "blue"), 2))),
            Edit("issued", Act.SET, (str(1990 + number),)),
            Edit("x.ris.U1", Act.ADD, (text,)),
        )
    )
