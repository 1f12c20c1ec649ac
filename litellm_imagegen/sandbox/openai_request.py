"""Reads an OpenAI image request as strictly as OpenAI does and says what it asks for.

Strategy: the model first, since what may be asked depends on it, then the fields, then the pictures.
Whatever is left to the model ("auto") is settled here, so that a reply can tell what was drawn.

Source: https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .input_pictures import InputPicture
from .openai_body import Body
from .openai_errors import missing_parameter, model_not_found
from .openai_fields import Operation, read_fields
from .openai_inputs import Pictures, read_pictures, without_pictures
from .openai_models import Model, deployed_model, find_model
from .openai_readers import text
from .openai_sizes import DEFAULT_SIZE, Pixels, nearest_size, parse_size

_DEFAULT_FRAMES = 9
_DEFAULT_FRAME_MILLISECONDS = 200

ModelFinder = Callable[[Body], Model]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for.

    Width and height in pixels. With a `mask` the pixels of `base` are kept where the mask is opaque, and
    `inputs` are the other pictures; without one they are all pictures of the request.
    """

    model: Model
    operation: Operation
    prompt: str
    count: int
    width: int
    height: int
    quality: str
    background: str
    output_format: str
    output_compression: int | None
    frame_count: int
    frame_duration_ms: int
    stream: bool
    partial_pictures: int
    high_fidelity: bool
    input_count: int
    inputs: tuple[InputPicture, ...]
    base: bytes | None
    mask: bytes | None

    @property
    def size(self) -> str:
        """The size as the wire writes it: "1024x1536"."""
        return f"{self.width}x{self.height}"


def model_of_body(body: Body) -> Model:
    """The model that a request to OpenAI names. Raises OpenAIError when it names none, or none that lives."""
    name = _named_model(body)
    model = find_model(name)
    if model is None:
        raise model_not_found(name)
    return model


def deployment_of_body(body: Body) -> Model:
    """The model behind the deployment that a request to Azure names as its model."""
    return deployed_model(_named_model(body))


def read_request(body: Body, operation: Operation, find: ModelFinder) -> Asked:
    """Read a whole request. Raises OpenAIError at the first fault. Decodes pictures: call it in a thread."""
    model = find(body)
    if operation == "generation":
        return settle(read_fields(body.values, model, operation), model, operation, Pictures())
    fields = read_fields(without_pictures(body), model, operation)
    return settle(fields, model, operation, read_pictures(body, model))


def _named_model(body: Body) -> str:
    name = body.values.get("model")
    if name is None:
        raise missing_parameter("model")
    named: str = text(shortest=1)(name, "model")
    return named


def settle(fields: Mapping[str, Any], model: Model, operation: Operation, pictures: Pictures) -> Asked:
    """What fields that were read, and pictures with them, ask for."""
    width, height = _settled_size(fields, model, pictures)
    base, mask = _base_and_mask(pictures)
    given = [*pictures.references, *([pictures.markup] if pictures.markup else [])]
    shown = given[1:] if mask is not None else given
    return Asked(
        model=model,
        operation=operation,
        prompt=fields["prompt"],
        count=fields.get("n", 1),
        width=width,
        height=height,
        quality=_unless_auto(fields, "quality", model.default_quality),
        background=_unless_auto(fields, "background", "opaque"),
        output_format=fields.get("output_format", "png"),
        output_compression=fields.get("output_compression"),
        frame_count=fields.get("frame_count", _DEFAULT_FRAMES),
        frame_duration_ms=fields.get("frame_duration_ms", _DEFAULT_FRAME_MILLISECONDS),
        stream=fields.get("stream", False),
        partial_pictures=fields.get("partial_images", 0),
        high_fidelity=model.always_high_fidelity or fields.get("input_fidelity") == "high",
        input_count=len(given),
        inputs=tuple(entry.shown for entry in shown),
        base=base,
        mask=mask,
    )


def _unless_auto(fields: Mapping[str, Any], name: str, otherwise: str) -> str:
    value: str = fields.get(name, "auto")
    return otherwise if value == "auto" else value


def _settled_size(fields: Mapping[str, Any], model: Model, pictures: Pictures) -> Pixels:
    size = parse_size(fields.get("size", "auto"))
    if size is not None:
        return size
    first = pictures.references[0].shown if pictures.references else None
    if first is None or not (first.width and first.height):
        return DEFAULT_SIZE
    return nearest_size((first.width, first.height), free=model.free_size)


def _base_and_mask(pictures: Pictures) -> tuple[bytes | None, bytes | None]:
    """The bytes of the first picture and of the mask, when both came with the request."""
    if pictures.mask is None or pictures.mask.data is None or pictures.references[0].data is None:
        return None, None
    return pictures.references[0].data, pictures.mask.data
