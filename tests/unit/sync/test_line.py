"""How much is sent at once: little at first, more while a line is good, less after a cut."""

from __future__ import annotations

from bifolio import limits
from bifolio.sync.line import Line

KB = 1024


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def carried(line: Line, clock: Clock, size_bytes: int, *, bytes_per_s: float = 1e9) -> list[int]:
    """So many bytes go, in messages as large as the line wants them; their sizes."""
    sizes = []
    while size_bytes > 0:
        size = min(line.message_bytes, size_bytes)
        clock.now_s += size / bytes_per_s
        line.note_moved(size)
        sizes.append(size)
        size_bytes -= size
    return sizes


def test_messages_grow_while_the_line_is_good_up_to_a_batch() -> None:
    clock = Clock()
    line = Line(clock)
    line.begin()
    sizes = carried(line, clock, 8 * 1024 * KB)
    assert sizes[0] == limits.FLOW_BYTES_FIRST
    assert sizes[:-1] == sorted(sizes[:-1])
    assert line.message_bytes == limits.BATCH_BYTES_TARGET
    assert len(sizes) < 50


def test_after_a_cut_a_message_is_a_small_part_of_what_the_connection_carried() -> None:
    clock = Clock()
    line = Line(clock)
    line.begin()
    carried(line, clock, 200 * KB)
    line.note_cut()
    line.begin()
    assert line.message_bytes == 8 * KB  # of 200
    line.note_arrived(100 * KB)  # the relay has more than was acknowledged
    assert line.message_bytes == 16 * KB


def test_a_line_that_is_good_again_is_trusted_again() -> None:
    clock = Clock()
    line = Line(clock)
    line.begin()
    carried(line, clock, 100 * KB)
    line.note_cut()
    line.begin()
    small = line.message_bytes
    carried(line, clock, 100 * KB * limits.FLOW_RECOVERED)
    assert line.message_bytes >= 16 * small
    line.begin()
    assert line.message_bytes == limits.FLOW_BYTES_FIRST


def test_no_message_takes_longer_than_a_few_seconds_on_a_slow_line() -> None:
    clock = Clock()
    line = Line(clock)
    line.begin()
    sizes = carried(line, clock, 600 * KB, bytes_per_s=3 * KB)
    assert max(sizes[4:]) <= 3 * KB * limits.FLOW_MESSAGE_S
    assert line.window_bytes <= 4 * 3 * KB * limits.FLOW_MESSAGE_S


def test_what_a_relay_took_is_progress_once() -> None:
    line = Line(Clock())
    line.follow(b"e" * 16)
    line.note_news(b"one", 100)
    line.note_news(b"one", 100)
    assert line.progress_bytes == 100
    line.follow(b"e" * 16)
    line.note_news(b"two", 100)
    assert line.progress_bytes == 200
    line.follow(b"f" * 16)  # another log than before: it may have another one each time
    line.note_news(b"three", 100)
    assert line.progress_bytes == 200


def test_a_message_that_never_is_whole_or_is_no_news_is_progress_once() -> None:
    line = Line(Clock())
    line.follow(b"e" * 16)
    tries = []
    for _ in range(3):
        for _ in range(4):
            line.note_partial(2 * limits.PROGRESS_BYTES)
            tries.append(line.gets_on())
        line.note_partial(-8 * limits.PROGRESS_BYTES)  # it was whole, and brought nothing
    assert tries == [True] * 4 + [False] * 8
    line.note_partial(8 * limits.PROGRESS_BYTES)
    line.note_news(b"one", limits.PROGRESS_BYTES)
    assert line.gets_on()
    assert not line.gets_on()
