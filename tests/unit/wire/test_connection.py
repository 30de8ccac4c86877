"""Both ends at once: what one may send, the other takes; what it may not, both refuse."""

from __future__ import annotations

import pytest
from tests.support.cases import each

from bifolio import limits
from bifolio.errors import OutOfTurnError, ProtocolError
from bifolio.wire.connection import (
    RULES,
    ClientConnection,
    Connection,
    RelayConnection,
    Side,
    State,
    next_state,
)
from bifolio.wire.messages import (
    Ack,
    Append,
    Bye,
    Challenge,
    Code,
    Create,
    Envelopes,
    Hello,
    Members,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Unknown,
    Welcome,
)

CHALLENGE = Challenge((2,), b"n" * 32)
HELLO = Hello(2, (2,), b"l" * 16, b"d" * 32, b"s" * 64, "relay:443")
EMPTY = Welcome.nothing({})
WELCOME = Welcome(True, b"e" * 16, 0, bytes(32), None, None, 0, None, 1, bytes(32), {})
ONE_OF_EACH: tuple[Message, ...] = (
    CHALLENGE,
    HELLO,
    WELCOME,
    EMPTY,
    Pull(0),
    Envelopes(0, (), 0),
    Push((b"e",)),
    Ack((Receipt(bytes(32), 1),)),
    Nack(Code.GAP, b"", ""),
    Create(b"g"),
    PullMembers(0),
    Members(0, (), 0, bytes(32)),
    Append(bytes(32), b"r"),
    Bye(Retry.NEVER, ""),
    Unknown(99),
)


class Pair:
    """Two ends with a wire between them."""

    def __init__(self) -> None:
        self.client, self.relay = ClientConnection(), RelayConnection()

    def carry(self, *messages: Message) -> None:
        """Send each message from the side that may."""
        for message in messages:
            relays = next_state(self.relay.state, Side.RELAY, message) is not None
            sender: Connection = self.relay if relays else self.client
            receiver: Connection = self.client if relays else self.relay
            assert receiver.receive(sender.send(message)) == message
            assert sender.state is receiver.state

    def in_state(self, state: State) -> None:
        """Bring both ends into a state."""
        path: dict[State, tuple[Message, ...]] = {
            State.CONNECTED: (),
            State.CHALLENGED: (CHALLENGE,),
            State.GREETED: (CHALLENGE, HELLO),
            State.EMPTY: (CHALLENGE, HELLO, EMPTY),
            State.CREATING: (CHALLENGE, HELLO, EMPTY, Create(b"g")),
            State.OPEN: (CHALLENGE, HELLO, WELCOME),
            State.CLOSED: (Bye(Retry.NEVER, ""),),
        }
        self.carry(*path[state])
        assert self.client.state is state


def test_a_library_is_created_and_the_connection_opens() -> None:
    pair = Pair()
    pair.carry(CHALLENGE, HELLO, EMPTY, Create(b"g"), WELCOME, Push((b"e",)), Pull(0))
    assert pair.client.state is State.OPEN


def test_a_refused_creation_may_be_tried_again() -> None:
    pair = Pair()
    pair.carry(CHALLENGE, HELLO, EMPTY, Create(b"g"), Nack(Code.QUOTA, b"", ""), Create(b"g"))
    assert pair.relay.state is State.CREATING


@each("state", list(State))
@each("message", ONE_OF_EACH, ids=lambda message: message.NAME)
@each("side", list(Side))
def test_both_ends_agree_on_every_message_in_every_state(
    state: State, message: Message, side: Side
) -> None:
    pair = Pair()
    pair.in_state(state)
    sender, receiver = (
        (pair.client, pair.relay) if side is Side.CLIENT else (pair.relay, pair.client)
    )
    if next_state(state, side, message) is not None:
        assert receiver.receive(sender.send(message)) == message
        assert sender.state is receiver.state
        return
    with pytest.raises(OutOfTurnError):
        sender.send(message)
    with pytest.raises(ProtocolError):
        receiver.receive(message.serialize())
    assert sender.state is receiver.state is state


def test_the_relay_may_say_goodbye_in_every_state_but_the_last() -> None:
    for state in set(State) - {State.CLOSED}:
        assert next_state(state, Side.RELAY, Bye(Retry.NEVER, "")) is State.CLOSED
    assert RULES[State.CLOSED] == ()


def test_a_created_library_cannot_be_missing() -> None:
    assert next_state(State.CREATING, Side.RELAY, EMPTY) is None


def test_a_stranger_may_not_send_much() -> None:
    pair = Pair()
    pair.in_state(State.CHALLENGED)
    with pytest.raises(ProtocolError, match="bytes came"):
        pair.relay.receive(bytes(limits.HANDSHAKE_MESSAGE_BYTES_MAX + 1))


def test_the_largest_genesis_fits_before_the_connection_is_open() -> None:
    pair = Pair()
    pair.in_state(State.EMPTY)
    pair.carry(Create(bytes(limits.GENESIS_BYTES_MAX)))


def test_the_relay_names_a_message_that_it_does_not_know() -> None:
    pair = Pair()
    pair.in_state(State.OPEN)
    with pytest.raises(ProtocolError, match="type 99, which is not known here"):
        pair.relay.receive(Unknown(99).serialize())


def test_a_message_made_wrong_is_not_sent() -> None:
    relay = RelayConnection()
    with pytest.raises(OutOfTurnError, match="nonce"):
        relay.send(Challenge((2,), b"short"))
    assert relay.state is State.CONNECTED
