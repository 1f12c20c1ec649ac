r"""Server-sent events out of a stream of bytes, in linear time and bounded memory.

Lines end at \n, \r or \r\n and nowhere else (https://html.spec.whatwg.org/multipage/server-sent-events.html).
Only the `data` field is kept. A picture arrives as one line of many megabytes, so chunks are collected
and joined once per line, never re-scanned.
"""

from collections.abc import Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event is larger than the bound."""


class EventSplitter:
    """Feed it chunks as they come, it gives the data of each event that is complete.

    `maximum_bytes` bounds one event. Feeding beyond it raises `EventTooLarge`.
    """

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum_bytes = maximum_bytes
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._after_carriage_return = False
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
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
            event = self._finish_line()
            if event is not None:
                yield event

    def finish(self) -> Iterator[bytes]:
        """At the end of the stream: an event whose closing blank line is missing still counts."""
        if self._line:
            event = self._finish_line()
            if event is not None:
                yield event
        if self._data:
            yield self._take_event()

    def _keep(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._maximum_bytes:
            raise EventTooLarge(f"an event of more than {self._maximum_bytes} bytes")
        if piece:
            self._line.append(piece)

    def _finish_line(self) -> bytes | None:
        line = b"".join(self._line)
        self._line.clear()
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            if self._data:
                return self._take_event()
            self._held = 0
            return None
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        else:
            self._held -= len(line)
        return None

    def _take_event(self) -> bytes:
        event = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._forget()
        return event

    def _forget(self) -> None:
        self._data.clear()
        self._held = 0


def _find(chunk: bytes, byte: bytes, start: int) -> int:
    """Where `byte` stands next; the length of the chunk if nowhere."""
    found = chunk.find(byte, start)
    return found if found >= 0 else len(chunk)
