"""Google's Imagen models, all shut down; the rows tell where to go.

Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api (fields),
https://ai.google.dev/gemini-api/docs/deprecations (date, successors), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "imagen"
STARTS = ("imagen",)

_NAMES = frozenset(
    {
        Name.ASPECT_RATIO,
        Name.IMAGE_SIZE,
        Name.N,
        Name.SEED,
        Name.GUIDANCE,
        Name.PERSON_GENERATION,
        Name.WATERMARK,
        Name.PROMPT_UPSAMPLING,
        Name.OUTPUT_FORMAT,
        Name.OUTPUT_COMPRESSION,
        Name.PROVIDER_OPTIONS,
    }
)
_LEGACY_NAMES = _NAMES | {Name.NEGATIVE_PROMPT}


def _row(
    model_id: str,
    *,
    price: float | None = None,
    successor: str = "gemini-nano-banana-2.1",
    names: frozenset[Name] = _NAMES,
    image_sizes: tuple[str, ...] = ("1K",),
    maximum_reference_images: int = 0,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        successor=successor,
        gone="2026-08-17",
        output=(Modality.IMAGE,),
        names=names,
        aspect_ratios=("1:1", "3:4", "4:3", "9:16", "16:9"),
        image_sizes=image_sizes,
        image_size_is_fixed=len(image_sizes) == 1,
        choices={
            Name.PERSON_GENERATION: ("dont_allow", "allow_adult", "allow_all"),
            Name.OUTPUT_FORMAT: ("png", "jpeg"),
        },
        ranges={Name.OUTPUT_COMPRESSION: (0, 100)},
        maximum_n=4,
        maximum_reference_images=maximum_reference_images,
        maximum_seed=2**31 - 1,
        excludes={Name.SEED: (Name.WATERMARK, Name.PROMPT_UPSAMPLING)},
        accepted_mime=("image/png", "image/jpeg"),
        price=None if price is None else Price(picture=price),
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("imagen-3.0-generate-001", price=0.04, names=_LEGACY_NAMES),
    _row("imagen-3.0-fast-generate-001", names=_LEGACY_NAMES),
    _row(
        "imagen-3.0-capability-001",
        price=0.04,
        names=_LEGACY_NAMES | {Name.MASK},
        maximum_reference_images=4,
    ),
    _row("imagen-3.0-generate-002", price=0.04),
    _row("imagen-4.0-fast-generate-001", price=0.02),
    _row("imagen-4.0-generate-001", price=0.04, image_sizes=("1K", "2K")),
    _row(
        "imagen-4.0-ultra-generate-001",
        price=0.06,
        successor="gemini-3-pro-image",
        image_sizes=("1K", "2K"),
    ),
)
