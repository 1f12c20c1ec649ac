"""The fields of an OpenAI image request, as readers: what each takes, on which model.

Strategy: one table of readers per model and operation. A reader takes a decoded value and the name of its
parameter, and raises at the first fault, since OpenAI reports one fault at a time. Null counts as not
given.

Source: https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from .openai_errors import invalid_value, missing_parameter, unknown_parameter
from .openai_models import Model
from .openai_sizes import FIXED_SIZES, fault_of_free_size, parse_size

Operation = Literal["generation", "edit"]
Reader = Callable[[Any, str], Any]

WHOLE_NUMBERS = ("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms")
BOOLEANS = ("stream",)

_LONGEST_PROMPT = 32_000
_LONGEST_IDENTIFIER = 128
_FORMATS_WITH_ALPHA = ("png", "webp")
_FORMATS_WITH_COMPRESSION = ("jpeg", "webp")


def read_fields(values: Mapping[str, Any], model: Model, operation: Operation) -> dict[str, Any]:
    """Read all fields but those that hold pictures. Raises OpenAIError at the first fault."""
    readers = _readers(model, operation)
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in readers:
            raise unknown_parameter(name[:80])
        if value is not None:
            result[name] = readers[name](value, name)
    if "prompt" not in result:
        raise missing_parameter("prompt")
    _check_together(result)
    return result


def text(longest: int | None = None, *, shortest: int = 0) -> Reader:
    """A string of `shortest` to `longest` signs."""

    def read(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise invalid_value(name, f"needs a string, got {_shown(value)}.")
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
            raise invalid_value(name, f"{_shown(value)}; it takes {', '.join(values)}.")
        return value

    return read


def _whole(lowest: int, highest: int) -> Reader:
    def read(value: Any, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_value(name, f"needs a whole number, got {_shown(value)}.")
        if not lowest <= value <= highest:
            raise invalid_value(name, f"{value}; it takes {lowest} to {highest}.")
        return value

    return read


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise invalid_value(name, f"needs a boolean, got {_shown(value)}.")
    return value


def _size(model: Model) -> Reader:
    fixed = ", ".join(f"{width}x{height}" for width, height in FIXED_SIZES)

    def read(value: Any, name: str) -> str:
        if value == "auto":
            return "auto"
        size = parse_size(value) if isinstance(value, str) else None
        if not model.free_size:
            if size not in FIXED_SIZES:
                raise invalid_value(name, f"{_shown(value)}; it takes {fixed}, auto.")
        elif size is None:
            raise invalid_value(name, f"{_shown(value)}; it takes WIDTHxHEIGHT or auto.")
        elif fault := fault_of_free_size(size):
            raise invalid_value(name, f"{_shown(value)}. {fault}")
        return str(value)

    return read


def _background(model: Model) -> Reader:
    taken = choice(("auto", "opaque", "transparent"))

    def read(value: Any, name: str) -> str:
        background: str = taken(value, name)
        if background == "transparent" and not model.transparent:
            raise invalid_value(name, f"{model.name} draws no transparent background.")
        return background

    return read


def _svg_settings(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_value(name, f"needs an object, got {_shown(value)}.")
    for key, setting in value.items():
        if key != "model":
            raise unknown_parameter(f"{name}.{key[:80]}")
        text(shortest=1)(setting, f"{name}.model")
    return value


def _readers(model: Model, operation: Operation) -> dict[str, Reader]:
    common: dict[str, Reader] = {
        "prompt": text(_LONGEST_PROMPT, shortest=1),
        "model": text(),
        "n": _whole(1, 10),
        "size": _size(model),
        "quality": choice(("auto", *model.qualities)),
        "background": _background(model),
        "output_format": choice(model.output_formats),
        "output_compression": _whole(0, 100),
        "moderation": choice(("auto", "low")),
        "stream": _boolean,
        "partial_images": _whole(0, 3),
        "user": text(),
    }
    return common | (_only_generation(model) if operation == "generation" else _only_edit(model))


def _only_generation(model: Model) -> dict[str, Reader]:
    readers: dict[str, Reader] = {"safety_identifier": text(_LONGEST_IDENTIFIER)}
    if model.takes_authoring:
        readers |= {
            "complexity": choice(("low", "medium", "high")),
            "frame_count": _whole(2, 64),
            "frame_duration_ms": _whole(20, 2000),
            "svg": _svg_settings,
        }
    return readers


def _only_edit(model: Model) -> dict[str, Reader]:
    return {"input_fidelity": choice(("high", "low"))} if model.takes_input_fidelity else {}


def _check_together(fields: Mapping[str, Any]) -> None:
    """The rules that need two fields at once."""
    output_format = fields.get("output_format", "png")
    if fields.get("background") == "transparent" and output_format not in _FORMATS_WITH_ALPHA:
        raise invalid_value("background", f"transparent needs png or webp, not {output_format}.")
    if "output_compression" in fields and output_format not in _FORMATS_WITH_COMPRESSION:
        raise invalid_value("output_compression", f"is for jpeg and webp, not for {output_format}.")
    if fields.get("stream") and fields.get("n", 1) != 1:
        raise invalid_value("n", "must be 1 when the reply is streamed.")
    for name, wanted in (("frame_count", "gif"), ("frame_duration_ms", "gif"), ("svg", "svg")):
        if name in fields and output_format != wanted:
            raise invalid_value(name, f"is for {wanted}, not for {output_format}.")


def _shown(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", bool: "a boolean"}
    return kinds.get(type(value)) or f"'{str(value)[:80]}'"
