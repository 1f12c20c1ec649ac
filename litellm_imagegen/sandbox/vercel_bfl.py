"""Black Forest Labs behind the Vercel AI Gateway: its options, translated into that provider's own request.

Strategy: what is known is translated, and read by the reader of that provider's wire, so that what the one
refuses the other refuses too. A key that nobody knows is handed on to a model that takes it. `size` is for
models by width and height, and as a ratio for the others. The gateway polls by itself: what it is told
about polling and webhooks changes no picture.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/black-forest-labs
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .bfl_checks import Faults
from .bfl_errors import BflError
from .bfl_fields import request_reader
from .bfl_models import Family, Model
from .bfl_request import Asked, read_request
from .chat_drawing import Canvas, picture_base64
from .faults import Wishes
from .openai_sizes import Pixels
from .strict import snake_case
from .vercel_errors import refused_upstream
from .vercel_options import BFL, REFERENCES, Options
from .vercel_order import Drawn, Order

_OF_POLLING = ("webhookUrl", "webhookSecret", "pollIntervalMillis", "pollTimeoutMillis")
_KNOWN = (
    *("imagePrompt", "imagePromptStrength", "steps", "guidance", "width", "height"),
    *("outputFormat", "promptUpsampling", "raw", "safetyTolerance"),
)
_CREDITS_OF_A_DOLLAR = 100
_SECONDS_OF_WORK = 2.5


@dataclass(frozen=True)
class BflOrder(Order):
    """Pictures of one FLUX model; each is a job of its own, with the next seed."""

    asked: Asked
    started: float = field(default_factory=time.time)

    @property
    def vendor(self) -> str:
        """The name of the provider's options, under which it answers."""
        return BFL

    def draw(self, wishes: Wishes, count: int) -> Sequence[Drawn]:
        """So many pictures, in order."""
        return [self._drawn(wishes, number, count) for number in range(1, count + 1)]

    def cost(self, count: int) -> float | None:
        """Credits of the provider's list, in dollars."""
        return None if self.asked.cost is None else self.asked.cost / _CREDITS_OF_A_DOLLAR * count

    def blocked_prompt(self) -> tuple[str, str | None]:
        """The state of a job whose prompt is moderated."""
        return "Black Forest Labs generation failed: Request Moderated.", None

    def blocked_picture(self) -> tuple[str, str | None]:
        """The state of a job whose picture is moderated."""
        return "Black Forest Labs generation failed: Content Moderated.", None

    def _drawn(self, wishes: Wishes, number: int, of: int) -> Drawn:
        asked, seed = self.asked, self.asked.seed + number - 1
        canvas = Canvas(
            model=asked.model.name,
            prompt=asked.prompt,
            width=asked.width,
            height=asked.height,
            settings=asked.format,
            output_format=asked.format,
            seed=seed,
            inputs=asked.inputs,
        )
        about = {
            "seed": seed,
            "start_time": self.started,
            "end_time": self.started + _SECONDS_OF_WORK,
            "duration": _SECONDS_OF_WORK,
            "cost": asked.cost,
            "inputMegapixels": asked.input_megapixels,
            "outputMegapixels": asked.output_megapixels,
        }
        return Drawn(picture=picture_base64(canvas, wishes, number=number, of=of), about=about)


def read_order(model: Model, prompt: str, size: Pixels | None, options: Options) -> BflOrder:
    """Read what is asked of a FLUX model. Raises GatewayError with all that the provider refuses."""
    body = {"prompt": prompt, **_translated(model, options)}
    if size is not None:
        body = {**_shape(model, size), **body}
    try:
        return BflOrder(read_request(json.dumps(body).encode(), model))
    except BflError as error:
        raise refused_upstream(error) from None


def _translated(model: Model, options: Options) -> dict[str, Any]:
    found = {snake_case(name): options[name] for name in _KNOWN if name in options}
    references = [options[name] for name in REFERENCES if name in options]
    if references:
        found |= _references(model, references)
    for name in options.keys() - {*_KNOWN, *REFERENCES, *_OF_POLLING}:
        if _takes(model, snake_case(name)):
            found[snake_case(name)] = options[name]
    return found


def _references(model: Model, pictures: list[Any]) -> dict[str, Any]:
    """The pictures of a request, where this model has a place for them."""
    if model.family is Family.FLUX_3:
        return {"images": pictures}
    if model.family is Family.FILL:
        return {"image": pictures[0]}
    names = ["input_image", *(f"input_image_{number}" for number in range(2, len(pictures) + 1))]
    return dict(zip(names, pictures, strict=True))


def _shape(model: Model, size: Pixels) -> dict[str, Any]:
    width, height = size
    if _takes(model, "width"):
        return {"width": width, "height": height}
    if _takes(model, "aspect_ratio"):
        common = math.gcd(width, height)
        return {"aspect_ratio": f"{width // common}:{height // common}"}
    return {}


def _takes(model: Model, name: str) -> bool:
    """Whether this model has such a field at all."""
    faults: Faults = []
    request_reader(model)({name: None}, (), faults)
    return not any(fault.kind == "extra_forbidden" for fault in faults)
