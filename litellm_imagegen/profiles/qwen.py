"""Alibaba's Qwen-Image models on Model Studio (DashScope).

Source: https://www.alibabacloud.com/help/en/model-studio/qwen-image-api (fields, sizes), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles.profile import Profile

FAMILY = "qwen"
STARTS = ("qwen-image",)


def _row(model_id: str) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=frozenset(
            {
                Name.DIMENSIONS,
                Name.N,
                Name.NEGATIVE_PROMPT,
                Name.PROMPT_UPSAMPLING,
                Name.SEED,
                Name.WATERMARK,
                Name.PROVIDER_OPTIONS,
            }
        ),
        pixel_rule=PixelRule(minimum_area=512 * 512, maximum_area=2560 * 2560, maximum_ratio=8),
        maximum_n=6,
        maximum_reference_images=3,
        maximum_seed=2**31 - 1,
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("qwen-image-2.0"),
    _row("qwen-image-2.0-pro"),
    _row("qwen-image-3.0"),
    _row("qwen-image-3.0-pro"),
)
