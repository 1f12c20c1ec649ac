r"""Server-sent events out of a stream of bytes, in linear time and bounded memory.

Lines end at \n, \r or \r\n and nowhere else (https://html.spec.whatwg.org/multipage/server-sent-events.html).
Only the `data` field is kept. A picture arrives as one line of many megabytes, so pieces are collected
as they come, never re-scanned and not joined here.
"""

from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event is larger than the bound."""


Event = tuple[bytes, ...]  # the data of one event in pieces, for whoever needs it to join, off the event loop
_FIELD = b"data:"


class EventSplitter:
    """Feed it chunks as they come, it gives the data of each event that is complete, in pieces.

    `maximum_bytes` bounds one event. Feeding beyond it raises `EventTooLarge`.
    """

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum_bytes = maximum_bytes
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
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
            self._keep(chunk[position:end])
            if end == len(chunk):
                return
            self._after_carriage_return = end == carriage_return
            position = end + 1
            yield from self._finish_line()

    def finish(self) -> Iterator[Event]:
        """At the end of the stream: an event whose closing blank line is missing still counts."""
        if self._line:
            yield from self._finish_line()
        if self._data:
            yield self._take_event()

    def _keep(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._maximum_bytes:
            raise EventTooLarge(f"an event of more than {self._maximum_bytes} bytes")
        if piece:
            self._line.append(piece)

    def _finish_line(self) -> Iterator[Event]:
        line, self._line = self._line, []
        head = self._head_of(line)
        if not line:
            if self._data:
                yield self._take_event()
            self._held = 0
        elif head.startswith(_FIELD):
            line[0] = head[6:] if head[5:6] == b" " else head[5:]
            if self._data:
                self._data.append(b"\n")
            self._data += line
        else:
            self._held -= sum(map(len, line))

    def _head_of(self, line: list[bytes]) -> bytes:
        """The first piece, made long enough to hold the field's name, without a byte order mark."""
        while len(line) > 1 and len(line[0]) < len(_BYTE_ORDER_MARK + _FIELD) + 1:
            line[0:2] = [line[0] + line[1]]
        if self._at_start and line:
            line[0] = line[0].removeprefix(_BYTE_ORDER_MARK)
        self._at_start = False
        if line == [b""]:
            line.clear()
        return line[0] if line else b""

    def _take_event(self) -> Event:
        event = tuple(self._data)
        self._data.clear()
        self._held = 0
        return event


def _find(chunk: bytes, byte: bytes, start: int) -> int:
    """Where `byte` stands next; the length of the chunk if nowhere."""
    found = chunk.find(byte, start)
    return found if found >= 0 else len(chunk)
