"""Readers of values in an OpenAI request: strings, numbers, choices, and objects and arrays made of them.

Strategy: a reader takes a decoded value and the path of its parameter ("tools[0].size"), and raises
OpenAIError at the first fault, since OpenAI reports one fault at a time. Readers compose, so a request is a
table. Null counts as not given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .openai_errors import invalid_value, missing_parameter, unknown_parameter

Reader = Callable[[Any, str], Any]

_LONGEST_NAME = 80


def text(longest: int | None = None, *, shortest: int = 0) -> Reader:
    """A string of `shortest` to `longest` signs."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise invalid_value(name, f"needs a string, got {shown(value)}.")
        if len(value) < shortest:
            raise invalid_value(name, "must not be empty.")
        if longest is not None and len(value) > longest:
            raise invalid_value(name, f"is {len(value)} signs long; it takes at most {longest}.")
        return value

    return read


def choice(values: Sequence[str]) -> Reader:
    """One of these strings."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in values:
            raise invalid_value(name, f"{shown(value)}; it takes {', '.join(values)}.")
        return value

    return read


def whole(lowest: int, highest: int) -> Reader:
    """A whole number from lowest to highest, both included."""

    def read(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_value(name, f"needs a whole number, got {shown(value)}.")
        if not lowest <= value <= highest:
            raise invalid_value(name, f"{value}; it takes {lowest} to {highest}.")
        return value

    return read


def number(lowest: float, highest: float) -> Reader:
    """A number from lowest to highest, both included."""

    def read(value: Any, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid_value(name, f"needs a number, got {shown(value)}.")
        if not lowest <= value <= highest:
            raise invalid_value(name, f"{value}; it takes {lowest:g} to {highest:g}.")
        return float(value)

    return read


def boolean(value: Any, name: str) -> bool:
    """A boolean; no strings, no numbers."""
    if not isinstance(value, bool):
        raise invalid_value(name, f"needs a boolean, got {shown(value)}.")
    return value


def any_object(value: Any, name: str) -> dict[str, Any]:
    """An object whose fields this wire does not look at."""
    if not isinstance(value, dict):
        raise invalid_value(name, f"needs an object, got {shown(value)}.")
    return value


def any_array(value: Any, name: str) -> list[Any]:
    """An array whose entries this wire does not look at."""
    if not isinstance(value, list):
        raise invalid_value(name, f"needs an array, got {shown(value)}.")
    return value


def record(fields: Mapping[str, Reader], *, required: Sequence[str] = ()) -> Reader:
    """An object with these fields and no others; those of `required` have to be given."""

    def read(value: Any, name: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in any_object(value, name).items():
            if key not in fields:
                raise unknown_parameter(_path(name, key))
            if item is not None:
                result[key] = fields[key](item, _path(name, key))
        for key in required:
            if key not in result:
                raise missing_parameter(_path(name, key))
        return result

    return read


def listed(entry: Reader, *, at_most: int | None = None) -> Reader:
    """An array of such entries, `at_most` of them."""

    def read(value: Any, name: str) -> list[Any]:
        entries = any_array(value, name)
        if at_most is not None and len(entries) > at_most:
            raise invalid_value(name, f"holds {len(entries)} entries; it takes at most {at_most}.")
        return [entry(item, f"{name}[{index}]") for index, item in enumerate(entries)]

    return read


def variants(by_type: Mapping[str, Reader]) -> Reader:
    """An object that is read by what its field "type" says."""

    def read(value: Any, name: str) -> Any:
        kind = any_object(value, name).get("type")
        if kind is None:
            raise missing_parameter(f"{name}.type")
        if not isinstance(kind, str) or kind not in by_type:
            raise invalid_value(name, f"{shown(kind)}; it takes {', '.join(by_type)}.")
        return by_type[kind](value, name)

    return read


def shown(value: Any) -> str:
    """A value as error messages show it."""
    kinds = {dict: "an object", list: "an array", bool: "a boolean"}
    return kinds.get(type(value)) or f"'{str(value)[:80]}'"


def _path(name: str, key: str) -> str:
    return f"{name}.{key[:_LONGEST_NAME]}" if name else key[:_LONGEST_NAME]
