"""Who may send which message when: one table of states, walked by both ends.

``receive`` takes the bytes of one websocket message and gives a ``Message``; what the peer did
wrong is a ``ProtocolError``. ``send`` takes a message and gives the bytes; what we ourselves do
wrong is an ``OutOfTurnError``. Neither does any I/O, and what a message means for the library is
the business of ``sync`` and of the relay's ``session``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, cast

from bifolio import limits
from bifolio.errors import OutOfTurnError, ProtocolError
from bifolio.wire.messages import (
    Ack,
    Append,
    AskBlobs,
    Blobs,
    Bye,
    Challenge,
    Chunk,
    Create,
    Delete,
    DropBlobs,
    Envelopes,
    Flow,
    Fragment,
    Hello,
    Ignorable,
    Locate,
    Located,
    Members,
    Message,
    Nack,
    Pull,
    PullChunk,
    PullMembers,
    Push,
    Unknown,
    Welcome,
    parse_message,
)
from bifolio.wire.snapshot_messages import SNAPSHOT_ANSWERS, SNAPSHOT_QUESTIONS


class Side(StrEnum):
    """The two ends of a connection."""

    CLIENT = "client"
    RELAY = "relay"


class State(StrEnum):
    """How far a connection is; both ends walk the same states."""

    CONNECTED = "connected"  #: the relay's turn: CHALLENGE
    CHALLENGED = "challenged"  #: the client's turn: HELLO
    GREETED = "greeted"  #: the relay's turn: WELCOME
    EMPTY = "empty"  #: welcomed; the relay does not hold the library
    CREATING = "creating"  #: the relay's turn: WELCOME, or NACK
    OPEN = "open"  #: welcomed; both may speak at any time
    CLOSED = "closed"  #: nothing more is sent


class Rule(NamedTuple):
    """In a state, ``sender`` may send ``message``, which leads to ``then``."""

    sender: Side
    message: type[Message]
    then: State


_ABOUT_FILES = (AskBlobs, Chunk, PullChunk, DropBlobs)

_GOODBYE = Rule(Side.RELAY, Bye, State.CLOSED)

#: What may be sent in each state. A WELCOME without the library leads to EMPTY instead of OPEN.
RULES: dict[State, tuple[Rule, ...]] = {
    State.CONNECTED: (Rule(Side.RELAY, Challenge, State.CHALLENGED), _GOODBYE),
    State.CHALLENGED: (Rule(Side.CLIENT, Hello, State.GREETED), _GOODBYE),
    State.GREETED: (Rule(Side.RELAY, Welcome, State.OPEN), _GOODBYE),
    State.EMPTY: (Rule(Side.CLIENT, Create, State.CREATING), _GOODBYE),
    State.CREATING: (
        Rule(Side.RELAY, Welcome, State.OPEN),
        Rule(Side.RELAY, Nack, State.EMPTY),
        _GOODBYE,
    ),
    State.OPEN: (
        *(Rule(Side.CLIENT, message, State.OPEN) for message in (Pull, Push, PullMembers, Append)),
        *(Rule(Side.CLIENT, message, State.OPEN) for message in _ABOUT_FILES),
        Rule(Side.CLIENT, Delete, State.OPEN),
        *(Rule(Side.RELAY, message, State.OPEN) for message in (Envelopes, Ack, Nack, Members)),
        *(Rule(Side.RELAY, message, State.OPEN) for message in (Blobs, Chunk)),
        *(Rule(Side.CLIENT, message, State.OPEN) for message in SNAPSHOT_QUESTIONS),
        *(Rule(Side.RELAY, message, State.OPEN) for message in SNAPSHOT_ANSWERS),
        # For poor lines: large messages in parts, and what became of those whose answer was lost.
        *(Rule(Side.CLIENT, message, State.OPEN) for message in (Fragment, Locate, Flow)),
        *(Rule(Side.RELAY, message, State.OPEN) for message in (Fragment, Located)),
        # News of a later version: the client passes over it, because what it asked for comes in
        # messages that it knows. To the relay such a message is an error, unless its sender lives
        # without an answer.
        Rule(Side.RELAY, Unknown, State.OPEN),
        Rule(Side.CLIENT, Ignorable, State.OPEN),
        _GOODBYE,
    ),
    State.CLOSED: (),
}

_LARGE_MESSAGES = (State.OPEN,)


class Connection:
    """One end of a connection; use ``ClientConnection`` or ``RelayConnection``."""

    side: Side
    peer: Side

    def __init__(self) -> None:
        self.state = State.CONNECTED

    @property
    def message_bytes_max(self) -> int:
        """The largest message that may come now: a stranger gets no more memory than a greeting."""
        if self.state in _LARGE_MESSAGES:
            return limits.MESSAGE_BYTES_MAX
        return limits.HANDSHAKE_MESSAGE_BYTES_MAX

    def receive(self, raw: bytes) -> Message:
        """The message in the bytes that came, if the peer may send it now.

        Raises:
            ProtocolError: it is too large, no message, or out of turn. The caller then ends the
                connection; the relay may say BYE before.
        """
        if len(raw) > self.message_bytes_max:
            raise ProtocolError(f"{len(raw)} bytes came in the state '{self.state}'")
        message = parse_message(raw)
        following = next_state(self.state, self.peer, message)
        if following is None:
            name = message.NAME
            if isinstance(message, Unknown):
                name = f"a message of the type {message.number}, which is not known here,"
            raise ProtocolError(f"{name} came in the state '{self.state}'")
        self.state = following
        return message

    def send(self, message: Message) -> bytes:
        """The bytes of a message of ours.

        Raises:
            OutOfTurnError: we may not send it now, or made it wrong: a bug of this side.
        """
        following = next_state(self.state, self.side, message)
        if following is None:
            raise OutOfTurnError(f"{message.NAME} in the state '{self.state}'")
        try:
            raw = message.serialize()
        except ValueError as error:
            raise OutOfTurnError(f"{message.NAME} with {error}") from error
        self.state = following
        return raw


class ClientConnection(Connection):
    """The replica's end."""

    side = Side.CLIENT
    peer = Side.RELAY


class RelayConnection(Connection):
    """The relay's end."""

    side = Side.RELAY
    peer = Side.CLIENT


def next_state(state: State, sender: Side, message: Message) -> State | None:
    """The state that a message leads to; None if this side may not send it now."""
    kind = type(message)
    try:
        then = _FOLLOWING[state, sender, kind]
    except KeyError:
        then = _FOLLOWING[state, sender, kind] = _follow(state, sender, kind)
    if kind is Welcome and then is not None and not cast(Welcome, message).exists:
        # A library that was just created cannot be missing.
        return State.EMPTY if state is State.GREETED else None
    return then


#: What ``RULES`` says, as it was looked up: there are thousands of messages a second.
_FOLLOWING: dict[tuple[State, Side, type[Message]], State | None] = {}


def _follow(state: State, sender: Side, kind: type[Message]) -> State | None:
    for rule in RULES[state]:
        if rule.sender is sender and issubclass(kind, rule.message):
            return rule.then
    return None
