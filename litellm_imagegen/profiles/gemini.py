"""Google's Gemini image models ("Nano Banana") on the Gemini API.

Sources: https://ai.google.dev/gemini-api/docs/image-generation (ratios, sizes, references),
https://ai.google.dev/gemini-api/docs/pricing (prices), read 2026-11.
"""

from litellm_imagegen.canonical import Name
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "gemini"

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
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        former_ids=former_ids,
        names=_NAMES,
        aspect_ratios=aspect_ratios,
        image_sizes=image_sizes,
        image_size_is_fixed=image_size_is_fixed,
        maximum_output_tokens=maximum_output_tokens,
        maximum_reference_images=maximum_reference_images,
        maximum_stop_sequences=5,
        maximum_seed=2**31 - 1,
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
