"""Reads a request to Black Forest Labs as strictly as its reference says, and says what it asks for.

Strategy: the model's table of fields goes first and finds every wrong field in one pass; what needs two
fields at once (total of pixels, words or a picture, mask and picture) is checked after it.

Source: https://docs.bfl.ai (the request body of each model's page)
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import strict
from .bfl_checks import Fault, Faults
from .bfl_errors import invalid
from .bfl_fields import LONGEST_SIDE, reference_names, request_reader
from .bfl_models import MEGAPIXEL, Family, Model
from .bfl_pictures import GivenPicture
from .bfl_sizes import MOST_PIXELS_FLUX_2, output_size
from .input_pictures import InputPicture

_LARGEST_DRAWN_SEED = 2**32
_HIGHEST_SAFETY_WITH_PICTURE = 2


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a request asks for. Width and height in pixels; `cost` in credits, None without a price.

    `seed` is drawn by lot when the request names none.
    """

    model: Model
    prompt: str
    seed: int
    width: int
    height: int
    format: str
    inputs: tuple[InputPicture, ...]
    cost: float | None
    input_megapixels: float
    webhook_url: str | None

    @property
    def output_megapixels(self) -> float:
        """Size of the output, as the reply to a submit tells it."""
        return _megapixels(self.width * self.height)


def read_request(body: bytes, model: Model) -> Asked:
    """Read a request body for this model. Raises BflError (422) with every fault of the request."""
    try:
        value = strict.decode_json(body)
    except ValueError as fault:
        raise invalid([Fault(("body", 0), f"This is no JSON: {str(fault)[:200]}", "json_invalid")]) from None
    faults: Faults = []
    request = request_reader(model)(value, ("body",), faults)
    if not faults:
        faults += _between_fields(request, model)
    if faults:
        raise invalid(faults)
    return _asked(request, model)


def _asked(request: dict[str, Any], model: Model) -> Asked:
    inputs = _inputs(request, model)
    width, height = output_size(model, request, inputs)
    input_pixels = [
        picture.shown.width * picture.shown.height if picture.measured else MEGAPIXEL for picture in inputs
    ]
    seed = request.get("seed")
    return Asked(
        model=model,
        prompt=request.get("prompt", ""),
        seed=secrets.randbelow(_LARGEST_DRAWN_SEED) if seed is None else seed,
        width=width,
        height=height,
        format=request.get("output_format", model.formats[0]),
        inputs=tuple(picture.shown for picture in inputs),
        cost=model.price.credits(
            resolution=request.get("resolution", "1k") if model.family is Family.FLUX_3 else None,
            output_pixels=width * height,
            input_pixels=input_pixels,
        ),
        input_megapixels=_megapixels(sum(input_pixels)),
        webhook_url=request.get("webhook_url"),
    )


def _megapixels(pixels: int) -> float:
    return round(pixels / MEGAPIXEL, 3)


def _inputs(request: dict[str, Any], model: Model) -> list[GivenPicture]:
    """All pictures of the request, the one that an edit starts from first."""
    names = [*reference_names(model), "image", "mask", "image_prompt"]
    return [*request.get("images", ()), *(request[name] for name in names if name in request)]


def _between_fields(request: dict[str, Any], model: Model) -> Iterator[Fault]:
    width, height = output_size(model, request, _inputs(request, model))
    if max(width, height) > LONGEST_SIDE:
        yield Fault(("body",), f"The picture would have {width}x{height} pixels", "value_error")
    if model.family is Family.FLUX_2:
        if width * height > MOST_PIXELS_FLUX_2:
            yield Fault(("body", "width"), f"{width}x{height} is above 4 megapixels", "value_error", width)
    elif model.family is Family.KONTEXT:
        tolerance = request.get("safety_tolerance", 0)
        if _inputs(request, model) and tolerance > _HIGHEST_SAFETY_WITH_PICTURE:
            where = ("body", "safety_tolerance")
            yield Fault(where, "This must be at most 2 beside an input picture", "less_than_equal", tolerance)
    elif model.family in (Family.FLUX_1, Family.ULTRA):
        if "prompt" not in request and "image_prompt" not in request:
            yield Fault(("body", "prompt"), "This field is required without image_prompt", "missing")
    elif model.family is Family.FILL:
        yield from _mask_faults(request["image"], request.get("mask"))


def _mask_faults(image: GivenPicture, mask: GivenPicture | None) -> Iterator[Fault]:
    if mask is None:
        if not image.has_transparency:
            yield Fault(("body", "mask"), "The image is opaque, so a mask is required", "missing")
    elif image.measured and mask.measured:
        sizes = [(picture.shown.width, picture.shown.height) for picture in (image, mask)]
        if sizes[0] != sizes[1]:
            yield Fault(("body", "mask"), "The mask has another size than the image", "value_error")
