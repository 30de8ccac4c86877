"""Attacks by what a relay answers: receipts, greetings, ends, and too much of anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace
from tests.simulation.hostile_attacks.cases import (
    UNKNOWN_MESSAGE,
    attack,
    is_of,
    stranger_envelope,
)
from tests.simulation.hostile_world import World, library_of_others
from tests.support.forks import proof_of_fork
from tests.support.hostile_relay import Answers, Attack, Line

from bifolio import limits
from bifolio.crypto.envelope import (
    SignedHeader,
    parse_envelope,
)
from bifolio.ids import content_hash
from bifolio.wire.messages import (
    Ack,
    Append,
    AskBlobs,
    Blobs,
    BlobState,
    Bye,
    Challenge,
    Code,
    Create,
    Envelopes,
    Hello,
    Message,
    Nack,
    Pull,
    PullMembers,
    Push,
    Receipt,
    Retry,
    Welcome,
)

# --- ACK and NACK --------------------------------------------------------------------------------


def _pushes(answer: Callable[[tuple[bytes, ...]], Iterable[Message]]) -> Attack:
    def answers(message: Message) -> Iterable[Message] | None:
        return answer(message.envelopes) if isinstance(message, Push) else None

    return Answers(answers=answers)


def _nacks(code: Code, *, proof: bytes = b"") -> Attack:
    return _pushes(
        lambda raws: [
            Nack(code, content_hash(raw), "because I say so", proof=proof) for raw in raws
        ]
    )


@attack()
def _acks_at_the_end_and_drops(world: World) -> Attack:
    n = len(world.evil.log())
    return _pushes(
        lambda raws: [
            Ack(tuple(Receipt(content_hash(raw), n + at) for at, raw in enumerate(raws, 1)))
        ]
    )


@attack(heavy=True)
def _acks_at_wrong_positions(_: World) -> Attack:
    return _pushes(
        lambda raws: [Ack(tuple(Receipt(content_hash(raw), at) for at, raw in enumerate(raws, 1)))]
    )


@attack("again and again")
def _acks_far_beyond_the_end(_: World) -> Attack:
    class Beyond(Answers):
        def heard(self, line: Line, message: Message) -> None:
            match message:
                case Push():
                    line.tell(
                        Ack(tuple(Receipt(content_hash(raw), 10**9) for raw in message.envelopes))
                    )
                case Pull():
                    line.tell(Envelopes(message.after, (), 10**9))
                case _:
                    line.ask(message)

    return Beyond()


@attack(heavy=True)
def _acks_what_was_not_sent(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        if isinstance(message, Ack):
            return [Ack((Receipt(b"?" * 32, 1),)), message]
        return [message]

    return Answers(says=says)


@attack("does not show the other one", heavy=True)
def _nacks_fork_without_proof(_: World) -> Attack:
    return _nacks(Code.FORK)


@attack("does not show the other one", heavy=True)
def _nacks_fork_with_another_s_proof(world: World) -> Attack:
    bob = next(
        one for one in map(parse_envelope, world.evil.log()) if is_of(world, one.raw, world.bob)
    )
    return _nacks(Code.FORK, proof=SignedHeader.of(bob).serialize())


@attack("does not show the other one")
def _nacks_fork_with_the_host_s_proof(world: World) -> Attack:
    keys = world.host.keys
    envelope = world.mallory.says()
    return _nacks(Code.FORK, proof=proof_of_fork(envelope, keys))


@attack("again and again to continue a chain", heavy=True)
def _nacks_gap(_: World) -> Attack:
    return _nacks(Code.GAP)


@attack("The relay says that this computer is not a member")
def _nacks_forbidden(_: World) -> Attack:
    return _nacks(Code.FORBIDDEN)


@attack("again and again", heavy=True)
def _nacks_unknown_head(_: World) -> Attack:
    return _nacks(Code.UNKNOWN_HEAD)


@attack("again and again")
def _nacks_head_moved_for_ever(_: World) -> Attack:
    return _nacks(Code.HEAD_MOVED)


@attack("It is kept on this computer", heavy=True)
def _nacks_too_big(_: World) -> Attack:
    return _nacks(Code.TOO_BIG)


@attack("It is kept on this computer", heavy=True)
def _nacks_invalid(_: World) -> Attack:
    return _nacks(Code.INVALID)


@attack("quota", heavy=True)
def _nacks_quota(_: World) -> Attack:
    return _nacks(Code.QUOTA)


@attack("rate", heavy=True)
def _nacks_rate(_: World) -> Attack:
    return _nacks(Code.RATE)


@attack("stale-key", heavy=True)
def _nacks_stale_key(_: World) -> Attack:
    return _nacks(Code.STALE_KEY)


@attack("need-snapshot", heavy=True)
def _nacks_a_pull(_: World) -> Attack:
    return Answers(
        answers=lambda message: (
            [Nack(Code.NEED_SNAPSHOT, b"", "below the floor")]
            if isinstance(message, Pull)
            else None
        )
    )


@attack("a-later-word", heavy=True)
def _nacks_in_a_later_word(_: World) -> Attack:
    return _nacks(Code("a-later-word"))


@attack(heavy=True)
def _nacks_what_was_not_sent(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        if isinstance(message, Ack):
            return [Nack(Code.FORK, b"?" * 32, "no"), Nack(Code.GAP, b"?" * 32, "no"), message]
        return [message]

    return Answers(says=says)


# --- BYE and WELCOME -----------------------------------------------------------------------------


def _byes(retry: Retry, before: type[Message]) -> Attack:
    def answers(message: Message) -> Iterable[Message] | None:
        return [Bye(retry, "go away")] if isinstance(message, before) else None

    return Answers(answers=answers)


@attack(r"The relay refused \(never\): go away")
def _byes_for_ever(_: World) -> Attack:
    return _byes(Retry.NEVER, Hello)


@attack("go away", heavy=True)
def _byes_once(_: World) -> Attack:
    return _byes(Retry.ONCE, Push)


@attack("go away", heavy=True)
def _byes_until_later(_: World) -> Attack:
    return _byes(Retry.BACKOFF, Push)


@attack("was cut", heavy=True)
def _cuts(_: World) -> Attack:
    class Cuts(Attack):
        def heard(self, line: Line, _: Message) -> None:
            line.cut()

    return Cuts()


def _welcomes(change: Callable[[Welcome], Welcome]) -> Attack:
    return Answers(
        says=lambda message: [change(message) if isinstance(message, Welcome) else message]
    )


@attack("again and again")
def _welcomes_with_a_log_that_is_not_there(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, n=one.n + 100))


@attack("its log is not what it said", heavy=True)
def _welcomes_with_another_hash(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, chain_hash=b"h" * 32, cursor_hash=None))


@attack("lost part of its log", heavy=True)
def _welcomes_without_the_cursor(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, cursor_hash=None))


@attack(heavy=True)
def _welcomes_with_a_shorter_log(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, n=0, chain_hash=b"h" * 32))


@attack(heavy=True)
def _welcomes_with_any_role(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, role="king"))


@attack("came back|again and again|new connection")
def _welcomes_without_a_role(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, role=None))


@attack(heavy=True)
def _welcomes_with_a_floor_and_limits(_: World) -> Attack:
    return _welcomes(lambda one: replace(one, floor=10**9, limits={"envelope_bytes": 1, "x": 0}))


@attack("was just given|lost part", heavy=True)
def _welcomes_as_if_it_held_nothing(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        return [Welcome.nothing({}) if isinstance(message, Welcome) else message]

    def answers(message: Message) -> Iterable[Message] | None:
        return [Welcome.nothing({})] if isinstance(message, Create) else None

    return Answers(says=says, answers=answers)


@attack("speaks version 99", heavy=True)
def _speaks_another_version(_: World) -> Attack:
    def says(message: Message) -> Iterable[Message]:
        return [replace(message, versions=(99,)) if isinstance(message, Challenge) else message]

    return Answers(says=says)


# --- too much, without an end, too slow ----------------------------------------------------------


class EndlessLog(Attack):
    """Whatever is pulled, there is more; ``make`` makes entries."""

    def __init__(self, make: Callable[[int], bytes], *, page: int = 8) -> None:
        self._make, self._page = make, page

    def said(self, line: Line, message: Message) -> None:
        if isinstance(message, Welcome):
            message = replace(message, n=message.n + 10**6, chain_hash=b"h" * 32)
        line.tell(message)

    def heard(self, line: Line, message: Message) -> None:
        if isinstance(message, Pull):
            made = tuple(self._make(message.after + at) for at in range(self._page))
            line.tell(Envelopes(message.after, made, message.after + 10**6))
        else:
            line.ask(message)


@attack("again and again", heavy=True)
def _garbage_without_end(_: World) -> Attack:
    return EndlessLog(lambda at: at.to_bytes(8) * 20, page=16)


@attack("again and again", heavy=True)
def _large_garbage_without_end(_: World) -> Attack:
    return EndlessLog(lambda at: at.to_bytes(8) * 20_000, page=1)


@attack("again and again", heavy=True)
def _strangers_without_end(world: World) -> Attack:
    made = [stranger_envelope(world, number).raw for number in range(40)]
    return EndlessLog(lambda at: made[at % 40])


@attack("again and again", heavy=True)
def _another_library_without_end(world: World) -> Attack:
    others = library_of_others(world.folder / "elsewhere")
    return EndlessLog(lambda at: others[at % len(others)])


@attack("again and again", heavy=True)
def _bad_signatures_without_end(world: World) -> Attack:
    one = parse_envelope(world.evil.log()[0])
    return EndlessLog(lambda at: one.raw[:-8] + at.to_bytes(8))


@attack("again and again", heavy=True)
def _replays_without_end(world: World) -> Attack:
    log = world.evil.log()
    return EndlessLog(lambda at: log[at % len(log)])


@attack("again and again", heavy=True)
def _a_length_that_grows_without_end(_: World) -> Attack:
    class Grows(Attack):
        def heard(self, line: Line, message: Message) -> None:
            if isinstance(message, Pull):
                line.tell(Envelopes(message.after, (), message.after + line.told + 1))
            else:
                line.ask(message)

        def said(self, line: Line, message: Message) -> None:
            if isinstance(message, Welcome):
                message = replace(message, n=message.n + 1)
            line.tell(message)

    return Grows()


class Floods(Attack):
    """Instead of an answer to PULL or PUSH it says one thing for ever."""

    def __init__(self, message: Message | bytes) -> None:
        self._message, self._lines = message, set[int]()

    def heard(self, line: Line, message: Message) -> None:
        if isinstance(message, Push | PullMembers | AskBlobs | Pull | Append):
            self._lines.add(id(line))
        line.ask(message) if not isinstance(message, Push) else None

    def waits(self, line: Line) -> bool:
        if id(line) in self._lines:
            line.tell(self._message)
        return id(line) in self._lines


@attack("again and again", heavy=True)
def _messages_of_later_versions_without_end(_: World) -> Attack:
    return Floods(UNKNOWN_MESSAGE)


@attack("again and again", heavy=True)
def _blobs_without_end(_: World) -> Attack:
    return Floods(Blobs((BlobState(b"b" * 32, 10, 1, True),), 0))


@attack("again and again", heavy=True)
def _notices_without_end(world: World) -> Attack:
    n = len(world.evil.log())
    return Floods(Envelopes(n, (), n))


@attack("again and again", heavy=True)
def _refusals_without_end(_: World) -> Attack:
    return Floods(Nack(Code.FORK, b"?" * 32, "no"))


@attack("bytes", heavy=True)
def _oversized_messages(_: World) -> Attack:
    large = b"\x95\x05" + bytes(limits.MESSAGE_BYTES_MAX)
    return Answers(answers=lambda message: [large] if isinstance(message, Push) else None)


@attack("protocol", heavy=True)
def _claims_of_lengths(_: World) -> Attack:
    claim = b"\x94\x05\x00\xdd\xff\xff\xff\xff\x00"
    return Answers(answers=lambda message: [claim] if isinstance(message, Push) else None)


@attack("no answer")
def _never_answers(_: World) -> Attack:
    return Answers(answers=lambda message: [] if isinstance(message, Push) else None)


@attack("again and again", heavy=True)
def _trickles_without_end(world: World) -> Attack:
    """Something comes just before one would give up, and it is never what was asked for."""

    class Trickles(Floods):
        def waits(self, line: Line) -> bool:
            for one in world.honest:
                one.waits(25.0)
            return super().waits(line)

    return Trickles(UNKNOWN_MESSAGE)


@attack(heavy=True)
def _answers_late(_: World) -> Attack:
    """What was said is carried out of order: all that waited comes at the end, backwards."""

    class Late(Attack):
        def __init__(self) -> None:
            self._late: dict[int, list[Message]] = {}

        def said(self, line: Line, message: Message) -> None:
            if isinstance(message, Challenge | Welcome):
                line.tell(message)
            else:
                self._late.setdefault(id(line), []).append(message)

        def waits(self, line: Line) -> bool:
            late = self._late.pop(id(line), [])
            for message in reversed(late):
                line.tell(message)
            return bool(late)

    return Late()
