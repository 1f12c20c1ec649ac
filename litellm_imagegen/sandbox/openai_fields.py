"""The fields of an OpenAI image request, as readers: what each takes, on which model.

Strategy: one table of readers per model and operation. What says how a picture should be is a table of its
own, since the tool of the Responses API has the same fields.

Source: https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .openai_errors import invalid_value
from .openai_models import Model
from .openai_readers import Reader, boolean, choice, record, shown, text, whole
from .openai_sizes import FIXED_SIZES, fault_of_free_size, parse_size

Operation = Literal["generation", "edit"]

WHOLE_NUMBERS = ("n", "output_compression", "partial_images", "frame_count", "frame_duration_ms")
BOOLEANS = ("stream",)

_LONGEST_PROMPT = 32_000
_LONGEST_IDENTIFIER = 128
_FORMATS_WITH_ALPHA = ("png", "webp")
_FORMATS_WITH_COMPRESSION = ("jpeg", "webp")


def read_fields(values: Mapping[str, Any], model: Model, operation: Operation) -> dict[str, Any]:
    """Read all fields but those that hold pictures. Raises OpenAIError at the first fault."""
    result: dict[str, Any] = record(_readers(model, operation), required=("prompt",))(values, "")
    check_together(result)
    return result


def picture_readers(model: Model) -> dict[str, Reader]:
    """The fields that say how a picture should be, which both APIs have."""
    return {
        "size": _size(model),
        "quality": choice(("auto", *model.qualities)),
        "background": _background(model),
        "output_format": choice(model.output_formats),
        "output_compression": whole(0, 100),
        "moderation": choice(("auto", "low")),
        "partial_images": whole(0, 3),
    }


def fidelity_reader(model: Model) -> dict[str, Reader]:
    """The field that says how closely pictures of the request are kept, on models that leave a choice."""
    return {"input_fidelity": choice(("high", "low"))} if model.takes_input_fidelity else {}


def check_together(fields: Mapping[str, Any], place: str = "") -> None:
    """The rules that need two fields at once. `place` is what stands before their names: "tools[0]."."""
    output_format = fields.get("output_format", "png")
    if fields.get("background") == "transparent" and output_format not in _FORMATS_WITH_ALPHA:
        raise invalid_value(f"{place}background", f"transparent needs png or webp, not {output_format}.")
    if fields.get("output_compression", 100) < 100 and output_format not in _FORMATS_WITH_COMPRESSION:
        raise invalid_value(f"{place}output_compression", f"is for jpeg and webp, not for {output_format}.")
    if fields.get("stream") and fields.get("n", 1) != 1:
        raise invalid_value("n", "must be 1 when the reply is streamed.")
    for name, wanted in (("frame_count", "gif"), ("frame_duration_ms", "gif"), ("svg", "svg")):
        if name in fields and output_format != wanted:
            raise invalid_value(name, f"is for {wanted}, not for {output_format}.")


def _size(model: Model) -> Reader:
    fixed = ", ".join(f"{width}x{height}" for width, height in FIXED_SIZES)

    def read(value: Any, name: str) -> str:
        if value == "auto":
            return "auto"
        size = parse_size(value) if isinstance(value, str) else None
        if not model.free_size:
            if size not in FIXED_SIZES:
                raise invalid_value(name, f"{shown(value)}; it takes {fixed}, auto.")
        elif size is None:
            raise invalid_value(name, f"{shown(value)}; it takes WIDTHxHEIGHT or auto.")
        elif fault := fault_of_free_size(size):
            raise invalid_value(name, f"{shown(value)}. {fault}")
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


def _readers(model: Model, operation: Operation) -> dict[str, Reader]:
    common: dict[str, Reader] = {
        "prompt": text(_LONGEST_PROMPT, shortest=1),
        "model": text(),
        "n": whole(1, 10),
        "stream": boolean,
        "user": text(),
    }
    own = _only_generation(model) if operation == "generation" else fidelity_reader(model)
    return common | picture_readers(model) | own


def _only_generation(model: Model) -> dict[str, Reader]:
    readers: dict[str, Reader] = {"safety_identifier": text(_LONGEST_IDENTIFIER)}
    if model.takes_authoring:
        readers |= {
            "complexity": choice(("low", "medium", "high")),
            "frame_count": whole(2, 64),
            "frame_duration_ms": whole(20, 2000),
            "svg": record({"model": text(shortest=1)}),
        }
    return readers
