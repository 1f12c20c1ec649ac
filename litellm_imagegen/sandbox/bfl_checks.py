"""Strict readers of JSON values that tell their faults in the manner of FastAPI: one object per fault.

Strategy: a reader takes a decoded value, its location and a list to which it adds what is wrong; it
returns the value, or None when it is at fault. A reader of an object composes them, so that all faults of
a request are found in one pass. Kinds are pydantic's names, sentences are the sandbox's own.

Source: https://docs.bfl.ai/api_integration/errors
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHOWN_SIGNS = 120
_NOTHING = object()

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One fault of a request: where it is, what is wrong, of which kind, and what was given there."""

    location: Location
    message: str
    kind: str
    given: Any = _NOTHING

    def body(self) -> dict[str, Any]:
        """The fault as an entry of `detail`; a long value is cut, since it may be a whole picture."""
        entry: dict[str, Any] = {"type": self.kind, "loc": list(self.location), "msg": self.message}
        return entry if self.given is _NOTHING else {**entry, "input": _shown(self.given)}


Faults = list[Fault]
Reader = Callable[[Any, Location, Faults], Any]


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_SIGNS else value[:_SHOWN_SIGNS] + "..."
    if isinstance(value, dict | list):
        return _shown(json.dumps(value))
    return value


def fields(readers: Mapping[str, Reader], *, required: Sequence[str] = ()) -> Reader:
    """An object with these fields and no others; reads to a dict without those that are null."""

    def read(value: Any, location: Location, faults: Faults) -> dict[str, Any]:
        if not isinstance(value, dict):
            faults.append(Fault(location, "An object is needed here", "model_attributes_type", value))
            return {}
        result: dict[str, Any] = {}
        for name, item in value.items():
            if name not in readers:
                faults.append(
                    Fault((*location, name), "This model has no such field", "extra_forbidden", item)
                )
                continue
            read_item = readers[name](item, (*location, name), faults)
            if read_item is not None:
                result[name] = read_item
        faults += [
            Fault((*location, name), "This field is required", "missing")
            for name in required
            if name not in value
        ]
        return result

    return read


def optional(reader: Reader) -> Reader:
    """What the reader takes, or null, which means "not given"."""

    def read(value: Any, location: Location, faults: Faults) -> Any:
        return None if value is None else reader(value, location, faults)

    return read


def text(value: Any, location: Location, faults: Faults) -> str | None:
    """A string."""
    if isinstance(value, str):
        return value
    faults.append(Fault(location, "A string is needed here", "string_type", value))
    return None


def boolean(value: Any, location: Location, faults: Faults) -> bool | None:
    """A boolean; no strings, no numbers."""
    if isinstance(value, bool):
        return value
    faults.append(Fault(location, "A boolean is needed here", "bool_type", value))
    return None


def integer(lowest: int, highest: int, *, multiple_of: int = 1, or_zero: bool = False) -> Reader:
    """A whole number from lowest to highest; 3.0 counts as whole. `or_zero` lets 0 in as well."""

    def read(value: Any, location: Location, faults: Faults) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            faults.append(Fault(location, "A whole number is needed here", "int_type", value))
        elif isinstance(value, float) and not value.is_integer():
            faults.append(Fault(location, "The number has a fraction", "int_from_float", str(value)))
        elif value == 0 and or_zero:
            return 0
        elif _in_range(value, (lowest, highest), location, faults):
            if value % multiple_of == 0:
                return int(value)
            faults.append(Fault(location, f"This must be a multiple of {multiple_of}", "multiple_of", value))
        return None

    return read


def number(lowest: float, highest: float) -> Reader:
    """A finite number from lowest to highest, both included."""

    def read(value: Any, location: Location, faults: Faults) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            faults.append(Fault(location, "A number is needed here", "float_type", value))
        elif isinstance(value, float) and not math.isfinite(value):
            faults.append(Fault(location, "A finite number is needed here", "finite_number", str(value)))
        elif _in_range(value, (lowest, highest), location, faults):
            return float(value)
        return None

    return read


def _in_range(value: float, limits: tuple[float, float], location: Location, faults: Faults) -> bool:
    lowest, highest = limits
    if value < lowest:
        faults.append(Fault(location, f"This must be at least {lowest}", "greater_than_equal", value))
    elif value > highest:
        faults.append(Fault(location, f"This must be at most {highest}", "less_than_equal", value))
    else:
        return True
    return False


def choice(*values: str) -> Reader:
    """One of these strings, in exactly this spelling."""

    def read(value: Any, location: Location, faults: Faults) -> str | None:
        if isinstance(value, str) and value in values:
            return value
        known = ", ".join(f"'{known}'" for known in values)
        faults.append(Fault(location, f"This must be one of {known}", "literal_error", value))
        return None

    return read


def ratio(lowest: float, highest: float) -> Reader:
    """A ratio of two whole numbers, "16:9", whose quotient lies from lowest to highest."""

    def read(value: Any, location: Location, faults: Faults) -> str | None:
        given = text(value, location, faults)
        if given is None:
            return None
        match = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", given)
        if match and lowest <= int(match[1]) / int(match[2]) <= highest:
            return given
        faults.append(Fault(location, "This must be a ratio W:H from 21:9 to 9:21", "value_error", value))
        return None

    return read


def web_address(longest: int) -> Reader:
    """An http or https address of at most so many signs."""

    def read(value: Any, location: Location, faults: Faults) -> str | None:
        given = text(value, location, faults)
        if given is None or (re.fullmatch(r"https?://[^\s/]\S*", given) and len(given) <= longest):
            return given
        faults.append(Fault(location, f"An address of 1 to {longest} signs is needed", "url_parsing", value))
        return None

    return read
