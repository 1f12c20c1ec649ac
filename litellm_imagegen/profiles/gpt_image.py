"""OpenAI's image models on the Images API.

Sources: https://developers.openai.com/api/docs/guides/image-generation (fields, sizes),
https://developers.openai.com/api/docs/pricing (prices),
https://developers.openai.com/api/docs/deprecations (dates, successors), read 2026-11.
"""

from collections.abc import Mapping

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import Dimensions, PixelRule
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "gpt_image"
STARTS = ("gpt-image", "chatgpt-image", "dall-e")

SIZES: tuple[Dimensions, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
PIXEL_RULE = PixelRule(
    multiple=16, maximum_edge=3840, minimum_area=655_360, maximum_area=8_294_400, maximum_ratio=3
)
NAMES = frozenset(
    {
        Name.DIMENSIONS,
        Name.QUALITY,
        Name.BACKGROUND,
        Name.OUTPUT_FORMAT,
        Name.OUTPUT_COMPRESSION,
        Name.MODERATION,
        Name.PARTIAL_IMAGES,
        Name.MASK,
        Name.N,
        Name.PROVIDER_OPTIONS,
    }
)
CHOICES: Mapping[Name, tuple[str, ...]] = {
    Name.QUALITY: ("low", "medium", "high"),
    Name.BACKGROUND: ("opaque", "transparent"),
    Name.OUTPUT_FORMAT: ("png", "jpeg", "webp"),
    Name.MODERATION: ("low", "auto"),
}
OPAQUE: Mapping[Name, tuple[str, ...]] = {Name.BACKGROUND: ("opaque",)}
FIDELITIES: Mapping[Name, tuple[str, ...]] = {Name.INPUT_FIDELITY: ("low", "high")}
RANGES: Mapping[Name, tuple[float, float]] = {Name.OUTPUT_COMPRESSION: (0, 100), Name.PARTIAL_IMAGES: (0, 3)}

_CHOICES_OF_2_5 = {Name.QUALITY: (*CHOICES[Name.QUALITY], "xhigh", "max")}
_CHOICES_OF_2_6 = {**_CHOICES_OF_2_5, Name.OUTPUT_FORMAT: (*CHOICES[Name.OUTPUT_FORMAT], "gif", "svg")}
# These look at every picture closely and refuse to be told so.
ALWAYS_FAITHFUL = {Name.INPUT_FIDELITY: ("high",)}
_FLARE, _SUNBURST = "gpt-image-2.5-flare", "gpt-image-2.5-sunburst"
_PRICED_SIZES = ((1024, 1024), (1024, 1536), (3840, 2160))


def _row(
    model_id: str,
    *,
    price: Price,
    names: frozenset[Name] = NAMES,
    sizes: tuple[Dimensions, ...] = (),
    choices: Mapping[Name, tuple[str, ...]] | None = None,
    granted: Mapping[Name, tuple[str, ...]] | None = None,
    successor: str | None = None,
    gone: str | None = None,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        successor=successor,
        gone=gone,
        output=(Modality.IMAGE,),
        names=names,
        sizes=sizes,
        pixel_rule=None if sizes else PIXEL_RULE,
        choices={**CHOICES, **(choices or {})},
        ranges=RANGES,
        granted=granted or {},
        maximum_n=10,
        maximum_reference_images=16,
        accepted_mime=("image/png", "image/jpeg", "image/webp"),
        price=price,
    )


def _faithful(model_id: str, *, price: Price, gone: str | None = None) -> Profile:
    return _row(
        model_id,
        price=price,
        names=NAMES | {Name.INPUT_FIDELITY},
        sizes=SIZES,
        choices=FIDELITIES,
        successor=_SUNBURST,
        gone=gone,
    )


def _price(
    *,
    text_output: float | None = None,
    image_output: float = 30.0,
    pictures: Mapping[str, float] | None = None,
) -> Price:
    """The price since 1.5: the input's has stayed the same."""
    return Price(
        input=5.0,
        image_input=8.0,
        text_output=text_output,
        image_output=image_output,
        cached_input_share=0.25,
        pictures=pictures or {},
    )


def _pictures(sizes: tuple[Dimensions, ...], **prices: tuple[float, ...]) -> dict[str, float]:
    """Prices by quality, in the order of `sizes`; the vendor tells none for some of the last."""
    return {
        f"{quality} {width}x{height}": price
        for quality, of_quality in prices.items()
        for (width, height), price in zip(sizes, of_quality, strict=False)
    }


def _dated(row: Profile, date: str) -> Profile:
    """The snapshot for which the bare id stands."""
    return row.model_copy(update={"id": f"{row.id}-{date}"})


def _retired(model_id: str) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        successor=_SUNBURST,
        gone="2026-05-12",
        output=(Modality.IMAGE,),
        names=frozenset({Name.PROVIDER_OPTIONS}),
    )


_1_5 = _faithful(
    "gpt-image-1.5",
    price=_price(
        text_output=10.0,
        image_output=32.0,
        pictures=_pictures(
            SIZES, low=(0.009, 0.013, 0.013), medium=(0.034, 0.05, 0.05), high=(0.133, 0.20, 0.20)
        ),
    ),
)
_2 = _row(
    "gpt-image-2",
    choices=OPAQUE,
    granted=ALWAYS_FAITHFUL,
    price=_price(
        pictures=_pictures(
            _PRICED_SIZES, low=(0.006, 0.005, 0.012), medium=(0.053, 0.042, 0.10), high=(0.211, 0.165, 0.40)
        )
    ),
)
_2_5_FLARE, _2_5_SUNBURST = (
    _row(
        model_id,
        choices=_CHOICES_OF_2_5,
        granted=ALWAYS_FAITHFUL,
        price=_price(
            pictures=_pictures(
                _PRICED_SIZES,
                low=(0.00588, 0.00474, 0.01113),
                medium=(0.01317, 0.01029),
                high=(0.05268, 0.04116, 0.10008),
                max=(0.21072, 0.16464, 0.40026),
            )
        ),
    )
    for model_id in (_FLARE, _SUNBURST)
)

# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _retired("dall-e-2"),
    _retired("dall-e-3"),
    _faithful(
        "gpt-image-1",
        gone="2026-10-23",
        price=Price(
            input=5.0,
            image_input=10.0,
            image_output=40.0,
            cached_input_share=0.25,
            pictures=_pictures(
                SIZES, low=(0.011, 0.016, 0.016), medium=(0.042, 0.063, 0.063), high=(0.167, 0.25, 0.25)
            ),
        ),
    ),
    _row(
        "gpt-image-1-mini",
        sizes=SIZES,
        granted=ALWAYS_FAITHFUL,
        successor=_FLARE,
        price=Price(
            input=2.0,
            image_input=2.5,
            image_output=8.0,
            pictures=_pictures(
                SIZES, low=(0.005, 0.006, 0.006), medium=(0.011, 0.015, 0.015), high=(0.036, 0.052, 0.052)
            ),
        ),
    ),
    _dated(_1_5, "2025-12-16"),
    _1_5,
    _row(
        "chatgpt-image-latest",
        sizes=SIZES,
        successor=_SUNBURST,
        price=_price(text_output=10.0, image_output=32.0),
    ),
    _dated(_2, "2026-04-21"),
    _2,
    _dated(_2_5_FLARE, "2026-09-08"),
    _2_5_FLARE,
    _dated(_2_5_SUNBURST, "2026-09-08"),
    _2_5_SUNBURST,
    _row(
        "gpt-image-2.6-flare",
        choices=_CHOICES_OF_2_6,
        granted=ALWAYS_FAITHFUL,
        price=_price(),
    ),
    _row(
        "gpt-image-2.6-sunburst",
        choices=_CHOICES_OF_2_6,
        granted=ALWAYS_FAITHFUL,
        price=_price(),
    ),
)
