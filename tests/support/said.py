"""What a session may say in each of its phases: held against every message that it says."""

from __future__ import annotations

from collections.abc import Iterable

from bifolio.sync.phases import Creating, Greeting, Left, Live, Log, Members, Phase
from bifolio.wire.messages import (
    Append,
    AskBlobs,
    Chunk,
    Create,
    DropBlobs,
    Hello,
    Message,
    Pull,
    PullChunk,
    PullMembers,
    Push,
)

SAID_IN: dict[type[Phase], tuple[type[Message], ...]] = {
    Greeting: (Hello,),
    Creating: (Create,),
    Members: (PullMembers, Append),
    Log: (Pull,),
    Live: (Push, AskBlobs, Chunk, PullChunk, DropBlobs),
    Left: (),
}


def check_said(phase: Phase, messages: Iterable[Message]) -> None:
    """Each message belongs to the phase in which it was said."""
    for message in messages:
        assert isinstance(message, SAID_IN[type(phase)]), f"{message.NAME} was said in {phase}"
