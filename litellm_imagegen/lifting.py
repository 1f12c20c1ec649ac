"""Takes long strings out of JSON text before it is parsed, so that a picture is never parsed as JSON.

A JSON parser looks at every character of a 24 MB base64 string and copies it into a new one. Here each
string of at least 64 KB without escapes is found by searching for its quotes, cut out as a view of the
same bytes, and replaced by a short placeholder; what is left is small and is parsed as usual.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

MINIMUM_LENGTH = 64 * 1024
_MAXIMUM_DEPTH = 50
_MAXIMUM_STRINGS = 20_000  # text with more strings than that is no reply with a picture: parse it as it is


class LiftedJson:
    """Parsed JSON whose long strings stand apart: `value` holds placeholders in their places."""

    def __init__(self, value: Any, lifted: Mapping[str, memoryview]) -> None:
        self.value = value
        self._lifted = lifted

    def ascii(self, value: Any) -> bytes | memoryview | None:
        """The bytes of a string, of a lifted one as a view; None if `value` is no string or not ASCII."""
        if not isinstance(value, str):
            return None
        view = self._lifted.get(value)
        if view is not None:
            return view
        return value.encode() if value.isascii() else None

    def at(self, key: Any) -> "LiftedJson":
        """A part of the value."""
        return LiftedJson(self.value[key], self._lifted)

    def whole(self, value: Any, depth: int = _MAXIMUM_DEPTH) -> Any:
        """`value` with every long string back in its place, cut off where it is nested absurdly deep.

        Raises `ValueError` for a string that is not UTF-8.
        """
        if isinstance(value, str):
            view = self._lifted.get(value)
            return value if view is None else str(view, "utf-8")
        if isinstance(value, list):
            return [self.whole(item, depth - 1) for item in value] if depth else []
        if isinstance(value, dict):
            return (
                {self.whole(key): self.whole(item, depth - 1) for key, item in value.items()} if depth else {}
            )
        return value


def parse(body: bytes, minimum_length: int = MINIMUM_LENGTH) -> LiftedJson:
    """Parse JSON text. Raises `ValueError` (orjson.JSONDecodeError) for what is no JSON."""
    if len(body) < minimum_length:
        return LiftedJson(orjson.loads(body), {})
    kept: list[bytes | memoryview] = []
    lifted: dict[str, memoryview] = {}
    view = memoryview(body)
    mark = secrets.token_hex(8)  # not to be met in the text by chance or on purpose
    done = strings = 0
    position = body.find(b'"')
    while position >= 0:
        strings += 1
        if strings > _MAXIMUM_STRINGS:
            return LiftedJson(orjson.loads(body), {})
        end = _closing_quote(body, position + 1)
        if end < 0:
            break  # cut off inside a string: the parser will say so
        if end - position > minimum_length and body.find(b"\\", position, end) < 0:
            name = f"{mark}:{len(lifted)}"
            lifted[name] = view[position + 1 : end]
            kept += (view[done : position + 1], name.encode())
            done = end
        position = body.find(b'"', end + 1)
    if not lifted:
        return LiftedJson(orjson.loads(body), {})
    kept.append(view[done:])
    return LiftedJson(orjson.loads(b"".join(kept)), lifted)


def _closing_quote(body: bytes, start: int) -> int:
    """Where the string that began before `start` ends, -1 if nowhere."""
    end = body.find(b'"', start)
    while end >= 0:
        backslashes = end
        while backslashes > start and body[backslashes - 1] == 0x5C:
            backslashes -= 1
        if (end - backslashes) % 2 == 0:
            return end
        end = body.find(b'"', end + 1)
    return -1
