"""Reading raw fields: every dialect uses these, so that a bad value is told in the same words everywhere.

`Fields` remembers what was read. What is left at the end is what nobody understood.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from litellm_imagegen.canonical import Asked, Modality, Name, Origin, Unread
from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.geometry import parse_ratio, parse_tier, tiers

Reader = Callable[[str, Any], Any]
_MAXIMUM_DEPTH = 32


class Fields:
    """A view of an object in a request. `place` is where it stands, "" for the body itself."""

    def __init__(self, values: Mapping[str, Any], place: str = "", origin: Origin = Origin.CLIENT) -> None:
        self._values = {key: value for key, value in values.items() if value is not None}
        self._nested: dict[str, Fields] = {}
        self._place = place
        self.origin = origin

    def spelling(self, key: str) -> str:
        """Where `key` stands in the request."""
        return f"{self._place}.{key}" if self._place else key

    def __contains__(self, key: str) -> bool:
        return key in self._values or key in self._nested

    def take(self, key: str) -> Any:
        """The value of `key`, which then counts as read; None if absent."""
        return self._values.pop(key, None)

    def nested(self, key: str) -> "Fields | None":
        """The object under `key`, None if absent. What is not read of it counts as unread by its own name."""
        if key not in self._nested:
            value = self.take(key)
            if value is None:
                return None
            if not isinstance(value, Mapping):
                raise InvalidParameter(self.spelling(key), value, "an object")
            self._nested[key] = Fields(value, self.spelling(key), self.origin)
        return self._nested[key]

    def read(self, name: Name, reader: Reader, *keys: str) -> Iterator[Asked]:
        """One `Asked` for each of `keys` that is present; several keys are several spellings."""
        for key in keys:
            value = self.take(key)
            if value is not None:
                spelling = self.spelling(key)
                read = reader(spelling, carriable(spelling, value))
                yield Asked(name=name, value=read, spelling=spelling, origin=self.origin)

    def unread(self) -> Iterator[Unread]:
        """What nobody read, with its place."""
        for key, value in self._values.items():
            yield Unread(spelling=self.spelling(key), value=value)
        for inner in self._nested.values():
            yield from inner.unread()


def carriable(spelling: str, value: Any) -> Any:
    """The value, if JSON can carry it on: not half a character, a number of over 64 bits, or a deep nest."""
    if _is_deeper(value, _MAXIMUM_DEPTH):
        raise InvalidParameter(spelling, value, f"objects and lists nested at most {_MAXIMUM_DEPTH} deep")
    try:
        orjson.dumps(value)
    except TypeError as error:
        raise InvalidParameter(
            spelling, value, "valid Unicode text and numbers of at most 64 bits"
        ) from error
    return value


def ratio(spelling: str, value: Any) -> str:
    """An aspect ratio "W:H"."""
    parsed = parse_ratio(value) if isinstance(value, str) else None
    if parsed is None:
        raise InvalidParameter(spelling, value, 'an aspect ratio "W:H" such as "16:9"')
    return parsed


def tier(spelling: str, value: Any) -> str:
    """A size tier."""
    parsed = parse_tier(str(value)) if isinstance(value, str | int) else None
    if parsed is None:
        raise InvalidParameter(spelling, value, ", ".join(tiers()))
    return parsed


def integer(minimum: int, maximum: int | None = None) -> Reader:
    """A reader of whole numbers within bounds. Forms send numbers as text: that counts too."""
    allowed = f"a whole number of at least {minimum}" + (
        f" and at most {maximum}" if maximum is not None else ""
    )

    def read(spelling: str, value: Any) -> int:
        whole = _whole_number(value)
        if whole is None or whole < minimum or (maximum is not None and whole > maximum):
            raise InvalidParameter(spelling, value, allowed)
        return whole

    return read


def number(minimum: float, maximum: float) -> Reader:
    """A reader of numbers within bounds."""

    def read(spelling: str, value: Any) -> float:
        parsed = _number(value)
        if parsed is None or not minimum <= parsed <= maximum:
            raise InvalidParameter(spelling, value, f"a number from {minimum:g} to {maximum:g}")
        return parsed

    return read


def modalities(spelling: str, value: Any) -> tuple[Modality, ...]:
    """A list of text and image, in any order and case."""
    known = {str(modality): modality for modality in Modality}
    words = [str(word).lower() for word in value] if _is_list(value) else []
    if not words or not set(words) <= known.keys():
        raise InvalidParameter(spelling, value, f"a list of {', '.join(known)}")
    return tuple(dict.fromkeys(known[word] for word in words))


def strings(spelling: str, value: Any) -> tuple[str, ...]:
    """One string or a list of strings."""
    items = (value,) if isinstance(value, str) else value
    if not _is_list(items) or not all(isinstance(item, str) for item in items):
        raise InvalidParameter(spelling, value, "a string or a list of strings")
    return tuple(items)


def objects(spelling: str, value: Any) -> tuple[dict[str, Any], ...]:
    """A list of objects, kept as they are."""
    if not _is_list(value) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidParameter(spelling, value, "a list of objects")
    return tuple(dict(item) for item in value)


def _is_deeper(value: Any, depth: int) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    return isinstance(value, list) and (depth == 0 or any(_is_deeper(item, depth - 1) for item in value))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _whole_number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    parsed = _number(value)
    return int(parsed) if parsed is not None and parsed == int(parsed) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if abs(parsed) < 1e15 else None  # also false for NaN and infinity
