"""Reading raw fields: every dialect uses these, so that a bad value is told in the same words everywhere.

`Fields` remembers what was read. What is left at the end is what nobody understood.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from litellm_imagegen.canonical import Asked, Modality, Name, Origin, Unread
from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.geometry import MAXIMUM_EDGE, parse_dimensions, parse_ratio, parse_tier, tiers

Reader = Callable[[str, Any], Any]
_MAXIMUM_DEPTH = 32


class Fields:
    """A view of an object in a request. `place` is where it stands, "" for the body itself.

    Every name is known in snake_case and in camelCase. `vendor` is whom the object is meant for, None for
    everybody.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        place: str = "",
        origin: Origin = Origin.CLIENT,
        vendor: str | None = None,
    ) -> None:
        self._values = {key: value for key, value in values.items() if value is not None}
        self._nested: dict[str, Fields] = {}
        self._place = place
        self.origin = origin
        self._vendor = vendor
        self._left: list[Unread] = []

    def spelling(self, key: str) -> str:
        """Where `key` stands in the request."""
        return f"{self._place}.{key}" if self._place else key

    def __contains__(self, key: str) -> bool:
        return any(spelled in self._values or spelled in self._nested for spelled in _spellings(key))

    def take(self, key: str) -> Any:
        """The value of `key`, which then counts as read; None if absent."""
        return self._values.pop(key, None)

    def peek(self, key: str) -> Any:
        """The value of `key` without reading it."""
        return self._values.get(key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names that nobody has read yet."""
        return tuple(self._values)

    @property
    def place(self) -> str:
        """Where this object stands."""
        return self._place

    def section(self, key: str, vendor: str) -> "Fields | None":
        """The object under `key` that is meant for `vendor`; None, and unread, where there is no object."""
        if not isinstance(self._values.get(key), Mapping):
            return None
        return Fields(self.take(key), self.spelling(key), self.origin, vendor)

    def inner(self, place: str, values: Mapping[str, Any]) -> "Fields":
        """An object that stands in a list; what is not read of it counts as unread."""
        self._nested[place] = Fields(values, place, self.origin, self._vendor)
        return self._nested[place]

    def leave(self, place: str, value: Any) -> None:
        """An item of a list that nobody reads."""
        self._left.append(Unread(spelling=place, value=value))

    def nested(self, key: str) -> "Iterator[Fields]":
        """The object under `key`, in either spelling. What is not read of it counts as unread."""
        for spelled in _spellings(key):
            if spelled not in self._nested and (value := self.take(spelled)) is not None:
                value = _object_of_form(value)
                if not isinstance(value, Mapping):
                    raise InvalidParameter(self.spelling(spelled), value, "an object")
                self._nested[spelled] = Fields(value, self.spelling(spelled), self.origin, self._vendor)
            if spelled in self._nested:
                yield self._nested[spelled]

    def read(self, name: Name, reader: Reader, *keys: str) -> Iterator[Asked]:
        """One `Asked` for each of `keys` that is present; several keys are several spellings.

        What a reader gives None for is no wish: "auto", for one.
        """
        for spelling, value in self._present(keys):
            read = reader(spelling, carriable(spelling, value))
            if read is not None:
                yield self.asked(name, read, spelling)

    def read_shape(self, *keys: str) -> Iterator[Asked]:
        """The picture's shape in whichever form: ratio, tier, dimensions or an object of edges."""
        for spelling, value in self._present(keys):
            if isinstance(value, Mapping):
                yield from self._edges(spelling, value)
                continue
            for name, read in _shape(spelling, carriable(spelling, value)):
                yield self.asked(name, read, spelling)

    def _edges(self, place: str, value: Mapping[str, Any]) -> Iterator[Asked]:
        edges = Fields(value, place, self.origin, self._vendor)
        yield from edges.read(Name.WIDTH, edge, "width")
        yield from edges.read(Name.HEIGHT, edge, "height")
        if unread := next(edges.unread(), None):
            raise InvalidParameter(unread.spelling, unread.value, "width and height")

    def asked(self, name: Name, value: Any, spelling: str) -> Asked:
        """A wish that stands in this object."""
        return Asked(name=name, value=value, spelling=spelling, origin=self.origin, vendor=self._vendor)

    def _present(self, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for key in keys:
            for spelled in _spellings(key):
                value = self.take(spelled)
                if value is not None:
                    yield self.spelling(spelled), value

    def rest(self) -> dict[str, Any]:
        """What nobody has read of this object, which then counts as read."""
        left = {key: inner.rest() for key, inner in self._nested.items()}
        left = {key: inner for key, inner in left.items() if inner} | self._values
        self._values = {}
        return left

    def unread(self) -> Iterator[Unread]:
        """What nobody read, with its place."""
        for key, value in self._values.items():
            yield Unread(spelling=self.spelling(key), value=value)
        yield from self._left
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


def _object_of_form(value: Any) -> Any:
    """A form can send an object only as JSON text."""
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def _spellings(key: str) -> tuple[str, ...]:
    """A name in snake_case and in camelCase."""
    first, *others = key.split("_")
    return (key, first + "".join(word.capitalize() for word in others)) if others else (key,)


_LEFT_TO_THE_MODEL = ("auto", "match_input_image", "default")
# fal's names: https://docs.fal.ai/model-apis
_NAMED_SHAPES = {
    "square_hd": ("1:1", "1K"),
    "square": ("1:1", "512"),
    "portrait_4_3": ("3:4", None),
    "portrait_16_9": ("9:16", None),
    "landscape_4_3": ("4:3", None),
    "landscape_16_9": ("16:9", None),
}
_ALLOWED_SHAPES = f'"WxH", an aspect ratio "W:H", {", ".join(tiers())} or auto'


def _shape(spelling: str, value: Any) -> Iterator[tuple[Name, Any]]:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if text.lower() in _LEFT_TO_THE_MODEL:
        return
    if text in _NAMED_SHAPES:
        named_ratio, named_tier = _NAMED_SHAPES[text]
        yield Name.ASPECT_RATIO, named_ratio
        if named_tier:
            yield Name.IMAGE_SIZE, named_tier
        return
    for name, parse in (
        (Name.DIMENSIONS, parse_dimensions),
        (Name.ASPECT_RATIO, parse_ratio),
        (Name.IMAGE_SIZE, parse_tier),
    ):
        if (parsed := parse(text)) is not None:
            yield name, parsed
            return
    raise InvalidParameter(spelling, value, _ALLOWED_SHAPES)


def edge(spelling: str, value: Any) -> int:
    """The length of one edge in pixels."""
    whole = _whole_number(value)
    if whole is None or not 0 < whole <= MAXIMUM_EDGE:
        raise InvalidParameter(spelling, value, f"pixels, from 1 to {MAXIMUM_EDGE}")
    return whole


def choice(*allowed: str, also: Mapping[str, str | None] | None = None) -> Reader:
    """A reader of one of a few words, in any case. `also` holds other words and what they mean here."""
    meanings: dict[str, str | None] = {**{word: word for word in allowed}, **(also or {})}

    def read(spelling: str, value: Any) -> str | None:
        word = value.lower() if isinstance(value, str) else None
        if word not in meanings:
            raise InvalidParameter(spelling, value, ", ".join(meanings))
        return meanings[word]

    return read


def boolean(spelling: str, value: Any) -> bool:
    """True or false. Forms send them as text: that counts too."""
    words = {"true": True, "false": False}
    given = words.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(given, bool):
        raise InvalidParameter(spelling, value, "true or false")
    return given


def words(spelling: str, value: Any) -> str | None:
    """Some text; an empty one is no wish."""
    if not isinstance(value, str):
        raise InvalidParameter(spelling, value, "a string")
    return value or None


def ratio(spelling: str, value: Any) -> str | None:
    """An aspect ratio "W:H"."""
    if isinstance(value, str) and value.lower() in _LEFT_TO_THE_MODEL:
        return None
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
