"""Strict readers of JSON values, in the manner of a protobuf front end.

Strategy: a reader takes a decoded JSON value, its field path and a list to which it adds what is wrong;
it returns the value in its normal form. Readers compose (`message`, `repeated`), so a wire's whole
request is one table, and all faults of a request are found in one pass, as Google's front end reports
them.

Names: each field is accepted in camelCase and in snake_case; paths are told in snake_case; null means
"not given" (https://protobuf.dev/programming-guides/json/).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Violation:
    """One fault of a request: the path of the field and one sentence about it."""

    field: str
    description: str


Violations = list[Violation]
Reader = Callable[[Any, str, Violations], Any]


def decode_json(body: bytes) -> Any:
    """Decode a request body.

    Raises ValueError when it is no JSON: bad UTF-8, NaN or Infinity, or nested too deeply are no JSON either.
    """

    def refuse_constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON number")

    try:
        return json.loads(body, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def snake_case(name: str) -> str:
    """The snake_case of a camelCase name: image_size of imageSize."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def message(fields: Mapping[str, Reader], *, required: Sequence[str] = ()) -> Reader:
    """An object with these fields (camelCase names) and no others; reads to a dict with camelCase keys."""
    name_by_spelling = {snake_case(name): name for name in fields} | {name: name for name in fields}

    def read(value: Any, path: str, violations: Violations) -> dict[str, Any]:
        if not isinstance(value, dict):
            violations.append(Violation(path, f"Needs an object, got {_kind(value)}."))
            return {}
        result: dict[str, Any] = {}
        for spelling, item in value.items():
            name = name_by_spelling.get(spelling)
            if name is None:
                shown = f"{path}.{spelling}" if path else spelling
                place = f"'{path}'" if path else "the top level"
                violations.append(
                    Violation(shown, f'Unknown name "{spelling}" at {place}: there is no such field.')
                )
            elif name in result:
                violations.append(Violation(path, f'The field "{name}" is given twice, in two spellings.'))
            elif item is not None:
                field_path = f"{path}.{snake_case(name)}" if path else snake_case(name)
                result[name] = fields[name](item, field_path, violations)
        for name in required:
            if name not in result:
                violations.append(Violation(f"{path}.{snake_case(name)}", "Is not given."))
        return result

    return read


def repeated(item: Reader, *, at_least: int = 0, at_most: int | None = None) -> Reader:
    """An array of items, `at_least` to `at_most` of them."""

    def read(value: Any, path: str, violations: Violations) -> list[Any]:
        if not isinstance(value, list):
            violations.append(Violation(path, f"Needs an array, got {_kind(value)}."))
            return []
        if len(value) < at_least:
            violations.append(Violation(path, f"Needs at least {at_least} item, got {len(value)}."))
        if at_most is not None and len(value) > at_most:
            violations.append(Violation(path, f"Takes at most {at_most} items, got {len(value)}."))
        return [item(entry, f"{path}[{index}]", violations) for index, entry in enumerate(value)]

    return read


def text(value: Any, path: str, violations: Violations) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    violations.append(Violation(path, f"Needs a string, got {_kind(value)}."))
    return ""


def boolean(value: Any, path: str, violations: Violations) -> bool:
    """A boolean; no strings, no numbers."""
    if isinstance(value, bool):
        return value
    violations.append(Violation(path, f"Needs a boolean, got {_kind(value)}."))
    return False


def any_object(value: Any, path: str, violations: Violations) -> dict[str, Any]:
    """An object whose fields this wire does not look at."""
    if isinstance(value, dict):
        return value
    violations.append(Violation(path, f"Needs an object, got {_kind(value)}."))
    return {}


def number(lowest: float, highest: float) -> Reader:
    """A finite number from lowest to highest, both included."""

    def read(value: Any, path: str, violations: Violations) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            violations.append(Violation(path, f"Needs a number, got {_kind(value)}."))
        elif not math.isfinite(value) or not lowest <= value <= highest:
            violations.append(
                Violation(path, f"Is out of range: {value}; it takes {lowest:g} to {highest:g}.")
            )
        else:
            return float(value)
        return lowest

    return read


def integer(lowest: int, highest: int) -> Reader:
    """A whole number from lowest to highest, both included; 3.0 counts as whole."""

    def read(value: Any, path: str, violations: Violations) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            found = _kind(value) if not isinstance(value, float) else str(value)
            violations.append(Violation(path, f"Needs a whole number, got {found}."))
        elif not lowest <= value <= highest:
            violations.append(Violation(path, f"Is out of range: {value}; it takes {lowest} to {highest}."))
        else:
            return value
        return lowest

    return read


def choice(values: Sequence[str], *, any_case: bool = False) -> Reader:
    """One of these strings; with `any_case` in any mixture of cases, read to the spelling in `values`."""
    by_spelling = {(value.lower() if any_case else value): value for value in values}

    def read(value: Any, path: str, violations: Violations) -> str:
        if isinstance(value, str):
            found = by_spelling.get(value.lower() if any_case else value)
            if found is not None:
                return found
        shown = json.dumps(value)[:80]
        violations.append(Violation(path, f"Invalid value {shown}; it takes {', '.join(values)}."))
        return values[0]

    return read


def refused(reason: str) -> Reader:
    """A field which the provider knows but does not take here, whatever its value."""

    def read(value: Any, path: str, violations: Violations) -> Any:
        violations.append(Violation(path, reason))
        return None

    return read


def base64_bytes(value: Any, path: str, violations: Violations) -> bytes:
    """Bytes in the standard base64 alphabet with padding and no line ends; empty when at fault."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    violations.append(Violation(path, "Base64 decoding failed; it takes the standard alphabet with padding."))
    return b""


def opaque_base64(value: Any, path: str, violations: Violations) -> str:
    """Base64 of either alphabet, padded or not, that is only handed on."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", value):
        return value
    violations.append(Violation(path, "Base64 decoding failed."))
    return ""
