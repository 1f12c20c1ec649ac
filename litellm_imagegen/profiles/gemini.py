"""Google's Gemini image models ("Nano Banana") on the Gemini API.

Sources: https://ai.google.dev/gemini-api/docs/image-generation (ratios, sizes, references),
https://ai.google.dev/gemini-api/docs/pricing (prices), read 2026-11.
"""

from collections.abc import Mapping

from litellm_imagegen.canonical import Name
from litellm_imagegen.geometry import Dimensions
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "gemini"
STARTS = ("gemini",)

_STANDARD_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_EXTENDED_RATIOS = (*_STANDARD_RATIOS, "1:4", "4:1", "1:8", "8:1")
_MIME = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
_NAMES = frozenset(
    {
        Name.ASPECT_RATIO,
        Name.IMAGE_SIZE,
        Name.MODALITIES,
        Name.MAX_TOKENS,
        Name.TEMPERATURE,
        Name.TOP_P,
        Name.TOP_K,
        Name.SEED,
        Name.STOP,
        Name.SAFETY_SETTINGS,
        Name.PROVIDER_OPTIONS,
    }
)
# https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerationConfig
ONLY_ON_VERTEX = frozenset({Name.PERSON_GENERATION, Name.OUTPUT_FORMAT, Name.OUTPUT_COMPRESSION})

# What every model does without being told.
_GRANTED = {Name.BACKGROUND: ("opaque",)}
# The dimensions that come out, by the vendor's table; 2K and 4K are twice and four times those of 1K.
_1K: Mapping[str, Dimensions] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
_1K_OF_2_5: Mapping[str, Dimensions] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
_PIXELS: Mapping[str, Mapping[str, Dimensions]] = {
    "512": {ratio: (width // 2, height // 2) for ratio, (width, height) in _1K.items()},
    "1K": _1K,
    "2K": {ratio: (width * 2, height * 2) for ratio, (width, height) in _1K.items()},
    "4K": {ratio: (width * 4, height * 4) for ratio, (width, height) in _1K.items()},
}


def _row(
    model_id: str,
    *,
    price: Price,
    image_sizes: tuple[str, ...],
    aspect_ratios: tuple[str, ...] = _EXTENDED_RATIOS,
    former_ids: tuple[str, ...] = (),
    maximum_output_tokens: int = 32_768,
    maximum_reference_images: int = 14,
    image_size_is_fixed: bool = False,
    accepted_mime: tuple[str, ...] = _MIME,
    pixels: Mapping[str, Mapping[str, Dimensions]] | None = None,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        former_ids=former_ids,
        names=_NAMES | ONLY_ON_VERTEX,
        aspect_ratios=aspect_ratios,
        image_sizes=image_sizes,
        image_size_is_fixed=image_size_is_fixed,
        maximum_output_tokens=maximum_output_tokens,
        maximum_reference_images=maximum_reference_images,
        maximum_stop_sequences=5,
        maximum_seed=2**31 - 1,
        ranges={Name.TEMPERATURE: (0, 2)},
        choices={
            Name.OUTPUT_FORMAT: ("png", "jpeg"),
            Name.PERSON_GENERATION: ("dont_allow", "allow_adult", "allow_all"),
        },
        granted=_GRANTED,
        pixels=pixels or {tier: _PIXELS[tier] for tier in image_sizes},
        accepted_mime=accepted_mime,
        price=price,
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row(
        "gemini-2.5-flash-image",
        former_ids=("gemini-2.5-flash-image-preview",),
        aspect_ratios=_STANDARD_RATIOS,
        image_sizes=("1K",),
        image_size_is_fixed=True,
        pixels={"1K": _1K_OF_2_5},
        maximum_reference_images=3,
        accepted_mime=_MIME[:3],
        price=Price(input=0.30, text_output=2.50, image_output=30.0),
    ),
    _row(
        "gemini-3-pro-image",
        former_ids=("gemini-3-pro-image-preview",),
        aspect_ratios=_STANDARD_RATIOS,
        image_sizes=("1K", "2K", "4K"),
        price=Price(input=2.00, text_output=12.0, image_output=120.0),
    ),
    _row(
        "gemini-3.1-flash-image",
        former_ids=("gemini-3.1-flash-image-preview",),
        image_sizes=("512", "1K", "2K", "4K"),
        price=Price(input=0.50, text_output=3.00, image_output=60.0),
    ),
    _row(
        "gemini-3.1-flash-lite-image",
        image_sizes=("1K",),
        maximum_output_tokens=4_096,
        price=Price(input=0.25, text_output=1.50, image_output=30.0),
    ),
    _row(
        "gemini-nano-banana-2.1",
        image_sizes=("1K", "2K", "4K"),
        price=Price(input=1.50, text_output=7.50, image_output=30.0),
    ),
)
