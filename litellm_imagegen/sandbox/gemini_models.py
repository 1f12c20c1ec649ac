"""What each Gemini image model takes and gives, as data.

Strategy: one row per live model; everything that differs between models is a field here, so that the
reader of requests and the writer of replies hold no model names. These tables belong to the sandbox
alone: they are written down a second time on purpose, so that an error in the package's own tables shows
up as a refusal.

Source: https://ai.google.dev/gemini-api/docs/image-generation and
https://ai.google.dev/gemini-api/docs/models
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Pixels = tuple[int, int]

_DEFAULT_SIZE = "1K"

RATIOS_STANDARD = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
RATIOS_EXTENDED = (*RATIOS_STANDARD, "1:4", "4:1", "1:8", "8:1")

_PIXELS_FIRST_GENERATION: dict[str, Pixels] = {
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

_PIXELS_1K: dict[str, Pixels] = {
    "1:1": (1024, 1024),
    "1:4": (512, 2048),
    "1:8": (384, 3072),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:1": (2048, 512),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "8:1": (3072, 384),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}

# The smallest size is not half of 1K everywhere, and 21:9 is published with half the height one would expect.
_PIXELS_512: dict[str, Pixels] = {
    "1:1": (512, 512),
    "1:4": (256, 1024),
    "1:8": (192, 1536),
    "2:3": (424, 632),
    "3:2": (632, 424),
    "3:4": (448, 600),
    "4:1": (1024, 256),
    "4:3": (600, 448),
    "4:5": (464, 576),
    "5:4": (576, 464),
    "8:1": (1536, 192),
    "9:16": (384, 688),
    "16:9": (688, 384),
    "21:9": (792, 168),
}


def _times(pixels: Mapping[str, Pixels], factor: int) -> dict[str, Pixels]:
    return {ratio: (width * factor, height * factor) for ratio, (width, height) in pixels.items()}


PIXELS_BY_SIZE: dict[str, dict[str, Pixels]] = {
    "512": _PIXELS_512,
    "1K": _PIXELS_1K,
    "2K": _times(_PIXELS_1K, 2),
    "4K": _times(_PIXELS_1K, 4),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One live model.

    `output_tokens` maps a size to the tokens billed per picture; its keys are the sizes the model draws.
    A model with `takes_image_size` false draws its one size and refuses the field. Without
    `thinking_levels` a model does not think.
    """

    name: str
    display_name: str
    ratios: tuple[str, ...]
    output_tokens: Mapping[str, int]
    takes_image_size: bool
    mime_type: str
    input_picture_tokens: int
    input_token_limit: int
    output_token_limit: int
    reference_limit: int
    thinking_levels: tuple[str, ...]
    search: bool
    search_types: bool

    @property
    def thinks(self) -> bool:
        """Whether replies carry thoughts and thought signatures."""
        return bool(self.thinking_levels)

    @property
    def default_size(self) -> str:
        """The size of a picture when none is asked for."""
        return _DEFAULT_SIZE if _DEFAULT_SIZE in self.output_tokens else next(iter(self.output_tokens))

    def pixels(self, ratio: str, size: str) -> Pixels:
        """Width and height in pixels of a picture of this ratio ("16:9") and size ("1K")."""
        return PIXELS_BY_SIZE[size][ratio] if self.takes_image_size else _PIXELS_FIRST_GENERATION[ratio]


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="gemini-2.5-flash-image",
            display_name="Nano Banana",
            ratios=RATIOS_STANDARD,
            output_tokens={"1K": 1290},
            takes_image_size=False,
            mime_type="image/png",
            input_picture_tokens=1290,
            input_token_limit=65_536,
            output_token_limit=32_768,
            reference_limit=3,
            thinking_levels=(),
            search=False,
            search_types=False,
        ),
        Model(
            name="gemini-3-pro-image",
            display_name="Nano Banana Pro",
            ratios=RATIOS_STANDARD,
            output_tokens={"1K": 1120, "2K": 1120, "4K": 2000},
            takes_image_size=True,
            mime_type="image/jpeg",
            input_picture_tokens=560,
            input_token_limit=65_536,
            output_token_limit=32_768,
            reference_limit=14,
            thinking_levels=("low", "high"),
            search=True,
            search_types=False,
        ),
        Model(
            name="gemini-3.1-flash-image",
            display_name="Nano Banana 2",
            ratios=RATIOS_EXTENDED,
            output_tokens={"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
            takes_image_size=True,
            mime_type="image/jpeg",
            input_picture_tokens=1120,
            input_token_limit=131_072,
            output_token_limit=32_768,
            reference_limit=14,
            thinking_levels=("minimal", "high"),
            search=True,
            search_types=True,
        ),
        Model(
            name="gemini-3.1-flash-lite-image",
            display_name="Nano Banana 2 Lite",
            ratios=RATIOS_EXTENDED,
            output_tokens={"1K": 1120},
            takes_image_size=True,
            mime_type="image/jpeg",
            input_picture_tokens=1120,
            input_token_limit=65_536,
            output_token_limit=4_096,
            reference_limit=14,
            thinking_levels=("minimal", "high"),
            search=False,
            search_types=False,
        ),
        Model(
            name="gemini-nano-banana-2.1",
            display_name="Nano Banana 2.1",
            ratios=RATIOS_EXTENDED,
            # Google's price page and its guide differ about 4K; the price page is what is billed.
            output_tokens={"1K": 1120, "2K": 1680, "4K": 3780},
            takes_image_size=True,
            mime_type="image/jpeg",
            input_picture_tokens=1120,
            input_token_limit=131_072,
            output_token_limit=32_768,
            reference_limit=14,
            thinking_levels=("minimal", "medium", "high"),
            search=True,
            search_types=True,
        ),
    )
}


def nearest_ratio(model: Model, width: int, height: int) -> str:
    """The ratio of this model nearest to a picture of width x height pixels (compared by its logarithm)."""

    def distance(ratio: str) -> float:
        across, down = (int(side) for side in ratio.split(":"))
        wanted, offered = width * down, height * across
        return max(wanted, offered) / max(1, min(wanted, offered))

    return min(model.ratios, key=distance)
