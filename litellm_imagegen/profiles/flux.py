"""Black Forest Labs' FLUX models on the vendor's own API.

Sources: https://docs.bfl.ai (fields, sizes, references), https://bfl.ai/pricing (prices), read 2026-11.
"""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "flux"
STARTS = ("flux",)

_MIME = ("image/png", "image/jpeg", "image/webp")
_FORMATS = ("png", "jpeg", "webp")
_OLD_FORMATS = ("png", "jpeg")
_COMMON = frozenset({Name.SEED, Name.SAFETY_TOLERANCE, Name.OUTPUT_FORMAT, Name.PROVIDER_OPTIONS})
_UPSAMPLED = _COMMON | {Name.PROMPT_UPSAMPLING}
_BY_RATIO = _UPSAMPLED | {Name.ASPECT_RATIO}
_BY_PIXELS = _UPSAMPLED | {Name.DIMENSIONS}
_STEPPED = {Name.STEPS, Name.GUIDANCE}
_RATIO_RANGE = ("9:21", "21:9")
_PIXELS_OF_1 = PixelRule(multiple=32, minimum_edge=256, maximum_edge=1440)
_PIXELS_OF_2 = PixelRule(multiple=16, minimum_edge=64, maximum_area=2048 * 2048)
_TOOL_RANGES: Mapping[Name, tuple[float, float]] = {Name.STEPS: (15, 50), Name.GUIDANCE: (1.5, 100)}


def _row(
    model_id: str,
    *,
    names: frozenset[Name],
    price: Price,
    safety_tolerance: int = 6,
    formats: tuple[str, ...] = _FORMATS,
    ranges: Mapping[Name, tuple[float, float]] | None = None,
    maximum_reference_images: int | None = 1,
    **shape: Any,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=names,
        choices={Name.OUTPUT_FORMAT: formats} if Name.OUTPUT_FORMAT in names else {},
        ranges={Name.SAFETY_TOLERANCE: (0, safety_tolerance), **(ranges or {})},
        maximum_reference_images=maximum_reference_images,
        accepted_mime=_MIME,
        price=price,
        **shape,
    )


def _kontext(model_id: str, price: float) -> Profile:
    return _row(
        model_id,
        names=_BY_RATIO,
        price=Price(picture=price),
        maximum_reference_images=4,
        ratio_range=_RATIO_RANGE,
        image_sizes=("1K",),
        image_size_is_fixed=True,
    )


def _second(
    model_id: str,
    first_megapixel: float,
    further_megapixel: float,
    *,
    names: frozenset[Name] = _BY_PIXELS,
    ranges: Mapping[Name, tuple[float, float]] | None = None,
    maximum_reference_images: int = 8,
) -> Profile:
    return _row(
        model_id,
        names=names,
        price=Price(first_megapixel=first_megapixel, further_megapixel=further_megapixel),
        safety_tolerance=5,
        ranges=ranges,
        maximum_reference_images=maximum_reference_images,
        pixel_rule=_PIXELS_OF_2,
    )


def _klein(model_id: str, first_megapixel: float, further_megapixel: float) -> Profile:
    return _second(
        model_id,
        first_megapixel,
        further_megapixel,
        names=_COMMON | {Name.DIMENSIONS},
        maximum_reference_images=4,
    )


def _third(model_id: str, prices: Mapping[str, float], *, maximum_reference_images: int | None) -> Profile:
    return _row(
        model_id,
        names=frozenset({Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.SAFETY_TOLERANCE, Name.PROVIDER_OPTIONS}),
        price=Price(pictures=prices),
        safety_tolerance=4,
        maximum_reference_images=maximum_reference_images,
        aspect_ratios=(
            *("21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4", "1:1"),
            *("4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21"),
        ),
        image_sizes=("768", "1K", "1.5K", "2K", "4K"),
    )


_KLEIN_9B = _klein("flux-2-klein-9b", 0.015, 0.002)
_PRO = _second("flux-2-pro", 0.03, 0.015)

# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row(
        "flux-dev",
        names=_BY_PIXELS | _STEPPED,
        price=Price(picture=0.025),
        formats=_OLD_FORMATS,
        ranges={Name.STEPS: (1, 50), Name.GUIDANCE: (1.5, 5)},
        pixel_rule=_PIXELS_OF_1,
    ),
    _row(
        "flux-pro-1.1",
        names=_BY_PIXELS,
        price=Price(picture=0.04),
        formats=_OLD_FORMATS,
        pixel_rule=_PIXELS_OF_1,
    ),
    _row(
        "flux-pro-1.1-ultra",
        names=_BY_RATIO | {Name.STRENGTH},
        price=Price(picture=0.06),
        formats=_OLD_FORMATS,
        ranges={Name.STRENGTH: (0, 1)},
        ratio_range=_RATIO_RANGE,
        image_sizes=("2K",),
        image_size_is_fixed=True,
        default_tier="2K",
    ),
    # The picture that comes in gives the shape of what comes out.
    _row(
        "flux-pro-1.0-fill",
        names=_UPSAMPLED | _STEPPED | {Name.MASK},
        price=Price(picture=0.05),
        formats=_OLD_FORMATS,
        ranges=_TOOL_RANGES,
    ),
    _row(
        "flux-pro-1.0-expand",
        names=_COMMON | _STEPPED,
        price=Price(picture=0.05),
        formats=_OLD_FORMATS,
        ranges=_TOOL_RANGES,
    ),
    _kontext("flux-kontext-pro", 0.04),
    _kontext("flux-kontext-max", 0.08),
    _klein("flux-2-klein-4b", 0.014, 0.001),
    _KLEIN_9B.model_copy(update={"id": "flux-2-klein-9b-preview"}),
    _KLEIN_9B,
    _second(
        "flux-2-flex",
        0.05,
        0.05,
        names=_BY_PIXELS | _STEPPED,
        ranges={Name.STEPS: (1, 50), Name.GUIDANCE: (1.5, 10)},
    ),
    _PRO.model_copy(update={"id": "flux-2-pro-preview"}),
    _PRO,
    _second("flux-2-max", 0.07, 0.03),
    _third("flux-3-image-klein", {"1K": 0.009, "2K": 0.014, "4K": 0.036}, maximum_reference_images=None),
    # The vendor's list has no price for 1.5K.
    _third(
        "flux-3-image",
        {"768": 0.041, "1K": 0.048, "2K": 0.10, "4K": 0.607},
        maximum_reference_images=10,
    ),
)
