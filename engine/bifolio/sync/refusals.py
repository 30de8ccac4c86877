"""What a relay's refusal means for the user: an error with a next step."""

from __future__ import annotations

from bifolio.errors import (
    BifolioError,
    LibraryDeletedError,
    Next,
    NotAMemberError,
    RelayRefusedError,
    TicketEndedError,
)
from bifolio.wire.messages import Code, Nack


def unknown_library(next_step: Next = Next.SYNC_LIBRARY_HOLDER) -> RelayRefusedError:
    """The relay does not hold the library, and nobody here can give it back."""
    return RelayRefusedError(
        Code.UNKNOWN_LIBRARY,
        detail="it does not hold this library",
        next_step=next_step,
    )


def lacks_snapshot_key() -> RelayRefusedError:
    """The log begins behind a snapshot that this device was not given the key of: an owner's
    computer gives it when it next syncs."""
    return RelayRefusedError(
        str(Code.NEED_SNAPSHOT),
        detail="the beginning of the library is there only as a snapshot, and no owner's computer "
        "has given this one the key to it yet",
        next_step=Next.SYNC_TICKET_MAKER,
    )


def refusal_of(message: Nack) -> BifolioError:
    """The error of a refusal that stands in the way of everything."""
    if message.code is Code.FORBIDDEN:
        return NotAMemberError(relay_says=True)
    if message.code is Code.DELETED:
        return LibraryDeletedError(str(message.code), detail=message.detail)
    if message.code is Code.EXPIRED:
        return TicketEndedError(str(message.code), detail=message.detail)
    if message.code is Code.NEED_SNAPSHOT:
        return RelayRefusedError(
            str(message.code),
            detail="the beginning of the library is there only as a snapshot, and no other "
            "computer that may write says that it is right",
            next_step=Next.SYNC_ANOTHER_WRITER,
        )
    steps = {
        Code.QUOTA: Next.ASK_FOR_ROOM,
        Code.TOKEN: Next.GIVE_RELAY_TOKEN,
        Code.RATE: Next.RUN_SYNC_LATER,
        Code.STALE_KEY: Next.RUN_SYNC_AGAIN,
    }
    step = steps.get(message.code, Next.SEE_STATUS_THEN_SYNC)
    return RelayRefusedError(str(message.code), detail=message.detail, next_step=step)
