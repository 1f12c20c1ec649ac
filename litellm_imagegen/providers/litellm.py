"""Every image model that LiteLLM serves itself, under LiteLLM's own id: `<provider of LiteLLM>/<model>`.

Its calls are carried out by LiteLLM in this process. A deployment's own `litellm_params` tell where they go
and what they show: no key and no address stands here. Source: https://docs.litellm.ai/docs/image_generation.
"""

from litellm_imagegen.profiles import (
    bytedance,
    fal,
    flux,
    gpt_image,
    imagen,
    litellm,
    qwen,
    recraft,
    stability,
    xai,
)
from litellm_imagegen.providers import litellm_spellings as spellings
from litellm_imagegen.providers.provider import Provider, Via, Wire
from litellm_imagegen.wires.litellm_images import LitellmImagesCodec

_NAME = "litellm"


def _wire(prefix: str, codec: LitellmImagesCodec, family: str, *beginnings: str) -> Wire:
    """The models of a provider of LiteLLM's; with `beginnings` those alone whose own ids begin so."""
    starts = tuple(f"{prefix}/{beginning}" for beginning in beginnings or ("",))
    return Wire(codec=codec, family=family, name=starts[0].rstrip("/"), starts=starts, prefix=f"{prefix}/")


def _regional(beginning: str) -> tuple[str, ...]:
    """With and without the group of regions that an inference profile is for before it."""
    return beginning, *(f"{group}.{beginning}" for group in ("us", "eu", "apac", "global"))


WIRES: tuple[Wire, ...] = (
    _wire("recraft", spellings.RECRAFT, recraft.FAMILY),
    _wire("stability", spellings.STABILITY, stability.FAMILY),
    _wire("fal_ai", spellings.FAL, fal.FAMILY, "fal-ai/nano-banana"),
    _wire("fal_ai", spellings.FAL, litellm.FAL),
    _wire("bedrock", spellings.BEDROCK_AMAZON, litellm.BEDROCK_AMAZON, *_regional("amazon.")),
    _wire("bedrock", spellings.BEDROCK_STABILITY, litellm.BEDROCK_STABILITY, *_regional("stability.")),
    _wire("xai", spellings.XAI, xai.FAMILY),
    *(
        _wire(prefix, spellings.DASHSCOPE, qwen.FAMILY)
        for prefix in ("dashscope", "qwencloud", "qwen_ai_platform")
    ),
    _wire("openai", spellings.OPENAI, gpt_image.FAMILY, *gpt_image.STARTS),
    _wire("azure", spellings.OPENAI, gpt_image.FAMILY),
    _wire("azure_ai", spellings.AZURE_FLUX, litellm.AZURE_FLUX, "FLUX.2", "flux.2"),
    _wire("azure_ai", spellings.AZURE_MICROSOFT, litellm.AZURE_MICROSOFT, "MAI"),
    _wire("gemini", spellings.IMAGEN, imagen.FAMILY, *imagen.STARTS),
    _wire("gemini", spellings.GEMINI, litellm.GEMINI),
    _wire("vertex_ai", spellings.VERTEX_GEMINI, litellm.GEMINI, "gemini"),
    _wire("runwayml", spellings.RUNWAY, "runway"),
    _wire("volcengine", spellings.BYTEDANCE, bytedance.FAMILY, *bytedance.STARTS),
    _wire("black_forest_labs", spellings.BFL, flux.FAMILY),
    _wire("openrouter", spellings.OPENROUTER, "openrouter"),
    *(
        _wire(prefix, spellings.PLAIN, litellm.ANY)
        for prefix in ("bedrock", "vertex_ai", "aiml", "cometapi", "edenai", "modelscope", "xinference")
    ),
    Wire(codec=spellings.ANY, family=litellm.ANY, name="any"),
)

PROVIDER = Provider(
    name=_NAME,
    base_url="",
    via=Via.LITELLM,
    key_variables=(),
    wires=WIRES,
    needs_key=False,
    rows=litellm.ROWS,
    renames_models=False,
    picture_hosts=None,
)
