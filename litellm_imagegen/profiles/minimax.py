"""MiniMax's image models.

Source: https://platform.minimax.io/docs/api-reference/image-generation-t2i (fields), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "minimax"
STARTS = ("image-01", "minimax", "MiniMax")


def _third(model_id: str) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=frozenset({Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.N, Name.PROVIDER_OPTIONS}),
        ratio_range=("1:3", "3:1"),
        image_sizes=("1K", "2K", "4K"),
        default_tier="2K",
        maximum_n=10,
        maximum_reference_images=16,
        accepted_mime=("image/jpeg", "image/png", "image/webp", "image/heic"),
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    Profile(
        id="image-01",
        family=FAMILY,
        output=(Modality.IMAGE,),
        # The wire has pixels and ratios: pixels say more, ratios are for those who cannot spell pixels.
        names=frozenset(
            {
                Name.DIMENSIONS,
                Name.ASPECT_RATIO,
                Name.N,
                Name.SEED,
                Name.PROMPT_UPSAMPLING,
                Name.WATERMARK,
                Name.RESPONSE_FORMAT,
                Name.PROVIDER_OPTIONS,
            }
        ),
        aspect_ratios=("1:1", "16:9", "4:3", "3:2", "2:3", "3:4", "9:16", "21:9"),
        pixel_rule=PixelRule(multiple=8, minimum_edge=512, maximum_edge=2048),
        maximum_n=9,
        maximum_reference_images=1,
        price=Price(picture=0.0035),
    ),
    _third("MiniMax-H3-Image-Highspeed"),
    _third("MiniMax-H3-Image"),
)
