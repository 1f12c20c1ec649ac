r"""Server-sent events out of a stream of bytes, in linear time and bounded memory.

Lines end at \n, \r or \r\n and nowhere else (https://html.spec.whatwg.org/multipage/server-sent-events.html).
Only the `data` field is kept. A picture arrives as one line of many megabytes, so its pieces are handed on
as they come, never scanned again and not joined here.
"""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIELD = b"data:"
_HEAD_BYTES = len(_BYTE_ORDER_MARK + _FIELD + b" ")


class EventTooLarge(ValueError):
    """One event is larger than the bound."""


class Collector(Protocol):
    """Takes the data of one event, piece by piece."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        ...


Event = TypeVar("Event", bound=Collector)


class EventSplitter(Generic[Event]):
    """Feed it chunks as they come, it gives each event that is complete, collected by what `new_event` makes.

    `maximum_bytes` bounds one event. Feeding beyond it raises `EventTooLarge`.
    """

    def __init__(self, maximum_bytes: int, new_event: Callable[[], Event]) -> None:
        self._maximum_bytes = maximum_bytes
        self._new_event = new_event
        self._event: Event | None = None
        self._held = 0  # bytes of the event's lines and of the open one
        self._line_length = 0
        self._head = b""  # of the open line, until it tells the line's field
        self._is_data: bool | None = None
        self._after_carriage_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The data of every event that `chunk` completes."""
        position = 0
        line_feed = carriage_return = -1  # the next of each, looked for only once it is passed
        while position < len(chunk):
            if self._after_carriage_return:
                self._after_carriage_return = False
                if chunk[position] == 0x0A:
                    position += 1
                    continue
            if line_feed < position:
                line_feed = _find(chunk, b"\n", position)
            if carriage_return < position:
                carriage_return = _find(chunk, b"\r", position)
            end = min(line_feed, carriage_return)
            self._add(chunk[position:end])
            if end == len(chunk):
                return
            self._after_carriage_return = end == carriage_return
            position = end + 1
            yield from self._finish_line()

    def finish(self) -> Iterator[Event]:
        """At the end of the stream: an event whose closing blank line is missing still counts."""
        if self._line_length:
            yield from self._finish_line()
        yield from self._finish_event()

    def _add(self, piece: bytes) -> None:
        """More of the open line."""
        self._held += len(piece)
        self._line_length += len(piece)
        if self._held > self._maximum_bytes:
            raise EventTooLarge(f"an event of more than {self._maximum_bytes} bytes")
        if self._is_data is None:
            self._head += piece
            if len(self._head) >= _HEAD_BYTES:
                self._begin_line()
        elif self._is_data and self._event is not None:
            self._event.feed(piece)

    def _begin_line(self) -> None:
        """The open line's field is known, or is all there is of it."""
        head, self._head = self._head, b""
        if self._at_start:
            head = head.removeprefix(_BYTE_ORDER_MARK)
        self._at_start = False
        self._is_data = head.startswith(_FIELD)
        if not self._is_data:
            self._line_length = len(head)  # 0 for a mark alone
            return
        if self._event is None:
            self._event = self._new_event()
        else:
            self._event.feed(b"\n")
        self._event.feed(head[6:] if head[5:6] == b" " else head[5:])

    def _finish_line(self) -> Iterator[Event]:
        if self._is_data is None:
            self._begin_line()
        if not self._line_length:
            yield from self._finish_event()
        elif not self._is_data:
            self._held -= self._line_length
        self._line_length = 0
        self._is_data = None

    def _finish_event(self) -> Iterator[Event]:
        event, self._event = self._event, None
        self._held = 0
        if event is not None:
            yield event


def _find(chunk: bytes, byte: bytes, start: int) -> int:
    """Where `byte` stands next; the length of the chunk if nowhere."""
    found = chunk.find(byte, start)
    return found if found >= 0 else len(chunk)
