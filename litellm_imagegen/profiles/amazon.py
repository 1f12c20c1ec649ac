"""Image models on Amazon Bedrock: Amazon's own, which are gone, and Stability AI's.

Sources: https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stability-diffusion.html (fields),
https://aws.amazon.com/bedrock/pricing (prices), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles import stability
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "amazon"
STARTS = ("amazon.", "stability.")


def _amazon(model_id: str, price: float, *, gone: str) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        gone=gone,
        output=(Modality.IMAGE,),
        names=frozenset(
            {
                Name.DIMENSIONS,
                Name.N,
                Name.NEGATIVE_PROMPT,
                Name.GUIDANCE,
                Name.SEED,
                Name.PROVIDER_OPTIONS,
            }
        ),
        pixel_rule=PixelRule(multiple=16, minimum_edge=320, maximum_edge=4096, maximum_area=2048 * 2048),
        ranges={Name.GUIDANCE: (1.1, 10)},
        maximum_n=5,
        maximum_seed=858_993_459,
        price=Price(picture=price),
    )


def _stability(model_id: str, price: float) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=frozenset(
            {Name.ASPECT_RATIO, Name.SEED, Name.OUTPUT_FORMAT, Name.STRENGTH, Name.PROVIDER_OPTIONS}
        ),
        aspect_ratios=stability.ASPECT_RATIOS,
        choices={Name.OUTPUT_FORMAT: stability.FORMATS},
        ranges={Name.STRENGTH: (0, 1)},
        maximum_seed=stability.MAXIMUM_SEED,
        price=Price(picture=price),
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _amazon("amazon.titan-image-generator-v2:0", 0.008, gone="2026-06-30"),
    _amazon("amazon.nova-canvas-v1:0", 0.06, gone="2026-09-30"),
    _stability("stability.sd3-5-large-v1:0", 0.08),
    _stability("stability.stable-image-core-v1:1", 0.04),
    _stability("stability.stable-image-ultra-v1:1", 0.14),
)
