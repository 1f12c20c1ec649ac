"""JSON text as it arrives, its long strings set apart, so that a picture is never parsed as JSON.

A JSON parser looks at every character of a 24 MB base64 string and copies it into a new one. Here each
string of more than 64 KB without escapes is told by its quotes as the text comes in, kept in the pieces
it came in, and replaced by a short placeholder; what is left is small and is parsed as usual. Of a data URL
only the base64 is set apart.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from litellm_imagegen.base64_text import Base64Text

MINIMUM_LENGTH = 64 * 1024
_MAXIMUM_DEPTH = 50
_MAXIMUM_MARKS = 20_000  # text with more quotes and escapes is no reply with a picture: parse it as it is


_DATA_URL = re.compile(
    rb"data:([A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60})?(;[A-Za-z0-9.+=-]{1,60}){0,3};base64,"
)
_LONGEST_HEAD = 512  # bytes of a data URL before its data


class LiftedJson:
    """Parsed JSON whose long strings stand apart: `value` holds placeholders in their places."""

    def __init__(self, value: Any, lifted: Mapping[str, Base64Text]) -> None:
        self.value = value
        self._lifted = lifted

    def base64(self, value: Any) -> Base64Text | None:
        """A string that should be base64; None if `value` is no string or not ASCII."""
        if not isinstance(value, str):
            return None
        if value in self._lifted:
            return self._lifted[value]
        return Base64Text(value.encode()) if value.isascii() else None

    def data_url(self, value: Any) -> tuple[str, Base64Text | None] | None:
        """The media type, "" where it tells none, and the base64 of a data URL; None if it is none."""
        if not isinstance(value, str):
            return None
        head = _DATA_URL.match(value[:_LONGEST_HEAD].encode())
        if head is None:
            return None
        return (head[1] or b"").decode(), self.base64(value[head.end() :])

    def at(self, key: Any) -> "LiftedJson":
        """A part of the value."""
        return LiftedJson(self.value[key], self._lifted)

    def whole(self, value: Any, depth: int = _MAXIMUM_DEPTH) -> Any:
        """`value` with every long string back in its place, cut off where it is nested absurdly deep.

        Raises `ValueError` for a string that is not UTF-8.
        """
        if isinstance(value, str):
            head, comma, data = value.rpartition(",") if value.startswith("data:") else ("", "", value)
            lifted = self._lifted.get(data)
            return value if lifted is None else head + comma + b"".join(lifted.pieces).decode()
        if isinstance(value, list):
            return [self.whole(item, depth - 1) for item in value] if depth else []
        if isinstance(value, dict):
            return (
                {self.whole(key): self.whole(item, depth - 1) for key, item in value.items()} if depth else {}
            )
        return value


class IncomingJson:
    """Feed it the text in pieces, in order; then `parse` it."""

    def __init__(self, minimum_length: int = MINIMUM_LENGTH) -> None:
        self._minimum_length = minimum_length
        self._mark = secrets.token_hex(8)  # not to be met in the text by chance or on purpose
        self._kept: list[bytes] = []
        self._lifted: dict[str, Base64Text] = {}
        self._marks = 0
        self._is_inside = False  # a string
        self._is_escaped = False  # an escape was seen in it: it stays where it is
        self._skips_one = False  # the character after a backslash that ended a piece
        self._held: list[bytes] = []  # of a string that may yet become long
        self._held_length = 0
        self._long: Base64Text | None = None  # the long string that is open
        self._head_left = 0  # bytes of the open string that stay where they are, since no base64 begins yet
        self.length = 0

    @classmethod
    def of(cls, text: bytes, minimum_length: int = MINIMUM_LENGTH) -> "IncomingJson":
        """Text that is all there."""
        incoming = cls(minimum_length)
        incoming.feed(text)
        return incoming

    @property
    def remaining_length(self) -> int:
        """Bytes that are left to a parser."""
        return self.length - sum(map(len, self._lifted.values()))

    @property
    def text(self) -> bytes:
        """The text, with placeholders in the place of long strings."""
        return b"".join((*self._kept, *self._held))

    def parse(self) -> LiftedJson:
        """The parsed text. Raises `ValueError` (orjson.JSONDecodeError) for what is no JSON."""
        return LiftedJson(orjson.loads(self.text), self._lifted)

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self.length += len(piece)
        done = position = start = 0  # kept so far; looked at so far; where the open string begins
        quote = backslash = -1  # the next of each, looked for only once it is passed
        if self._skips_one and piece:
            self._skips_one = False
            position = 1
        while self._marks < _MAXIMUM_MARKS:
            if quote < position:
                quote = _find(piece, b'"', position)
            if not self._is_inside:
                if quote == len(piece):
                    break
                self._is_inside, self._is_escaped = True, False
                position = start = quote + 1
                self._marks += 1
                continue
            if backslash < position:
                backslash = _find(piece, b"\\", position)
            if backslash < quote:
                done = self._stay(piece, done, start)
                position = backslash + 2
                self._skips_one = position > len(piece)
                self._marks += 1
                continue
            if quote == len(piece):
                self._hold(piece, done, start)
                return
            done = self._close(piece, done, start, quote)
            position = quote + 1
        if self._marks >= _MAXIMUM_MARKS:
            done = self._stay(piece, done, start)
        self._kept.append(piece[done:])

    def _stay(self, piece: bytes, done: int, start: int) -> int:
        """The open string is not to be lifted: what was set apart of it goes back. How much is kept now."""
        self._is_escaped = True
        if self._long is not None:
            del self._lifted[self._kept.pop().decode()]
            self._kept += self._long.pieces
            self._long = None
            return start
        self._keep_held()
        return done

    def _hold(self, piece: bytes, done: int, start: int) -> None:
        """The piece ends inside a string."""
        if self._is_escaped:
            self._kept.append(piece[done:])
            return
        if self._long is None:
            self._kept.append(piece[done:start])
            self._held.append(piece[start:])
            self._held_length += len(piece) - start
            if self._held_length > self._minimum_length:
                self._lift()
        else:
            self._feed(self._long, piece[start:])

    def _close(self, piece: bytes, done: int, start: int, end: int) -> int:
        """The open string ends. How much of the piece is kept now."""
        self._is_inside = False
        if self._long is None and not self._is_escaped:
            if self._held_length + end - start > self._minimum_length:
                self._kept.append(piece[done:start])
                self._lift(piece[start : min(end, start + _LONGEST_HEAD)])
            else:
                self._keep_held()
        if self._long is None:
            return done
        self._feed(self._long, piece[start:end])
        self._long = None
        return end

    def _lift(self, following: bytes = b"") -> None:
        """What is held, and what follows to the end of the string, is set apart."""
        name = f"{self._mark}:{len(self._lifted)}"
        self._long = self._lifted[name] = Base64Text()
        head = _DATA_URL.match(b"".join((*self._held, following))[:_LONGEST_HEAD])
        if head is not None:
            self._kept.append(head[0])
            self._head_left = head.end()
        self._kept.append(name.encode())
        for piece in self._held:
            self._feed(self._long, piece)
        self._held.clear()
        self._held_length = 0

    def _feed(self, text: Base64Text, piece: bytes) -> None:
        """A piece of a long string, without what stands before its base64."""
        if self._head_left:
            skipped = min(self._head_left, len(piece))
            self._head_left -= skipped
            piece = piece[skipped:]
        text.feed(piece)

    def _keep_held(self) -> None:
        self._kept += self._held
        self._held.clear()
        self._held_length = 0


def _find(piece: bytes, character: bytes, start: int) -> int:
    """Where `character` stands next; the length of the piece if nowhere."""
    found = piece.find(character, start)
    return found if found >= 0 else len(piece)
