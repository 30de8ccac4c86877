"""What a relay's refusal means for the user: an error with a next step."""

from __future__ import annotations

from bifolio.errors import BifolioError, NotAMemberError, RelayRefusedError
from bifolio.wire.messages import Code, Nack


def unknown_library() -> RelayRefusedError:
    """The relay does not hold the library, and nobody here can give it back."""
    return RelayRefusedError(
        Code.UNKNOWN_LIBRARY,
        detail="it does not hold this library",
        next_step="Run 'bifolio sync' on a computer that holds the library, which gives "
        "it back to the relay; then try again here.",
    )


def refusal_of(message: Nack) -> BifolioError:
    """The error of a refusal that stands in the way of everything."""
    if message.code is Code.FORBIDDEN:
        return NotAMemberError()
    steps = {
        Code.QUOTA: "Ask who runs the relay for more room; then run 'bifolio sync'.",
        Code.RATE: "Wait a minute, then run 'bifolio sync'.",
        Code.STALE_KEY: "Run 'bifolio sync' again: the library's key was changed.",
    }
    return RelayRefusedError(
        str(message.code), detail=message.detail, next_step=steps.get(message.code, "")
    )
