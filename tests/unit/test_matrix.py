"""Every spelling of every field against models of four families, each cell written by hand.

A table below holds, by value, what each model makes of a wish. `SPELLED` says where which dialect has that
wish, and every value of the table is asked for there. What takes two fields stands in `TOGETHER`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from litellm_imagegen.canonical import (
    ImageInput,
    ImageRequest,
    Limits,
    Modality,
    Name,
    NoticeCode,
    Policy,
    Preferences,
)
from litellm_imagegen.conversion import Conversion
from litellm_imagegen.dialects import DIALECTS, parse_chat, parse_images, parse_responses
from litellm_imagegen.dialects.pictures import any_picture
from litellm_imagegen.dialects.reading import Fields
from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.plan import Plan, Target, make_plan
from litellm_imagegen.profiles import FAMILIES, find
from litellm_imagegen.providers import PROVIDERS, Via
from tests.unit.helpers import HELLO, data_url, picture_bytes

PRO, FLASH = "gemini-3-pro-image", "gemini-2.5-flash-image"
FLUX, KONTEXT = "flux-2-pro", "flux-kontext-pro"  # told pixels by a rule; any ratio between two
GPT_1_5, GPT_2_5 = "gpt-image-1.5", "gpt-image-2.5-flare"  # three sizes; pixels by a rule
GPT_5 = "gpt-5"  # answers in words too; what it draws by has the newer one's pixels
COLUMNS = (PRO, FLASH, FLUX, KONTEXT, GPT_1_5, GPT_2_5, GPT_5)
# Models that take what none of the columns does.
FLEX, ULTRA, QWEN = "flux-2-flex", "flux-pro-1.1-ultra", "qwen-image-3.0"
IDEOGRAM, IMAGEN = "ideogram-v3", "imagen-4.0-generate-001"
RECRAFT, RECRAFT_ON_OPENROUTER = "recraftv3", "recraft/recraft-v3"
# By model: its family, and the vendor whose provider options are meant for it.
SERVED: dict[str, tuple[str, str]] = {
    PRO: ("gemini", "google"),
    FLASH: ("gemini", "google"),
    FLUX: ("flux", "bfl"),
    KONTEXT: ("flux", "bfl"),
    FLEX: ("flux", "bfl"),
    ULTRA: ("flux", "bfl"),
    GPT_1_5: ("gpt_image", "openai"),
    GPT_2_5: ("gpt_image", "openai"),
    GPT_5: ("gpt_5", "openai"),
    QWEN: ("qwen", "alibaba"),
    IDEOGRAM: ("ideogram", "ideogram"),
    IMAGEN: ("imagen", "google"),
    RECRAFT: ("recraft", "recraft"),
    RECRAFT_ON_OPENROUTER: ("openrouter", "openrouter"),
}
_SECTIONS = {
    "google": "google",
    "vertex": "google",
    "googleVertex": "google",
    "openai": "openai",
    "azure": "openai",
    "blackForestLabs": "bfl",
    "bfl": "bfl",
}


class Cell(NamedTuple):
    """What comes of a wish on a model: exactly these values, and a notice for each spelling told here.

    A notice tells what is used in place of the wish, None where it is left out. The spelling "" is that of
    the row. `output` is None where the model answers with all that it can; a cell with `refused` is a 400.
    """

    values: Mapping[str, Any] = {}
    notices: Mapping[str, Any] = {}
    counts: tuple[int, ...] = (1,)
    conversion: Conversion | None = None
    output: tuple[Modality, ...] | None = None
    refused: bool = False


Cells = dict[str, Cell]
Table = dict[Any, Cells]


def sent(**values: Any) -> Cell:
    return Cell(values)


def near(used: Any, **values: Any) -> Cell:
    """Something else than the wish, with a notice."""
    return Cell(values, {"": used})


def drawn(width: int, height: int) -> Cell:
    return sent(dimensions=(width, height))


def redrawn(width: int, height: int) -> Cell:
    """The nearest pixels, with a notice."""
    return near(f"{width}x{height}", dimensions=(width, height))


def converted(form: Any, quality: int | None = None) -> Cell:
    return Cell(conversion=Conversion(format=form, quality=quality))


MET = sent()
LEFT = near(None)
REFUSED = Cell(refused=True)


def on(*cells: Cell, gpt_5: Cell | None = None) -> Cells:
    """A cell for each of `COLUMNS`; the last one's is as the one's before it where nothing else is said."""
    return dict(zip(COLUMNS, (*cells, gpt_5 or cells[-1]), strict=True))


def on_all(cell: Cell) -> Cells:
    return dict.fromkeys(COLUMNS, cell)


def only_on_gemini(cell: Cell) -> Cells:
    return on(cell, cell, LEFT, LEFT, LEFT, LEFT)


def only_on_flux(cell: Cell) -> Cells:
    return on(LEFT, LEFT, cell, cell, LEFT, LEFT)


def only_on_gpt(cell: Cell) -> Cells:
    return on(LEFT, LEFT, LEFT, LEFT, cell, cell)


def _ratio(ratio: str) -> Cell:
    return sent(aspect_ratio=ratio)


def _tier(tier: str) -> Cell:
    return sent(image_size=tier)


def _both(ratio: str, tier: str) -> Cell:
    return sent(aspect_ratio=ratio, image_size=tier)


ONE_K = near("1K")
RATIOS: Table = {
    "1:1": on(
        _ratio("1:1"), _ratio("1:1"), drawn(1024, 1024), _ratio("1:1"), drawn(1024, 1024), drawn(1024, 1024)
    ),
    "16:9": on(
        _ratio("16:9"),
        _ratio("16:9"),
        drawn(1360, 768),
        _ratio("16:9"),
        redrawn(1536, 1024),
        drawn(1360, 768),
    ),
    "2:3": on(
        _ratio("2:3"), _ratio("2:3"), drawn(832, 1248), _ratio("2:3"), drawn(1024, 1536), drawn(832, 1248)
    ),
    "21:9": on(
        _ratio("21:9"),
        _ratio("21:9"),
        drawn(1568, 672),
        _ratio("21:9"),
        redrawn(1536, 1024),
        drawn(1568, 672),
    ),
    "17:9": on(
        near("16:9", aspect_ratio="16:9"),
        near("16:9", aspect_ratio="16:9"),
        drawn(1408, 752),
        _ratio("17:9"),
        redrawn(1536, 1024),
        drawn(1408, 752),
    ),
    "1:4": on(
        near("9:16", aspect_ratio="9:16"),
        near("9:16", aspect_ratio="9:16"),
        drawn(512, 2048),
        near("9:21", aspect_ratio="9:21"),
        redrawn(1024, 1536),
        redrawn(592, 1776),
    ),
    "auto": on_all(MET),
}
_SMALLEST = on(
    near("1K", image_size="1K"), ONE_K, drawn(512, 512), ONE_K, redrawn(1024, 1024), redrawn(816, 816)
)
_TWO_K = on(_tier("2K"), ONE_K, drawn(2048, 2048), ONE_K, redrawn(1024, 1024), drawn(2048, 2048))
TIERS: Table = {
    "512": _SMALLEST,
    "0.5K": _SMALLEST,
    "1K": on(_tier("1K"), MET, drawn(1024, 1024), MET, drawn(1024, 1024), drawn(1024, 1024)),
    "1.5K": on(
        near("2K", image_size="2K"),
        ONE_K,
        drawn(1536, 1536),
        ONE_K,
        redrawn(1024, 1024),
        drawn(1536, 1536),
    ),
    "2K": _TWO_K,
    "2k": _TWO_K,
    "4K": on(_tier("4K"), ONE_K, redrawn(2048, 2048), ONE_K, redrawn(1024, 1024), drawn(2880, 2880)),
}
PIXELS: Table = {
    "1024x1024": on(
        _both("1:1", "1K"),
        _ratio("1:1"),
        drawn(1024, 1024),
        _ratio("1:1"),
        drawn(1024, 1024),
        drawn(1024, 1024),
    ),
    "1536x1024": on(
        near("2528x1696", aspect_ratio="3:2", image_size="2K"),
        near("1248x832", aspect_ratio="3:2"),
        drawn(1536, 1024),
        near("3:2", aspect_ratio="3:2"),
        drawn(1536, 1024),
        drawn(1536, 1024),
    ),
    "1000x1000": on(
        near("1024x1024", aspect_ratio="1:1", image_size="1K"),
        near("1024x1024", aspect_ratio="1:1"),
        redrawn(1008, 1008),
        near("1024x1024", aspect_ratio="1:1"),
        redrawn(1024, 1024),
        redrawn(1008, 1008),
    ),
    "1344x768": on(
        near("1376x768", aspect_ratio="16:9", image_size="1K"),
        _ratio("16:9"),
        drawn(1344, 768),
        near("7:4", aspect_ratio="7:4"),
        redrawn(1536, 1024),
        drawn(1344, 768),
    ),
    "1376x768": on(
        _both("16:9", "1K"),
        near("1344x768", aspect_ratio="16:9"),
        drawn(1376, 768),
        near("43:24", aspect_ratio="43:24"),
        redrawn(1536, 1024),
        drawn(1376, 768),
    ),
    "2048x2048": on(
        _both("1:1", "2K"),
        near("1024x1024", aspect_ratio="1:1"),
        drawn(2048, 2048),
        near("1024x1024", aspect_ratio="1:1"),
        redrawn(1024, 1024),
        drawn(2048, 2048),
    ),
    "256x256": on(
        near("1024x1024", aspect_ratio="1:1", image_size="1K"),
        near("1024x1024", aspect_ratio="1:1"),
        drawn(256, 256),
        near("1024x1024", aspect_ratio="1:1"),
        redrawn(1024, 1024),
        redrawn(816, 816),
    ),
}
# A shape may also be said as a ratio, a tier or a name.
SHAPES: Table = {
    **PIXELS,
    "16:9": RATIOS["16:9"],
    "2K": TIERS["2K"],
    "auto": on_all(MET),
    "square_hd": PIXELS["1024x1024"],
    "landscape_16_9": RATIOS["16:9"],
    "square": on(
        near("1K", aspect_ratio="1:1", image_size="1K"),
        near("1K", aspect_ratio="1:1"),
        drawn(512, 512),
        near("1K", aspect_ratio="1:1"),
        redrawn(1024, 1024),
        redrawn(816, 816),
    ),
}
TIERS_AND_PIXELS: Table = {**TIERS, "1024x1024": PIXELS["1024x1024"], "16:9": RATIOS["16:9"]}
_SQUARE_EDGE = on(
    near("1024x1024", aspect_ratio="1:1", image_size="1K"),
    near("1024x1024", aspect_ratio="1:1"),
    redrawn(1024, 1024),
    near("1024x1024", aspect_ratio="1:1"),
    redrawn(1024, 1024),
    redrawn(1024, 1024),
)
EDGES: Table = {1024: _SQUARE_EDGE, "1024": _SQUARE_EDGE}

QUALITIES: Table = {
    "high": only_on_gpt(sent(quality="high")),
    "hd": only_on_gpt(sent(quality="high")),
    "standard": only_on_gpt(sent(quality="medium")),
    "max": on(
        *(LEFT, LEFT, LEFT, LEFT, near("high", quality="high"), sent(quality="max")),
        gpt_5=near("high", quality="high"),
    ),
    "auto": on_all(MET),
}
BACKGROUNDS: Table = {
    "transparent": only_on_gpt(sent(background="transparent")),
    "opaque": on(MET, MET, LEFT, LEFT, sent(background="opaque"), sent(background="opaque")),
    "auto": on_all(MET),
}
_JPEG = sent(output_format="jpeg")
_AS_JPEG = on(converted("jpeg"), converted("jpeg"), _JPEG, _JPEG, _JPEG, _JPEG)
_WEBP = sent(output_format="webp")
_AS_WEBP = on(converted("webp"), converted("webp"), _WEBP, _WEBP, _WEBP, _WEBP) | {ULTRA: converted("webp")}
FORMATS: Table = {
    "jpeg": _AS_JPEG,
    "jpg": _AS_JPEG,
    "webp": _AS_WEBP,
    "gif": on_all(LEFT),
    "svg": on_all(LEFT),
}
MIME_TYPES: Table = {"image/jpeg": _AS_JPEG, "image/webp": _AS_WEBP}
COMPRESSIONS: Table = {80: on_all(LEFT)}  # without a format that has any
MODERATIONS: Table = {
    "low": only_on_gpt(sent(moderation="low")),
    "auto": on(MET, MET, MET, MET, sent(moderation="auto"), sent(moderation="auto")),
}
FIDELITIES: Table = {
    "high": on(LEFT, LEFT, LEFT, LEFT, sent(input_fidelity="high"), MET),
    "low": on(LEFT, LEFT, LEFT, LEFT, sent(input_fidelity="low"), LEFT),
}
# Where nobody can see them none are asked for; in a stream of pictures they are.
PARTIALS: Table = {2: on_all(LEFT), 0: on_all(MET)}
STREAMED_PARTIALS: Table = {
    2: only_on_gpt(sent(partial_images=2)),
    0: on(MET, MET, MET, MET, sent(partial_images=0), sent(partial_images=0)),
}
STYLES: Table = {"REALISTIC": on_all(LEFT) | {IDEOGRAM: sent(style="REALISTIC")}, "": on_all(MET)}
RESPONSE_FORMATS: Table = {
    "b64_json": on_all(MET) | {RECRAFT: sent(response_format="b64_json")},
    "url": on_all(near("b64_json")),
}

STEPS: Table = {20: on_all(LEFT) | {FLEX: sent(steps=20)}, 60: on_all(LEFT) | {FLEX: near(50, steps=50)}}
GUIDANCES: Table = {
    3.5: on_all(LEFT) | {FLEX: sent(guidance=3.5)},
    1: on_all(LEFT) | {FLEX: near(1.5, guidance=1.5)},
}
NEGATIVES: Table = {"blurry": on_all(LEFT) | {QWEN: sent(negative_prompt="blurry")}}
STRENGTHS: Table = {0.5: on_all(LEFT) | {ULTRA: sent(strength=0.5)}}
UPSAMPLINGS: Table = {
    True: only_on_flux(sent(prompt_upsampling=True)),
    "false": only_on_flux(sent(prompt_upsampling=False)),
}
TOLERANCES: Table = {
    2: only_on_flux(sent(safety_tolerance=2)),
    6: on(LEFT, LEFT, near(5, safety_tolerance=5), sent(safety_tolerance=6), LEFT, LEFT),
}
PERSONS: Table = {"allow_adult": on_all(LEFT) | {IMAGEN: sent(person_generation="allow_adult")}}
WATERMARKS: Table = {False: on_all(LEFT) | {QWEN: sent(watermark=False)}}

_TWO_CALLS, _TWO_OF_ONE_CALL = Cell(counts=(1, 1)), Cell({"n": 2}, counts=(2,))
COUNTS: Table = {
    2: on(
        *(_TWO_CALLS, _TWO_CALLS, _TWO_CALLS, _TWO_CALLS, _TWO_OF_ONE_CALL, _TWO_OF_ONE_CALL),
        gpt_5=_TWO_CALLS,
    ),
    1: on(MET, MET, MET, MET, sent(n=1), sent(n=1), gpt_5=MET),
    "10": on_all(Cell(counts=(1,) * 10))
    | {GPT_1_5: Cell({"n": 10}, counts=(10,)), GPT_2_5: Cell({"n": 10}, counts=(10,))}
    | {QWEN: Cell({"n": 6}, counts=(6, 4))},
}
TOKENS: Table = {
    100: only_on_gemini(sent(max_tokens=100)) | {GPT_5: sent(max_tokens=100)},
    40_000: only_on_gemini(near(32_768, max_tokens=32_768)) | {GPT_5: sent(max_tokens=40_000)},
    200_000: only_on_gemini(near(32_768, max_tokens=32_768)) | {GPT_5: near(128_000, max_tokens=128_000)},
}
TEMPERATURES: Table = {0.5: only_on_gemini(sent(temperature=0.5)), "2": only_on_gemini(sent(temperature=2))}
TOP_PS: Table = {0.25: only_on_gemini(sent(top_p=0.25))}
TOP_KS: Table = {40: only_on_gemini(sent(top_k=40))}
SMALL_SEEDS: Table = {
    7: on(sent(seed=7), sent(seed=7), sent(seed=7), sent(seed=7), LEFT, LEFT),
    -7: on(sent(seed=-7), sent(seed=-7), sent(seed=-7), sent(seed=-7), LEFT, LEFT),
}
SEEDS: Table = {
    **SMALL_SEEDS,
    2**31 + 5: on(near(5, seed=5), near(5, seed=5), sent(seed=2**31 + 5), sent(seed=2**31 + 5), LEFT, LEFT),
}
STOPS: Table = {
    "END": only_on_gemini(sent(stop=("END",))),
    ("a", "b", "c", "d", "e", "f"): only_on_gemini(near(tuple("abcde"), stop=tuple("abcde"))),
}
_PICTURES, _WORDS = Cell(output=(Modality.IMAGE,)), Cell(output=(Modality.TEXT,))
MUST_DRAW: Cells = on(*[MET] * 6, gpt_5=sent(must_draw=True))
MODALITIES: Table = {
    ("image",): on_all(_PICTURES),
    ("IMAGE", "TEXT"): on(MET, MET, *[near("image")] * 4, gpt_5=MET),
    ("text",): on(*[_WORDS] * 2, REFUSED, REFUSED, REFUSED, REFUSED, gpt_5=_WORDS),
}
_SETTING = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}
SAFETY: Cells = only_on_gemini(sent(safety_settings=(_SETTING,)))
MASK = data_url(picture_bytes())
PAINTED = sent(mask=any_picture("mask", MASK))
MASKS: Table = {MASK: only_on_gpt(PAINTED)}


class Row(NamedTuple):
    """A body that one dialect has words for, and what each model makes of it."""

    dialect: str
    body: Mapping[str, Any]
    cells: Cells
    spelling: str = ""
    ending: str = ""  # of the model's id
    parse: Callable[..., ImageRequest] = parse_chat
    beside: Mapping[str, Any] = {"messages": HELLO}  # what every body of this endpoint has

    def __str__(self) -> str:
        return f"{self.dialect} {self.ending or dict(self.body)}"[:120]

    @property
    def names(self) -> set[Name]:
        return {wish.name for wish in self.read("any").asked}

    def read(self, model: str) -> ImageRequest:
        return self.parse(model=f"{model}{self.ending}", body={**self.beside, **self.body}, defaults={})


SPELLED: list[tuple[str, str, Table]] = [
    ("openai_chat", "max_tokens", TOKENS),
    ("openai_chat", "max_completion_tokens", TOKENS),
    ("openai_chat", "temperature", TEMPERATURES),
    ("openai_chat", "top_p", TOP_PS),
    ("openai_chat", "top_k", TOP_KS),
    ("openai_chat", "seed", SEEDS),
    ("openai_chat", "stop", STOPS),
    ("openai_chat", "n", COUNTS),
    ("openai_images", "size", SHAPES),
    ("openai_images", "style", STYLES),
    ("openai_images", "response_format", RESPONSE_FORMATS),
    ("openai_images", "quality", QUALITIES),
    ("openai_images", "background", BACKGROUNDS),
    ("openai_images", "output_format", FORMATS),
    ("openai_images", "output_compression", COMPRESSIONS),
    ("openai_images", "moderation", MODERATIONS),
    ("openai_images", "input_fidelity", FIDELITIES),
    ("openai_images", "partial_images", PARTIALS),
    ("openai_responses", "tools[0].size", SHAPES),
    ("openai_responses", "tools[0].quality", QUALITIES),
    ("openai_responses", "tools[0].background", BACKGROUNDS),
    ("openai_responses", "tools[0].output_format", FORMATS),
    ("openai_responses", "tools[0].output_compression", COMPRESSIONS),
    ("openai_responses", "tools[0].moderation", MODERATIONS),
    ("openai_responses", "tools[0].input_fidelity", FIDELITIES),
    ("openai_responses", "tools[0].partial_images", PARTIALS),
    ("openai_responses", "tools[0].action", {"generate": on_all(MET)}),
    ("openai_responses", "tool_choice", {"required": MUST_DRAW, "auto": on_all(MET)}),
    ("openai_responses", "max_output_tokens", TOKENS),
    ("openrouter", "modalities", MODALITIES),
    ("openrouter", "resolution", TIERS_AND_PIXELS),
    ("openrouter", "image_config.aspect_ratio", RATIOS),
    ("openrouter", "imageConfig.aspectRatio", RATIOS),
    ("openrouter", "image_config.image_size", TIERS_AND_PIXELS),
    ("openrouter", "image_config.size", SHAPES),
    ("openrouter", "image_config.quality", QUALITIES),
    ("openrouter", "image_config.background", BACKGROUNDS),
    ("openrouter", "image_config.output_format", FORMATS),
    ("openrouter", "image_config.output_compression", COMPRESSIONS),
    ("openrouter", "image_config.moderation", MODERATIONS),
    ("openrouter", "image_config.strength", STRENGTHS),
    ("openrouter", "image_config.style", STYLES),
    ("aione", "aspect_ratio", RATIOS),
    ("aione", "image_size", TIERS_AND_PIXELS),
    ("vercel", "providerOptions.google.imageConfig.aspectRatio", RATIOS),
    ("vercel", "providerOptions.vertex.imageConfig.imageSize", TIERS),
    ("vercel", "providerOptions.google.generationConfig.imageConfig.aspectRatio", RATIOS),
    ("vercel", "providerOptions.openai.image_config.aspect_ratio", RATIOS),
    ("vercel", "providerOptions.openai.imageConfig.quality", QUALITIES),
    ("vercel", "providerOptions.openai.image_generation.size", SHAPES),
    ("vercel", "providerOptions.google.imageConfig.personGeneration", PERSONS),
    ("vercel", "providerOptions.google.responseModalities", MODALITIES),
    ("vercel", "providerOptions.google.sampleImageSize", TIERS),
    ("vercel", "providerOptions.googleVertex.aspectRatio", RATIOS),
    ("vercel", "providerOptions.openai.size", SHAPES),
    ("vercel", "providerOptions.azure.quality", QUALITIES),
    ("vercel", "providerOptions.openai.background", BACKGROUNDS),
    ("vercel", "providerOptions.openai.outputFormat", FORMATS),
    ("vercel", "providerOptions.openai.outputCompression", COMPRESSIONS),
    ("vercel", "providerOptions.openai.moderation", MODERATIONS),
    ("vercel", "providerOptions.openai.inputFidelity", FIDELITIES),
    ("vercel", "providerOptions.openai.partialImages", PARTIALS),
    ("vercel", "providerOptions.openai.style", STYLES),
    ("vercel", "providerOptions.blackForestLabs.aspectRatio", RATIOS),
    ("vercel", "providerOptions.blackForestLabs.imageSize", TIERS),
    ("vercel", "providerOptions.bfl.resolution", TIERS),
    ("vercel", "providerOptions.blackForestLabs.width", EDGES),
    ("vercel", "providerOptions.blackForestLabs.height", EDGES),
    ("vercel", "providerOptions.blackForestLabs.seed", SEEDS),
    ("vercel", "providerOptions.blackForestLabs.steps", STEPS),
    ("vercel", "providerOptions.blackForestLabs.guidance", GUIDANCES),
    ("vercel", "providerOptions.blackForestLabs.negativePrompt", NEGATIVES),
    ("vercel", "providerOptions.blackForestLabs.imagePromptStrength", STRENGTHS),
    ("vercel", "providerOptions.blackForestLabs.promptUpsampling", UPSAMPLINGS),
    ("vercel", "providerOptions.blackForestLabs.safetyTolerance", TOLERANCES),
    ("vercel", "providerOptions.google.personGeneration", PERSONS),
    ("vercel", "providerOptions.google.addWatermark", WATERMARKS),
    ("google", "generationConfig.imageConfig.aspectRatio", RATIOS),
    ("google", "generation_config.image_config.aspect_ratio", RATIOS),
    ("google", "imageConfig.aspectRatio", RATIOS),
    ("google", "generationConfig.imageConfig.imageSize", TIERS_AND_PIXELS),
    ("google", "imageConfig.imageSize", TIERS_AND_PIXELS),
    ("google", "generationConfig.imageConfig.personGeneration", PERSONS),
    ("google", "imageConfig.imageOutputOptions.mimeType", MIME_TYPES),
    ("google", "generationConfig.imageConfig.imageOutputOptions.mimeType", MIME_TYPES),
    ("google", "imageConfig.imageOutputOptions.compressionQuality", COMPRESSIONS),
    ("google", "generationConfig.responseModalities", MODALITIES),
    ("google", "generationConfig.maxOutputTokens", TOKENS),
    ("google", "generationConfig.temperature", TEMPERATURES),
    ("google", "generationConfig.topP", TOP_PS),
    ("google", "generationConfig.topK", TOP_KS),
    ("google", "generationConfig.seed", SMALL_SEEDS),
    ("google", "generationConfig.stopSequences", STOPS),
    ("google", "generationConfig.candidateCount", COUNTS),
    ("bare", "width", EDGES),
    ("bare", "height", EDGES),
    ("bare", "num_images", COUNTS),
    ("bare", "num_outputs", COUNTS),
    ("bare", "number_of_images", COUNTS),
    ("bare", "sampleCount", COUNTS),
    ("bare", "num_inference_steps", STEPS),
    ("bare", "steps", STEPS),
    ("bare", "guidance_scale", GUIDANCES),
    ("bare", "guidance", GUIDANCES),
    ("bare", "cfg_scale", GUIDANCES),
    ("bare", "negative_prompt", NEGATIVES),
    ("bare", "strength", STRENGTHS),
    ("bare", "image_prompt_strength", STRENGTHS),
    ("bare", "prompt_upsampling", UPSAMPLINGS),
    ("bare", "enhance_prompt", UPSAMPLINGS),
    ("bare", "safety_tolerance", TOLERANCES),
    ("bare", "person_generation", PERSONS),
    ("bare", "watermark", WATERMARKS),
    ("bare", "add_watermark", WATERMARKS),
]


def _wide_2k(ratio: str, tier: str) -> Cells:
    """16:9 at 2K, the two spelled as given."""
    return on(
        _both("16:9", "2K"),
        Cell({"aspect_ratio": "16:9"}, {tier: "1K"}),
        drawn(2720, 1536),
        Cell({"aspect_ratio": "16:9"}, {tier: "1K"}),
        Cell({"dimensions": (1536, 1024)}, {ratio: "1536x1024", tier: "1536x1024"}),
        drawn(2736, 1536),
    )


def _tall_4k(ratio: str, tier: str) -> Cells:
    """9:16 at 4K, the two spelled as given."""
    return on(
        _both("9:16", "4K"),
        Cell({"aspect_ratio": "9:16"}, {tier: "1K"}),
        Cell({"dimensions": (1536, 2720)}, {tier: "1536x2720"}),
        Cell({"aspect_ratio": "9:16"}, {tier: "1K"}),
        Cell({"dimensions": (1024, 1536)}, {ratio: "1024x1536", tier: "1024x1536"}),
        drawn(2160, 3840),
    )


def _told(cells: Cells, spelling: str) -> Cells:
    """The cells of a wish that is told under another spelling than its own."""
    return {
        model: cell._replace(notices={told or spelling: used for told, used in cell.notices.items()})
        for model, cell in cells.items()
    }


def _compressed(compression: str) -> Cells:
    """A jpeg of quality 80; `compression` is the spelling of the quality."""
    left = Cell({"output_format": "jpeg"}, {compression: None})
    compressed = sent(output_format="jpeg", output_compression=80)
    return on(converted("jpeg", 80), converted("jpeg", 80), left, left, compressed, compressed)


def _only_for(model: str, options: Mapping[str, Any], told: str) -> Cells:
    """Provider options for the vendor of `model`; the others tell them under a spelling."""
    vendor = SERVED[model][1]
    for_vendor = sent(provider_options=options)
    return {
        model: for_vendor if SERVED[model][1] == vendor else Cell(notices={told: None})
        for model in {model, *COLUMNS}
    }


_TWO_EDGES = {"width": 1536, "height": 1024}
_LOW = {"thinkingConfig": {"thinkingLevel": "low"}}
_MEDIUM = {"mediaResolution": "MEDIA_RESOLUTION_MEDIUM"}
_GEOMETRY: list[tuple[str, str, str, str]] = [
    ("openrouter", "image_config", "aspect_ratio", "image_size"),
    ("helicone", "image_generation", "aspect_ratio", "image_size"),
    ("helicone", "imageGeneration", "aspectRatio", "imageSize"),
    ("aione", "", "aspect_ratio", "image_size"),
    ("google", "generationConfig.imageConfig", "aspectRatio", "imageSize"),
    ("google", "image_config", "aspect_ratio", "image_size"),
    ("vercel", "providerOptions.google.imageConfig", "aspectRatio", "imageSize"),
    ("vercel", "providerOptions.bfl", "aspect_ratio", "resolution"),
]
_COMPRESSED: list[tuple[str, str, str, str]] = [
    ("openai_images", "", "output_format", "output_compression"),
    ("openai_responses", "tools[0]", "output_format", "output_compression"),
    ("openrouter", "image_config", "output_format", "output_compression"),
    ("vercel", "providerOptions.openai", "outputFormat", "outputCompression"),
]
_TYPED: list[tuple[str, str]] = [
    ("google", "imageConfig.imageOutputOptions"),
    ("google", "generationConfig.imageConfig.imageOutputOptions"),
    ("vercel", "providerOptions.vertex.imageConfig.imageOutputOptions"),
]
_PASSED_ON_BY_OPENROUTER = {
    "text_layout": [{"text": "hi"}],
    "rgb_colors": [[1, 2, 3]],
    "background_rgb_color": [1, 2, 3],
    "font_inputs": [{"font_url": "https://fonts.example/a.ttf"}],
    "super_resolution_references": ["https://pictures.example/a.png"],
    "scoring_prompt": "how sharp",
    "scoring_rubric": "1 to 5",
    "background_mode": "solid",
    "background_hex_color": "#fff",
}


def _body(path: str, value: Any) -> dict[str, Any]:
    """The body that has `value` at `path`; the items of `tools` are picture tools."""
    key, _, rest = path.partition(".")
    if key == "tools[0]":
        return {"tools": [{"type": "image_generation", **_body(rest, value)}]}
    given = list(value) if isinstance(value, tuple) else value
    return {key: _body(rest, value)} if rest else {key: given}


def _at(place: str, *keys: str) -> list[str]:
    return [f"{place}.{key}" if place else key for key in keys]


def _object(place: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that has all of `values` at `place`."""
    if place == "tools[0]":
        return {"tools": [{"type": "image_generation", **values}]}
    return _body(place, values) if place else dict(values)


TOGETHER: list[Row] = [
    *(
        Row(dialect, _object(place, {ratio: "16:9", tier: "2K"}), _wide_2k(*_at(place, ratio, tier)))
        for dialect, place, ratio, tier in _GEOMETRY
    ),
    *(
        Row(dialect, _object(place, {ratio: "9:16", tier: "4K"}), _tall_4k(*_at(place, ratio, tier)))
        for dialect, place, ratio, tier in _GEOMETRY
    ),
    *(
        Row(dialect, _object(place, {form: "jpeg", part: 80}), _compressed(*_at(place, part)))
        for dialect, place, form, part in _COMPRESSED
    ),
    *(
        Row(
            dialect,
            _object(place, {"mimeType": "image/jpeg", "compressionQuality": 80}),
            _compressed(f"{place}.compressionQuality"),
        )
        for dialect, place in _TYPED
    ),
    *(
        Row(dialect, _object(place, {key: _TWO_EDGES}), _told(PIXELS["1536x1024"], told))
        for dialect, place, key, told in (
            ("openai_images", "", "size", "size.width, size.height"),
            ("aione", "", "image_size", "image_size.width, image_size.height"),
            ("openrouter", "", "resolution", "resolution.width, resolution.height"),
            (
                "openrouter",
                "image_config",
                "size",
                "image_config.size.width, image_config.size.height",
            ),
        )
    ),
    Row("bare", _TWO_EDGES, _told(PIXELS["1536x1024"], "width, height")),
    Row(
        "vercel",
        {"providerOptions": {"bfl": _TWO_EDGES}},
        _told(PIXELS["1536x1024"], "providerOptions.bfl.width, providerOptions.bfl.height"),
    ),
    Row("google", {"safetySettings": [_SETTING]}, SAFETY, "safetySettings"),
    Row("google", {"safety_settings": [_SETTING]}, SAFETY, "safety_settings"),
    Row(
        "vercel",
        {"providerOptions": {"google": {"safetySettings": [_SETTING]}}},
        SAFETY,
        "providerOptions.google.safetySettings",
    ),
    Row(
        "google",
        {"generationConfig": _LOW},
        _only_for(PRO, {"generationConfig": _LOW}, "generationConfig.thinkingConfig (google)"),
    ),
    Row(
        "google",
        {"generation_config": {"media_resolution": "MEDIA_RESOLUTION_MEDIUM"}},
        _only_for(PRO, {"generationConfig": _MEDIUM}, "generation_config.media_resolution (google)"),
    ),
    Row(
        "vercel",
        {"providerOptions": {"google": {**_LOW, **_MEDIUM, "serviceTier": "flex"}}},
        _only_for(
            PRO,
            {"generationConfig": {**_LOW, **_MEDIUM}, "serviceTier": "flex"},
            "providerOptions (google)",
        ),
    ),
    Row(
        "vercel",
        {"providerOptions": {"azure": {"user": "me"}}},
        _only_for(GPT_1_5, {"user": "me"}, "providerOptions (openai)"),
    ),
    Row(
        "vercel",
        {"provider_options": {"black_forest_labs": {"finetune_id": "f"}}},
        _only_for(FLUX, {"finetune_id": "f"}, "provider_options (bfl)"),
    ),
    Row(
        "vercel",
        {"providerOptions": {"alibaba": {"trace": True}}},
        _only_for(QWEN, {"trace": True}, "providerOptions (alibaba)"),
    ),
    *(
        Row(
            "openrouter",
            {"image_config": {key: value}},
            _only_for(
                RECRAFT_ON_OPENROUTER,
                {"image_config": {key: value}},
                f"image_config.{key} (openrouter)",
            ),
        )
        for key, value in _PASSED_ON_BY_OPENROUTER.items()
    ),
    *(
        Row("aione", {}, TIERS[tier], f"model ...{ending.lower()}", ending)
        for ending, tier in (("-2k", "2K"), ("-4K", "4K"))
    ),
    *(
        Row(
            "openai_images",
            {"mask": mask},
            cells,
            "mask",
            parse=parse_images,
            beside={"prompt": "a red dot", "image": MASK},
        )
        for mask, cells in MASKS.items()
    ),
    *(
        Row(dialect, _body(path, number), cells, path, parse=parse, beside={**beside, "stream": True})
        for dialect, path, parse, beside in (
            ("openai_images", "partial_images", parse_images, {"prompt": "a red dot"}),
            ("openai_responses", "tools[0].partial_images", parse_responses, {"input": "a red dot"}),
        )
        for number, cells in STREAMED_PARTIALS.items()
    ),
    Row(
        "openai_images",
        {"partial_images": 1, "n": 2},
        on(
            *[Cell(notices={"partial_images": None}, counts=(1, 1))] * 4,
            *[Cell({"n": 2}, notices={"partial_images": None}, counts=(2,))] * 2,
            gpt_5=Cell(notices={"partial_images": None}, counts=(1, 1)),
        ),
        parse=parse_images,
        beside={"prompt": "a red dot", "stream": True},
    ),
    *(
        Row(
            "openai_images", {"size": size}, cells, "size", parse=parse_images, beside={"prompt": "a red dot"}
        )
        for size, cells in SHAPES.items()
    ),
    *(
        Row(
            "openai_responses",
            _body("tools[0].size", size),
            cells,
            "tools[0].size",
            parse=parse_responses,
            beside={"input": "a red dot"},
        )
        for size, cells in SHAPES.items()
    ),
    # What is meant for this vendor goes before what is meant for another one.
    Row(
        "vercel",
        {"providerOptions": {"google": {"aspectRatio": "16:9"}, "bfl": {"aspectRatio": "1:1"}}},
        {
            PRO: Cell({"aspect_ratio": "16:9"}, {"providerOptions.bfl.aspectRatio": None}),
            FLUX: Cell({"dimensions": (1024, 1024)}, {"providerOptions.google.aspectRatio": None}),
            KONTEXT: Cell({"aspect_ratio": "1:1"}, {"providerOptions.google.aspectRatio": None}),
        },
    ),
]
ROWS: list[Row] = [
    *(
        Row(dialect, _body(path, value), cells, path)
        for dialect, path, table in SPELLED
        for value, cells in table.items()
    ),
    *TOGETHER,
]


def _vocabulary(family: str, model: str) -> frozenset[Name]:
    """What the wire can spell; of a model that nobody serves yet, what it takes."""
    known = [
        wire.codec.vocabulary
        for provider in PROVIDERS.values()
        for wire in provider.wires
        if wire.family == family and provider.via is Via.HTTP
    ]
    # Of Gemini's two it is the Gemini API's: Vertex has fields of its own, which fixtures show.
    return known[0 if family == "gemini" else -1] if known else find(family, model).names


def _plan(row: Row, model: str, policy: Policy) -> Plan:
    family, vendor = SERVED[model]
    return make_plan(
        row.read(model),
        Target(provider="the provider", family=family, vocabulary=_vocabulary(family, model), vendor=vendor),
        preferences=Preferences(policy=policy),
        limits=Limits(),
    )


def _comparable(value: Any) -> Any:
    """Pictures by their bytes."""
    return value.blob.raw if isinstance(value, ImageInput) and value.blob else value


def _outcome(row: Row, model: str, policy: Policy = Policy.ADAPT) -> dict[str, Any]:
    try:
        plan = _plan(row, model, policy)
    except InvalidParameter as error:
        return {"refused": error.field}
    return {
        "values": {name: _comparable(value) for name, value in plan.values.items()},
        "notices": {(notice.code, notice.field, notice.used) for notice in plan.notices},
        "counts": plan.counts,
        "conversion": plan.conversion,
        "output": plan.output,
    }


def _expected(row: Row, model: str, cell: Cell) -> dict[str, Any]:
    if cell.refused:
        return {"refused": row.spelling}
    return {
        "values": {Name(name): _comparable(value) for name, value in cell.values.items()},
        "notices": {
            (NoticeCode.UNSUPPORTED if used is None else NoticeCode.ADAPTED, told or row.spelling, used)
            for told, used in cell.notices.items()
        },
        "counts": cell.counts,
        "conversion": cell.conversion,
        "output": cell.output or find(SERVED[model][0], model).output,
    }


def _insists(row: Row, model: str) -> bool:
    """Whether the words are the client's own and meant for this model's vendor, or for everybody."""
    sections = [
        key for options in ("providerOptions", "provider_options") for key in row.body.get(options, ())
    ]
    is_for_others = any(_SECTIONS.get(key) != SERVED[model][1] for key in sections)
    return not (row.ending or is_for_others or Name.PROVIDER_OPTIONS in row.names)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_spelling_gives_each_model_exactly_this(row: Row) -> None:
    expected = {model: _expected(row, model, cell) for model, cell in row.cells.items()}
    assert {model: _outcome(row, model) for model in row.cells} == expected


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_strict_policy_refuses_by_name_what_would_be_told_and_nothing_else(row: Row) -> None:
    for model, cell in row.cells.items():
        outcome = _outcome(row, model, Policy.STRICT)
        if cell.notices and _insists(row, model):
            assert outcome.get("refused") in [told or row.spelling for told in cell.notices], model
        else:
            assert outcome == _expected(row, model, cell), model


@pytest.mark.parametrize("row", [row for row in ROWS if row.parse is parse_chat], ids=str)
def test_each_body_is_understood_by_its_own_dialect_alone(row: Row) -> None:
    fields = Fields(row.body)
    assert {wish.name for wish in DIALECTS[row.dialect](fields)} == row.names
    assert list(fields.unread()) == []


def test_every_dialect_has_rows() -> None:
    assert {row.dialect for row in ROWS} == set(DIALECTS)


@pytest.mark.parametrize("name", Name)
def test_every_name_has_a_cell_in_every_column(name: Name) -> None:
    models = {model for row in ROWS if name in row.names for model in row.cells}
    assert models >= set(COLUMNS)


@pytest.mark.parametrize("name", sorted(set(Name) - {Name.MODALITIES}))
def test_every_name_that_a_live_model_takes_is_sent_in_some_cell(name: Name) -> None:
    takers = [row.id for rows in FAMILIES.values() for row in rows if name in row.names and not row.gone]
    is_sent = any(name in cell.values for row in ROWS for cell in row.cells.values())
    assert is_sent or not takers
