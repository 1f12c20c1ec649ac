"""Image models that LiteLLM serves and that the vendors' families do not have, or not as LiteLLM has them.

Sources: https://docs.litellm.ai/docs/image_generation (which models, under which ids),
https://fal.ai/models (fields of fal's models),
https://learn.microsoft.com/azure/foundry/foundry-models/how-to/use-foundry-models-mai (sizes), read 2026-11.
"""

from collections.abc import Iterable
from typing import Any

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.geometry import PixelRule
from litellm_imagegen.profiles import amazon, flux, gemini, small_vendors, stability
from litellm_imagegen.profiles.profile import Profile

# Of a platform that has many vendors' models a family here is what it has under names of its own; of one that
# we know no model of there is the open row alone.
FAL, AZURE_FLUX, AZURE_MICROSOFT = "litellm_fal", "litellm_azure_flux", "litellm_azure_microsoft"
BEDROCK_AMAZON, BEDROCK_STABILITY = "litellm_bedrock_amazon", "litellm_bedrock_stability"
GEMINI, ANY = "litellm_gemini", "litellm_any"

_FAL_NAMES = frozenset({Name.N, Name.SEED, Name.PROVIDER_OPTIONS})
_FAL_PIXELS = PixelRule(multiple=16, minimum_edge=256, maximum_edge=1440)


def _open(family: str) -> Profile:
    """For a model that is not known: all that its wire can spell, one picture a call."""
    return Profile(
        id="any other",
        family=family,
        output=(Modality.IMAGE,),
        names=frozenset(Name) - {Name.N},
        pixel_rule=PixelRule(),
    )


def _of(rows: Iterable[Profile], model_id: str, **changes: Any) -> Profile:
    """The row of another model, changed."""
    return next(row for row in rows if row.id == model_id).model_copy(update=changes)


def _fal(model_id: str, names: frozenset[Name], **shape: Any) -> Profile:
    return Profile(
        id=model_id,
        family=FAL,
        output=(Modality.IMAGE,),
        names=_FAL_NAMES | names,
        maximum_n=4,
        maximum_reference_images=0,
        **shape,
    )


def _microsoft() -> Iterable[Profile]:
    """LiteLLM refuses more pixels than the older models of this vendor draw, and sends one picture."""
    rule = PixelRule(minimum_edge=768, maximum_area=1_056_768)
    for row in small_vendors.FAMILIES["microsoft"][1]:
        changes = {"family": AZURE_MICROSOFT, "pixel_rule": rule, "maximum_reference_images": 1}
        yield row.model_copy(update=changes)


def _bedrock() -> Iterable[Profile]:
    """By vendor: an id with a region in it is planned for as the newest of the same vendor."""
    for row in amazon.ROWS:
        family = BEDROCK_AMAZON if row.id.startswith("amazon.") else BEDROCK_STABILITY
        yield row.model_copy(update={"family": family})


def _gemini() -> Iterable[Profile]:
    """LiteLLM takes the pictures out of an answer, and leaves its words."""
    for row in gemini.ROWS:
        yield row.model_copy(update={"family": GEMINI, "output": (Modality.IMAGE,)})


def _editing(model_id: str, *further: Name, family: str = stability.FAMILY) -> Profile:
    """A service of Stability AI's that changes one picture. LiteLLM knows its price."""
    return Profile(
        id=model_id,
        family=family,
        output=(Modality.IMAGE,),
        names=frozenset({Name.SEED, Name.NEGATIVE_PROMPT, Name.STYLE, Name.PROVIDER_OPTIONS, *further}),
        maximum_reference_images=1,
        maximum_seed=stability.MAXIMUM_SEED,
    )


_STABILITY: tuple[Profile, ...] = (
    _of(stability.ROWS, "core", id="stable-image-core"),
    _of(stability.ROWS, "ultra", id="stable-image-ultra"),
    *(_editing(model_id, Name.MASK) for model_id in ("inpaint", "erase")),
    *(
        _editing(model_id)
        for model_id in (
            *("outpaint", "search-and-replace", "search-and-recolor", "remove-background"),
            *("replace-background-and-relight", "fast", "conservative", "creative"),
            *("sketch", "structure", "style", "style-transfer"),
        )
    ),
    *(
        _editing(model_id, Name.MASK, family=BEDROCK_STABILITY)
        for model_id in (
            "stability.stable-image-inpaint-v1:0",
            "stability.stable-image-erase-object-v1:0",
        )
    ),
)
_FAL: tuple[Profile, ...] = (
    _fal(
        "fal-ai/flux-pro/v1.1",
        frozenset({Name.DIMENSIONS, Name.OUTPUT_FORMAT, Name.SAFETY_TOLERANCE, Name.PROMPT_UPSAMPLING}),
        pixel_rule=_FAL_PIXELS,
        choices={Name.OUTPUT_FORMAT: ("jpeg", "png")},
        ranges={Name.SAFETY_TOLERANCE: (1, 6)},
    ),
    _fal(
        "fal-ai/flux-pro/v1.1-ultra",
        frozenset({Name.ASPECT_RATIO, Name.OUTPUT_FORMAT, Name.SAFETY_TOLERANCE, Name.PROMPT_UPSAMPLING}),
        aspect_ratios=("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"),
        image_sizes=("2K",),
        image_size_is_fixed=True,
        default_tier="2K",
        choices={Name.OUTPUT_FORMAT: ("jpeg", "png")},
        ranges={Name.SAFETY_TOLERANCE: (1, 6)},
    ),
    _fal(
        "fal-ai/flux/dev",
        frozenset({Name.DIMENSIONS, Name.STEPS, Name.GUIDANCE, Name.OUTPUT_FORMAT}),
        pixel_rule=_FAL_PIXELS,
        choices={Name.OUTPUT_FORMAT: ("jpeg", "png")},
        ranges={Name.STEPS: (1, 50), Name.GUIDANCE: (1, 20)},
    ),
    _fal(
        "fal-ai/flux/schnell",
        frozenset({Name.DIMENSIONS, Name.STEPS, Name.OUTPUT_FORMAT}),
        pixel_rule=_FAL_PIXELS,
        choices={Name.OUTPUT_FORMAT: ("jpeg", "png")},
        ranges={Name.STEPS: (1, 12)},
    ),
    _fal(
        "fal-ai/imagen4/preview",
        frozenset({Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.NEGATIVE_PROMPT}),
        aspect_ratios=("1:1", "16:9", "9:16", "3:4", "4:3"),
        image_sizes=("1K", "2K"),
    ),
    _fal("fal-ai/ideogram/v3", frozenset({Name.DIMENSIONS, Name.NEGATIVE_PROMPT}), pixel_rule=_FAL_PIXELS),
    _open(FAL),
)
_AZURE_FLUX: tuple[Profile, ...] = (
    _of(flux.ROWS, "flux-2-flex", id="FLUX.2-flex", family=AZURE_FLUX),
    _of(flux.ROWS, "flux-2-pro", id="FLUX.2-pro", family=AZURE_FLUX, former_ids=("flux.2-pro",)),
)

# Oldest first within a family: an id that is unknown there is planned for as the last of it.
ROWS: tuple[Profile, ...] = (
    *_STABILITY,
    *_bedrock(),
    *_microsoft(),
    *_gemini(),
    *_FAL,
    *_AZURE_FLUX,
    _open(ANY),
)
