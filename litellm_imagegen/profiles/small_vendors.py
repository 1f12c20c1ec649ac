"""Vendors with a row or two each.

Sources: https://learn.microsoft.com/azure/foundry/foundry-models/how-to/use-foundry-models-mai,
https://docs.dev.runwayml.com/api, https://dev.meta.ai/docs/pricing-rate-limits, https://docs.krea.ai,
https://openrouter.ai/sourceful, https://developer.topazlabs.com/image-models/wonder/wonder-3.5-new,
read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles.profile import Price, Profile

_BY_RATIO = frozenset({Name.ASPECT_RATIO, Name.PROVIDER_OPTIONS})
_BY_RATIO_AND_SIZE = _BY_RATIO | {Name.IMAGE_SIZE}


def _microsoft(model_id: str, price: Price) -> Profile:
    return Profile(
        id=model_id,
        family="microsoft",
        output=(Modality.IMAGE,),
        names=frozenset({Name.DIMENSIONS, Name.PROVIDER_OPTIONS}),
        pixel_rule=PixelRule(minimum_edge=768, maximum_edge=3072, maximum_area=1536 * 1536),
        maximum_reference_images=5,
        price=price,
    )


def _runway(model_id: str, price: float) -> Profile:
    return Profile(
        id=model_id,
        family="runway",
        output=(Modality.IMAGE,),
        names=frozenset({Name.DIMENSIONS, Name.SEED, Name.PROVIDER_OPTIONS}),
        sizes=(
            *((1024, 1024), (1080, 1080), (1168, 880), (1360, 768), (1440, 1080), (1080, 1440)),
            *((1808, 768), (1920, 1080), (1080, 1920), (2112, 912), (1280, 720), (720, 1280)),
            *((720, 720), (960, 720), (720, 960), (1680, 720)),
        ),
        maximum_reference_images=3,
        price=Price(picture=price),
    )


def _sourceful(
    model_id: str, *, image_sizes: tuple[str, ...], maximum_reference_images: int | None = None
) -> Profile:
    return Profile(
        id=model_id,
        family="sourceful",
        output=(Modality.IMAGE,),
        names=_BY_RATIO_AND_SIZE,
        aspect_ratios=("1:1", "4:3", "3:4", "3:2", "2:3", "5:4", "4:5", "16:9", "9:16", "21:9"),
        image_sizes=image_sizes,
        maximum_reference_images=maximum_reference_images,
    )


_META = Profile(
    id="muse-image-1.0",
    family="meta",
    output=(Modality.IMAGE,),
    names=_BY_RATIO,
    aspect_ratios=(
        *("1:1", "3:2", "2:3", "4:3", "3:4", "5:4", "4:5"),
        *("16:9", "9:16", "21:9", "9:21", "2:1", "1:2"),
    ),
    image_sizes=("1.5K",),
    image_size_is_fixed=True,
    pixels={"1.5K": {"1:1": (1600, 1600)}},
    default_tier="1.5K",
    price=Price(picture=0.01),
)
_KREA = Profile(
    id="krea-2-large",
    family="krea",
    output=(Modality.IMAGE,),
    names=_BY_RATIO_AND_SIZE | {Name.SEED},
    aspect_ratios=("1:1", "4:3", "3:2", "16:9", "2.35:1", "4:5", "2:3", "9:16"),
    image_sizes=("1K",),
)
# It betters one picture and draws none of its own.
_TOPAZ = Profile(
    id="wonder-3.5",
    family="topaz",
    output=(Modality.IMAGE,),
    names=frozenset({Name.PROVIDER_OPTIONS}),
    maximum_reference_images=1,
    accepted_mime=("image/jpeg", "image/png", "image/tiff"),
)

# By family: how its ids begin, and its rows, oldest first.
FAMILIES: dict[str, tuple[tuple[str, ...], tuple[Profile, ...]]] = {
    "microsoft": (
        ("MAI-Image", "mai-image"),
        (
            _microsoft("MAI-Image-2.6-Flash", Price(input=1.75, image_input=2.5, image_output=19.0)),
            _microsoft("MAI-Image-2.6", Price(input=5.0, image_input=8.0, image_output=38.0)),
        ),
    ),
    "runway": (("gen4",), (_runway("gen4_image_turbo", 0.02), _runway("gen4_image", 0.05))),
    "meta": (("muse",), (_META,)),
    "krea": (("krea",), (_KREA,)),
    "sourceful": (
        ("riverflow",),
        (
            _sourceful("riverflow-v2-fast", image_sizes=("1K", "2K"), maximum_reference_images=4),
            _sourceful("riverflow-v2-pro", image_sizes=("1K", "2K", "4K"), maximum_reference_images=10),
            _sourceful("riverflow-v2.5", image_sizes=("1K", "2K")),
        ),
    ),
    "topaz": (("wonder",), (_TOPAZ,)),
}
