"""OpenAI's mainline models, which draw with the image_generation tool of the Responses API.

Source: https://developers.openai.com/api/docs/guides/tools-image-generation (fields), read 2026-11. Which
image model draws is the vendor's choice unless provider options name one: qualities and formats are those
that all of them take, pixels and fidelity those of every one since gpt-image-2. Neither temperature nor
top_p: a model that thinks refuses both, and most do unless they are told not to.
"""

from litellm_imagegen.canonical import Name
from litellm_imagegen.profiles import gpt_image
from litellm_imagegen.profiles.profile import Profile

FAMILY = "gpt_5"
STARTS = ("gpt-5",)

# One picture for each call of the tool: it has no field for their number.
_NAMES = (gpt_image.NAMES - {Name.N}) | {Name.MODALITIES, Name.MUST_DRAW, Name.MAX_TOKENS}

ROWS: tuple[Profile, ...] = (
    Profile(
        id="gpt-5",
        family=FAMILY,
        names=_NAMES,
        pixel_rule=gpt_image.PIXEL_RULE,
        choices=gpt_image.CHOICES,
        ranges=gpt_image.RANGES,
        granted=gpt_image.ALWAYS_FAITHFUL,
        maximum_output_tokens=128_000,
    ),
)
