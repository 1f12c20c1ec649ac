r"""Server-sent events. The rules: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from collections.abc import Iterable, Sequence
from itertools import pairwise, repeat
from typing import Any, SupportsIndex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_imagegen.sse import EventSplitter, EventTooLarge

PLENTY = 10_000_000
# Line ends elsewhere, but not here: U+2028, U+2029, NEL, NUL, vertical tab, form feed, file separator.
LOOK_ALIKES = b"\xe2\x80\xa8 \xe2\x80\xa9 \xc2\x85 \x85 \x00 \x0b \x0c \x1c"
LINES = st.one_of(
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"")),
    st.sampled_from([b"", b" two spaces", LOOK_ALIKES, b'{"data": 1}', b"data: not a field", b"x" * 70_000]),
)
EVENTS = st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5)
NOISE = (b":", b": a comment", b"event: ping", b"id: 7", b"retry: 10", b"unheard of", b"database: no", b"")
TERMINATORS = (b"\n", b"\r", b"\r\n")


class Collected(bytearray):
    """The data of one event."""

    def feed(self, piece: bytes) -> None:
        self.extend(piece)


def events_of(chunks: Iterable[bytes], maximum_bytes: int = PLENTY) -> list[bytes]:
    splitter = EventSplitter(maximum_bytes, Collected)
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return [bytes(event) for event in (*events, *splitter.finish())]


def _encoded(events: Sequence[Sequence[bytes]], data: st.DataObject, *, with_last_blank_line: bool) -> bytes:
    written: list[bytes] = []

    def write(line: bytes) -> None:
        # A blank line after a bare \r must not end in \n: the two would be one line end.
        may_start_with_line_feed = bool(line) or not written or not written[-1].endswith(b"\r")
        ends = TERMINATORS if may_start_with_line_feed else TERMINATORS[1:]
        written.append(line + data.draw(st.sampled_from(ends)))

    for number, event in enumerate(events):
        for noise in data.draw(st.lists(st.sampled_from(NOISE), max_size=2)):
            write(noise)
        for line in event:
            write((b"data:" if line[:1] != b" " and data.draw(st.booleans()) else b"data: ") + line)
            for noise in data.draw(st.lists(st.sampled_from(NOISE[:-1]), max_size=1)):
                write(noise)
        if with_last_blank_line or number < len(events) - 1:
            write(b"")
    return b"".join(written)


def _cut(stream: bytes, positions: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(positions), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(EVENTS, st.booleans(), st.booleans(), st.data())
def test_the_same_events_come_out_wherever_the_stream_is_cut(
    events: list[list[bytes]], starts_with_mark: bool, with_last_blank_line: bool, data: st.DataObject
) -> None:
    stream = _encoded(events, data, with_last_blank_line=with_last_blank_line)
    if starts_with_mark:
        stream = b"\xef\xbb\xbf" + stream
    positions = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    assert events_of(_cut(stream, positions)) == [b"\n".join(event) for event in events]


@pytest.mark.parametrize("end", TERMINATORS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_stream_that_comes_byte_by_byte(end: bytes, mark: bytes) -> None:
    lines = [b": hello", b"data: one", b"", b"event: x", b"data: two", b"data:", b"data: three", b"", b""]
    stream = mark + end.join(lines)
    assert events_of(bytes([byte]) for byte in stream) == [b"one", b"two\n\nthree"]


def test_a_byte_order_mark_counts_only_at_the_start() -> None:
    assert events_of([b"data: a\n\n\xef\xbb\xbfdata: b\n\n"]) == [b"a"]


@given(st.lists(st.binary(max_size=30), max_size=10))
@example([b"\r\n", b"\r", b"\n"])
def test_comments_and_junk_alone_give_no_event_and_no_error(chunks: list[bytes]) -> None:
    assert events_of([b": ", *(chunk.replace(b"data", b"") for chunk in chunks)]) == []


@pytest.mark.parametrize(
    "endless",
    [b"data: " + b"x" * 994, b": comment without end ", b"data: short\n", b"data:\r\n"],
    ids=["one line", "a comment", "many lines", "empty lines"],
)
def test_an_event_without_end_is_stopped_at_the_bound(endless: bytes) -> None:
    with pytest.raises(EventTooLarge, match="10000"):
        events_of(repeat(endless, 100_000), maximum_bytes=10_000)


def test_the_bound_is_for_one_event_and_not_for_the_stream() -> None:
    event = b": a comment of some length\n" + b"data: " + b"x" * 900 + b"\n\n"
    assert len(events_of([event] * 500, maximum_bytes=1_000)) == 500


def test_comments_that_were_passed_over_do_not_count_for_the_bound() -> None:
    assert events_of([b": keep-alive\n"] * 1_000 + [b"data: x\n\n"], maximum_bytes=100) == [b"x"]


class _Watched(bytes):
    """Bytes that count how many of them a search has looked at."""

    looked_at = 0

    def find(self, sub: Any, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        found = super().find(sub, start, end)
        first = 0 if start is None else int(start)
        last = found if found >= 0 else len(self) if end is None else int(end)
        _Watched.looked_at += max(last - first, 0)
        return found


@pytest.mark.parametrize("end", TERMINATORS)
@pytest.mark.parametrize("line", [b"", b"data: x", b"data: " + b"x" * 5_000], ids=["blank", "tiny", "long"])
def test_no_byte_is_searched_again_and_again(
    line: bytes, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Watched, "looked_at", 0)
    chunk = _Watched((line + end) * (20_000 // len(line + end)))
    events_of([chunk] * 3)
    assert _Watched.looked_at <= 4 * 3 * len(chunk)
