"""Ideogram's models.

Source: https://developer.ideogram.ai/api-reference (fields), https://ideogram.ai/api-pricing (the price at
the default rendering speed), read 2026-11.
"""

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.profiles.profile import Price, Profile

FAMILY = "ideogram"
STARTS = ("ideogram",)

ROWS: tuple[Profile, ...] = (
    Profile(
        id="ideogram-v3",
        family=FAMILY,
        output=(Modality.IMAGE,),
        names=frozenset(
            {
                Name.ASPECT_RATIO,
                Name.N,
                Name.SEED,
                Name.PROMPT_UPSAMPLING,
                Name.STYLE,
                Name.NEGATIVE_PROMPT,
                Name.PROVIDER_OPTIONS,
            }
        ),
        choices={Name.STYLE: ("AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION")},
        maximum_n=8,
        maximum_seed=2**31 - 1,
        price=Price(picture=0.06),
    ),
)
