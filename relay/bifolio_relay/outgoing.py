"""The messages by which a session tells of the log, of members and of refusals: plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifolio import limits
from bifolio.wire.messages import Code, Envelopes, Members, Nack
from bifolio_relay.requests import MembersPart, Rejected


def entries(envelopes: Sequence[bytes], *, before: int, n: int) -> Iterator[Envelopes]:
    """Envelopes that end just before a position, in messages of bounded size."""
    after = before - 1 - len(envelopes)
    batch: list[bytes] = []
    size_bytes = 0
    for raw in envelopes:
        size_bytes += len(raw)
        full = size_bytes > limits.BATCH_BYTES_TARGET
        if batch and (full or len(batch) == limits.BATCH_ENVELOPES_MAX):
            yield Envelopes(after, tuple(batch), n)
            after += len(batch)
            batch, size_bytes = [], len(raw)
        batch.append(raw)
    if batch:
        yield Envelopes(after, tuple(batch), n)


def members_message(part: MembersPart) -> Members:
    """What is told of membership records."""
    return Members(part.start, part.records, part.total, part.head)


def nack(rejection: Rejected) -> Nack:
    """What is told of a refusal."""
    with_chain = rejection.code in (Code.FORK, Code.GAP, Code.NEED_SNAPSHOT)
    return Nack(
        rejection.code,
        rejection.subject,
        rejection.detail,
        seq=rejection.seq if with_chain else 0,
        head=rejection.head if with_chain else bytes(32),
        proof=rejection.proof,
    )
