"""The models of Black Forest Labs that the sandbox plays: their formats, limits and prices.

Strategy: a model is a row. Its family says which table of fields it has (`bfl_fields`) and how large its
pictures are (`bfl_sizes`); the numbers that differ within a family stand in the row. Prices are in
credits, of which a hundred are a dollar; None where no price is published.

Source: https://docs.bfl.ai and https://docs.bfl.ai/quick_start/pricing
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

MEGAPIXEL = 1024 * 1024  # 1024x1024 is reported as one megapixel


class Family(Enum):
    """Models with the same fields and the same rule for the size of a picture."""

    FLUX_3 = auto()
    FLUX_2 = auto()
    KONTEXT = auto()
    FLUX_1 = auto()
    ULTRA = auto()
    FILL = auto()
    EXPAND = auto()


@dataclass(frozen=True, kw_only=True)
class Price:
    """Credits per picture: one price, one per resolution, or a price and so much per further megapixel."""

    picture: float | None = None
    further_megapixel: float = 0.0
    by_resolution: Mapping[str, float] = field(default_factory=dict)

    def credits(
        self, *, resolution: str | None, output_pixels: int, input_pixels: Sequence[int]
    ) -> float | None:
        """The price of one picture; input pictures count as further megapixels, begun ones as whole."""
        if resolution is not None:
            return self.by_resolution.get(resolution)
        if self.picture is None:
            return None
        further = _begun(output_pixels) - 1 + sum(_begun(pixels) for pixels in input_pixels)
        return round(self.picture + self.further_megapixel * further, 6)


def _begun(pixels: int) -> int:
    return math.ceil(pixels / MEGAPIXEL)


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One model. The first of `formats` is its default; `safety_limit` is the highest safety_tolerance.

    `sampler`: it takes steps and guidance; `upsampling`: it takes a switch for rewriting the prompt.
    """

    name: str
    family: Family
    formats: tuple[str, ...] = ("jpeg", "png")
    price: Price = field(default_factory=Price)
    reference_limit: int = 1
    safety_limit: int = 6
    sampler: bool = False
    upsampling: bool = True
    guidance_range: tuple[float, float] = (1.5, 5.0)
    interval: bool = False


_FLUX_2_FORMATS = ("jpeg", "png", "webp")
_KONTEXT_FORMATS = ("png", "jpeg", "webp")


def _flux_3(name: str, prices: Mapping[str, float]) -> Model:
    # The format of the newest family is not for the caller to choose; the sandbox sends PNG.
    return Model(
        name=name,
        family=Family.FLUX_3,
        formats=("png",),
        price=Price(by_resolution=prices),
        reference_limit=10,
        safety_limit=4,
    )


def _flux_2(name: str, price: Price, *, sampler: bool = False) -> Model:
    klein = "klein" in name
    return Model(
        name=name,
        family=Family.FLUX_2,
        formats=_FLUX_2_FORMATS,
        price=price,
        reference_limit=4 if klein else 8,
        safety_limit=5,
        sampler=sampler,
        upsampling=not klein,
        guidance_range=(1.5, 10.0),
    )


def _kontext(name: str, price: float) -> Model:
    return Model(
        name=name,
        family=Family.KONTEXT,
        formats=_KONTEXT_FORMATS,
        price=Price(picture=price),
        reference_limit=4,
    )


def _flux_1(
    name: str, family: Family, price: float, *, sampler: bool = False, interval: bool = False
) -> Model:
    return Model(name=name, family=family, price=Price(picture=price), sampler=sampler, interval=interval)


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        _flux_3("flux-3-image", {"768sq": 4.1, "1k": 4.8, "2k": 10.0, "4k": 60.7}),
        _flux_3("flux-3-image-klein", {"1k": 0.9, "2k": 1.4, "4k": 3.6}),
        _flux_2("flux-2-pro", Price(picture=3.0, further_megapixel=1.5)),
        _flux_2("flux-2-pro-preview", Price()),
        _flux_2("flux-2-max", Price(picture=7.0, further_megapixel=3.0)),
        _flux_2("flux-2-flex", Price(picture=5.0, further_megapixel=5.0), sampler=True),
        _flux_2("flux-2-klein-4b", Price(picture=1.4, further_megapixel=0.1)),
        _flux_2("flux-2-klein-9b", Price(picture=1.5, further_megapixel=0.2)),
        _flux_2("flux-2-klein-9b-preview", Price()),
        _kontext("flux-kontext-pro", 4.0),
        _kontext("flux-kontext-max", 8.0),
        _flux_1("flux-pro-1.1", Family.FLUX_1, 4.0),
        _flux_1("flux-pro-1.1-ultra", Family.ULTRA, 6.0),
        _flux_1("flux-dev", Family.FLUX_1, 2.5, sampler=True),
        _flux_1("flux-pro", Family.FLUX_1, 5.0, sampler=True, interval=True),
        _flux_1("flux-pro-1.0-fill", Family.FILL, 5.0),
        _flux_1("flux-pro-1.0-expand", Family.EXPAND, 5.0),
    )
}
