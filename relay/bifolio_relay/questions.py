"""Which question of the store a message is.

Names and nothing else: what the answer is, ``rules`` and the services decide.
"""

from __future__ import annotations

from bifolio.wire.messages import Append, AskBlobs, Chunk, DropBlobs, Message, PullChunk
from bifolio.wire.snapshot_messages import (
    AskSnapshots,
    OfferSnapshot,
    PullSnapshotChunk,
    SnapshotChunk,
    Statement,
    VerifySnapshot,
)
from bifolio_relay import requests
from bifolio_relay.requests import (
    AppendMember,
    BlobQuestion,
    LookForBlobs,
    OpenLibrary,
    ReadChunk,
    ReplaceMembers,
    SnapshotQuestion,
    StoreChunk,
)


def ask_to_append(message: Append, opening: OpenLibrary) -> AppendMember | ReplaceMembers:
    """The question that a record of the membership log is."""
    library, device, head = opening.library, opening.device, message.expected_head
    if message.kept:
        records = (message.record, *message.further)
        return ReplaceMembers(library, device, head, message.kept, records)
    return AppendMember(library, device, head, message.record, message.fresh)


def ask_about_blobs(message: Message, opening: OpenLibrary) -> BlobQuestion:
    """The question that a message about the contents of files is."""
    library, device = opening.library, opening.device
    match message:
        case AskBlobs():
            return LookForBlobs(library, device, message.blobs)
        case Chunk():
            return StoreChunk(
                library,
                device,
                message.blob,
                message.size_bytes,
                message.number,
                message.sealed,
            )
        case PullChunk():
            return ReadChunk(library, device, message.blob, message.number)
        case DropBlobs():
            return requests.DropBlobs(library, device, message.blobs)
        case _:
            raise AssertionError(f"{message.NAME} is not about blobs")


def ask_about_snapshots(message: Message, opening: OpenLibrary) -> SnapshotQuestion:
    """The question that a message about statements or snapshots is."""
    library, device = opening.library, opening.device
    match message:
        case Statement():
            return requests.PublishStatement(library, device, message.statement)
        case AskSnapshots():
            return requests.LookForSnapshots(library, device)
        case OfferSnapshot():
            return requests.OfferSnapshot(library, device, message.header)
        case SnapshotChunk():
            return requests.StoreSnapshotChunk(
                library, device, message.snapshot, message.number, message.sealed
            )
        case PullSnapshotChunk():
            return requests.ReadSnapshotChunk(library, device, message.snapshot, message.number)
        case VerifySnapshot():
            return requests.VerifySnapshot(library, device, message.verdict)
    raise AssertionError(f"{message.NAME} asks nothing about snapshots")
