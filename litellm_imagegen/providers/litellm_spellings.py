"""What LiteLLM passes on to each vendor, and under which names: one codec for each.

LiteLLM turns a size into the vendor's own terms by tables that know a few sizes; what stands in the vendor's
terms already passes untouched, wherever LiteLLM lets unknown arguments through. So ratios, tiers and edges
are spelled as the vendor has them.

It is long for a provider's file since it has a table for each vendor that LiteLLM serves.

Sources: the vendors' pages that the families in profiles/ name, https://docs.litellm.ai/docs/image_generation
(one page for each provider).
"""

from collections.abc import Mapping

from litellm_imagegen.canonical import Name
from litellm_imagegen.wires.litellm_images import (
    LitellmImagesCodec,
    Spellings,
    edges,
    named,
    nested,
    pixels,
)

_IN_BASE64: Mapping[str, str] = {"response_format": "b64_json"}
_SIZE = named("size", pixels())
_PLAIN: Spellings = {Name.DIMENSIONS: _SIZE, Name.N: named("n")}
_SEEDED: Spellings = {Name.SEED: named("seed"), Name.NEGATIVE_PROMPT: named("negative_prompt")}
_OPENAIS: Spellings = {
    **_PLAIN,
    Name.QUALITY: named("quality"),
    Name.BACKGROUND: named("background"),
    Name.OUTPUT_FORMAT: named("output_format"),
    Name.OUTPUT_COMPRESSION: named("output_compression"),
    Name.MODERATION: named("moderation"),
}
_OPENAIS_EDITS: Spellings = {
    **_OPENAIS,
    Name.INPUT_FIDELITY: named("input_fidelity"),
    Name.MASK: named("mask"),
}
_IMAGE_CONFIG: Spellings = {
    Name.ASPECT_RATIO: nested("imageConfig", "aspectRatio"),
    Name.IMAGE_SIZE: nested("imageConfig", "imageSize"),
}
_STABILITYS: Spellings = {
    **_SEEDED,
    Name.ASPECT_RATIO: named("aspect_ratio"),
    Name.OUTPUT_FORMAT: named("output_format"),
    Name.STYLE: named("style_preset"),
}
_STABILITYS_EDITS: Spellings = {
    **_SEEDED,
    Name.STRENGTH: named("strength"),
    Name.STYLE: named("style_preset"),
    Name.MASK: named("mask"),
}
_FLUX_2: Spellings = {
    Name.DIMENSIONS: _SIZE,
    Name.SEED: named("seed"),
    Name.SAFETY_TOLERANCE: named("safety_tolerance"),
    Name.OUTPUT_FORMAT: named("output_format"),
    Name.GUIDANCE: named("guidance"),
    Name.STEPS: named("steps"),
}

RECRAFT = LitellmImagesCodec(
    "recraft",
    {**_PLAIN, Name.STYLE: named("style"), Name.NEGATIVE_PROMPT: named("negative_prompt")},
    {Name.N: named("n")},
    always=_IN_BASE64,
    has_edit_options=False,
)
STABILITY = LitellmImagesCodec("stability", _STABILITYS, _STABILITYS_EDITS, mask_is_white=True)
# fal's models have names of their own: those that one lacks are not in its row.
FAL = LitellmImagesCodec(
    "fal",
    {
        **_SEEDED,
        Name.DIMENSIONS: named("image_size", edges),
        Name.ASPECT_RATIO: named("aspect_ratio"),
        Name.IMAGE_SIZE: named("resolution", lambda tier: "0.5K" if tier == "512" else tier),
        Name.N: named("num_images"),
        Name.OUTPUT_FORMAT: named("output_format"),
        Name.SAFETY_TOLERANCE: named("safety_tolerance", str),
        Name.STEPS: named("num_inference_steps"),
        Name.GUIDANCE: named("guidance_scale"),
        Name.STYLE: named("style"),
        Name.PROMPT_UPSAMPLING: named("enhance_prompt"),
    },
    {Name.DIMENSIONS: _SIZE, Name.N: named("n"), Name.QUALITY: named("quality")},
    has_edit_options=False,
)
BEDROCK_AMAZON = LitellmImagesCodec(
    "bedrock",
    {
        **_PLAIN,
        Name.SEED: named("seed"),
        Name.GUIDANCE: named("cfgScale"),
        Name.NEGATIVE_PROMPT: nested("textToImageParams", "negativeText"),
    },
    {
        **_PLAIN,
        Name.SEED: named("seed"),
        Name.GUIDANCE: named("cfgScale"),
        Name.NEGATIVE_PROMPT: named("negativeText"),
    },
)
BEDROCK_STABILITY = LitellmImagesCodec(
    "bedrock",
    _STABILITYS,
    {**_STABILITYS_EDITS, Name.OUTPUT_FORMAT: named("output_format")},
    mask_is_white=True,
)
XAI = LitellmImagesCodec(
    "xai",
    {
        Name.ASPECT_RATIO: named("aspect_ratio"),
        Name.IMAGE_SIZE: named("resolution", str.lower),
        Name.QUALITY: named("quality"),
        Name.N: named("n"),
        Name.OUTPUT_FORMAT: named("output_format"),
    },
    always=_IN_BASE64,
    edits=False,
)
DASHSCOPE = LitellmImagesCodec("qwen", _PLAIN, has_options=False, edits=False)
OPENAI = LitellmImagesCodec("openai", _OPENAIS, _OPENAIS_EDITS)
AZURE_FLUX = LitellmImagesCodec("bfl", _FLUX_2, _FLUX_2)
AZURE_MICROSOFT = LitellmImagesCodec("microsoft", {Name.DIMENSIONS: _SIZE}, has_options=False)
GEMINI = LitellmImagesCodec("google", _IMAGE_CONFIG, _IMAGE_CONFIG, has_options=False)
VERTEX_GEMINI = LitellmImagesCodec("google", _IMAGE_CONFIG, has_options=False)
IMAGEN = LitellmImagesCodec(
    "google",
    {
        Name.N: named("n"),
        Name.ASPECT_RATIO: named("aspectRatio"),
        Name.PERSON_GENERATION: named("personGeneration"),
    },
)
RUNWAY = LitellmImagesCodec(
    "runway", {Name.DIMENSIONS: named("ratio", pixels(":")), Name.SEED: named("seed")}, edits=False
)
BYTEDANCE = LitellmImagesCodec(
    "bytedance",
    {
        Name.DIMENSIONS: _SIZE,
        Name.WATERMARK: named("watermark"),
        Name.OUTPUT_FORMAT: named("output_format"),
    },
    always=_IN_BASE64,
    edits=False,
)
# LiteLLM draws with no key of a deployment's here.
BFL = LitellmImagesCodec(
    "bfl",
    {},
    {
        Name.ASPECT_RATIO: named("aspect_ratio"),
        Name.SEED: named("seed"),
        Name.SAFETY_TOLERANCE: named("safety_tolerance"),
        Name.OUTPUT_FORMAT: named("output_format"),
        Name.PROMPT_UPSAMPLING: named("prompt_upsampling"),
        Name.STEPS: named("steps"),
        Name.GUIDANCE: named("guidance"),
        Name.MASK: named("mask"),
    },
    mask_is_white=True,
)
OPENROUTER = LitellmImagesCodec(
    "openrouter",
    {
        Name.ASPECT_RATIO: nested("image_config", "aspect_ratio"),
        Name.IMAGE_SIZE: nested("image_config", "image_size"),
    },
    has_edit_options=False,
)
# LiteLLM tells these of no more than number and size.
PLAIN = LitellmImagesCodec("litellm", _PLAIN, has_options=False)
# Whatever has OpenAI's address of pictures is asked in OpenAI's words.
ANY = LitellmImagesCodec("litellm", {**_OPENAIS, Name.STYLE: named("style")}, _OPENAIS_EDITS)
