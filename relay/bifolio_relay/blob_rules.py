"""Who may do what with a library's blobs: pure functions of question, role and what is held.

Every member may ask and read; who may write may store and drop. What a blob holds, and what it is
called, the relay cannot know. Knows nothing of stores or connections.
"""

from __future__ import annotations

from bifolio import limits
from bifolio.crypto.blob import sealed_chunk_count, sealed_chunk_length
from bifolio.crypto.membership import Role
from bifolio.wire.messages import Code
from bifolio_relay.quotas import blob_cost
from bifolio_relay.requests import BlobQuestion, BlobStates, DropBlobs, Rejected, StoreChunk
from bifolio_relay.storage import BlobView


def judge_device(question: BlobQuestion, role: str | None) -> Rejected | None:
    """What keeps a device with this role from having it answered; None if nothing does."""
    if role is None:
        return _reject(Code.FORBIDDEN, question, "only members have to do with its files")
    writes = isinstance(question, StoreChunk | DropBlobs)
    if writes and role not in (Role.OWNER, Role.EDITOR):
        return _reject(Code.FORBIDDEN, question, "a reader stores and drops no files")
    return None


def check_chunk(question: StoreChunk) -> Rejected | None:
    """What is wrong with a chunk, whatever is held; None if nothing is."""
    if question.size_bytes > limits.BLOB_BYTES_MAX:
        return _reject(Code.TOO_BIG, question, f"at most {limits.BLOB_BYTES_MAX} bytes")
    count = sealed_chunk_count(question.size_bytes)
    if count is None or not 0 <= question.number < count:
        return _reject(Code.INVALID, question, "no blob of that size has such a chunk")
    if len(question.sealed) != sealed_chunk_length(question.size_bytes, question.number):
        return _reject(Code.INVALID, question, "the chunk has not the length of its place")
    return None


def judge_chunk(
    question: StoreChunk, view: BlobView, *, library_bytes_max: int
) -> Rejected | BlobStates | None:
    """What a checked chunk is answered where its blob is held so; None if it is to be stored.

    Asked for a chunk that is known already, or too early, what is held says how to go on.
    """
    (state,), (sender,) = view.states, view.senders
    if sender not in (None, question.device):
        return _reject(Code.TAKEN, question, "another computer is sending it")
    if state.held and state.size_bytes != question.size_bytes:
        return _reject(Code.INVALID, question, "it is held with another size")
    if state.held != question.number:
        return states_of(view, news=state.whole and state.held == question.number + 1)
    cost_bytes = view.cost_bytes + blob_cost(question.size_bytes)
    if question.number == 0 and cost_bytes > library_bytes_max:
        return _reject(
            Code.QUOTA, question, f"the files of a library may have {library_bytes_max} B"
        )
    return None


def reject_full(question: StoreChunk) -> Rejected:
    """The disk has no room for it."""
    return _reject(Code.QUOTA, question, "the relay's disk is full")


def reject_taken(question: StoreChunk) -> Rejected:
    """Others are sending it, again and again."""
    return _reject(Code.TAKEN, question, "another computer is sending it")


def states_of(view: BlobView, *, news: bool = False) -> BlobStates:
    """What is told of a view."""
    return BlobStates(view.states, view.drops, view.tally, news)


def _reject(code: Code, question: BlobQuestion, detail: str) -> Rejected:
    blobs = question.blobs[:1] if hasattr(question, "blobs") else (question.blob,)
    return Rejected(code, b"".join(blobs), detail)
