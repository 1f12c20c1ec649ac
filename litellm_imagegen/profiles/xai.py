"""xAI's Grok Imagine models.

Sources: https://docs.x.ai/docs/guides/image-generations (fields), https://docs.x.ai/docs/models (prices),
read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "xai"
STARTS = ("grok-imagine",)

_NEWEST = "grok-imagine-image-2.0"
_QUALITIES = ("low", "medium", "high")


def _row(
    model_id: str,
    *,
    price: Price,
    qualities: tuple[str, ...] = _QUALITIES,
    successor: str | None = None,
    gone: str | None = None,
) -> Profile:
    return Profile(
        id=model_id,
        family=FAMILY,
        successor=successor,
        gone=gone,
        output=(Modality.IMAGE,),
        names=frozenset(
            {
                Name.ASPECT_RATIO,
                Name.IMAGE_SIZE,
                Name.QUALITY,
                Name.N,
                Name.RESPONSE_FORMAT,
                Name.OUTPUT_FORMAT,
                Name.PROVIDER_OPTIONS,
            }
        ),
        aspect_ratios=(
            *("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2"),
            *("19.5:9", "9:19.5", "20:9", "9:20"),
        ),
        image_sizes=("1K", "2K"),
        choices={Name.QUALITY: qualities},
        maximum_n=10,
        maximum_reference_images=3,
        price=price,
    )


# Oldest first: an id that is unknown here is planned for as the last row, the newest.
ROWS: tuple[Profile, ...] = (
    _row("grok-imagine-image", price=Price(picture=0.02)),
    _row("grok-imagine-image-quality", price=Price(picture=0.05), successor=_NEWEST, gone="2026-11-02"),
    _row(
        _NEWEST,
        price=Price(picture=0.06, pictures={"low 1024x1024": 0.04}),
        qualities=_QUALITIES[:2],
    ),
)
