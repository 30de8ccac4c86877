"""What a session may say in each of its phases: held against every message that it says."""

from __future__ import annotations

from collections.abc import Sequence

from bifolio.sync.phases import Creating, Greeting, Left, Live, Log, Members, Phase
from bifolio.sync.session import SyncSession
from bifolio.wire.messages import (
    Append,
    AskBlobs,
    Chunk,
    Create,
    DropBlobs,
    Flow,
    Hello,
    Locate,
    Message,
    Pull,
    PullChunk,
    PullMembers,
    Push,
)
from bifolio.wire.snapshot_messages import SNAPSHOT_QUESTIONS

SAID_IN: dict[type[Phase], tuple[type[Message], ...]] = {
    Greeting: (Hello,),
    Creating: (Create,),
    Members: (Flow, PullMembers, Append),
    Log: (Flow, Locate, Pull, *SNAPSHOT_QUESTIONS),
    Live: (Flow, Push, AskBlobs, Chunk, PullChunk, DropBlobs, *SNAPSHOT_QUESTIONS),
    Left: (),
}


#: What is said of files: only while nothing of the log is under way.
OF_FILES = (AskBlobs, Chunk, PullChunk, DropBlobs)


def check_said(session: SyncSession, messages: Sequence[Message]) -> None:
    """Each message belongs to the phase in which the session said it."""
    for message in messages:
        allowed = SAID_IN[type(session.phase)]
        assert isinstance(message, allowed), f"{message.NAME} was said in {session.phase}"
    if any(isinstance(message, OF_FILES) for message in messages):
        assert session.is_log_settled
        assert not any(isinstance(message, Push) for message in messages)
