"""Vercel AI Gateway. Source: https://vercel.com/docs/ai-gateway/capabilities/image-generation.

Models that give words are called on chat, those that give pictures alone on images/generations. The key is
Vercel's own or an OIDC token, which lives for hours and is therefore read at each call.
"""

from collections.abc import Callable, Mapping
from typing import Any

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers.provider import Provider, Wire, bearer
from litellm_imagegen.wires.chat_images import ChatImagesCodec
from litellm_imagegen.wires.openai_shared import spelled
from litellm_imagegen.wires.vercel_images import VercelImagesCodec
from litellm_imagegen.wires.vercel_options import with_provider_options

_NAME = "vercel"
_IMAGE_CONFIG: Mapping[Name, str] = {Name.ASPECT_RATIO: "aspectRatio", Name.IMAGE_SIZE: "imageSize"}
_OPENAIS: Mapping[Name, str] = {
    Name.BACKGROUND: "background",
    Name.OUTPUT_FORMAT: "outputFormat",
    Name.OUTPUT_COMPRESSION: "outputCompression",
    Name.MODERATION: "moderation",
}
_OPENAIS_ON_CHAT: Mapping[Name, str] = {Name.QUALITY: "quality", **_OPENAIS}
_FLUX: Mapping[Name, str] = {
    Name.ASPECT_RATIO: "aspectRatio",
    Name.OUTPUT_FORMAT: "outputFormat",
    Name.PROMPT_UPSAMPLING: "promptUpsampling",
    Name.SAFETY_TOLERANCE: "safetyTolerance",
    Name.STEPS: "steps",
    Name.GUIDANCE: "guidance",
    Name.STRENGTH: "imagePromptStrength",
}
_XAIS: Mapping[Name, str] = {
    Name.ASPECT_RATIO: "aspect_ratio",
    Name.IMAGE_SIZE: "resolution",
    Name.QUALITY: "quality",
    Name.OUTPUT_FORMAT: "output_format",
}


def _of_gemini(plan: Plan) -> dict[str, Any]:
    config = spelled(_IMAGE_CONFIG, plan)
    settings = plan.values.get(Name.SAFETY_SETTINGS)
    return {
        **({"imageConfig": config} if config else {}),
        **({"safetySettings": list(settings)} if settings else {}),
    }


def _of_gpt(plan: Plan) -> dict[str, Any]:
    return spelled(_OPENAIS_ON_CHAT, plan)


def _chat(vendor: str, spell: Callable[[Plan], dict[str, Any]], names: frozenset[Name]) -> ChatImagesCodec:
    """Chat with the models of one vendor, whose own fields stand in `providerOptions`."""

    def fields(plan: Plan) -> dict[str, Any]:
        modalities = [str(modality) for modality in Modality if modality in plan.output]
        options = with_provider_options(vendor, spell(plan), plan)
        return {"modalities": modalities, **({"providerOptions": options} if options else {})}

    return ChatImagesCodec(vendor=vendor, spell=fields, names=names | {Name.MODALITIES}, passes_options=True)


PROVIDER = Provider(
    name=_NAME,
    base_url="https://ai-gateway.vercel.sh/v1",
    key_variables=("AI_GATEWAY_API_KEY", "VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
    base_variables=("AI_GATEWAY_BASE_OPENAI_COMPAT_URL", "VERCEL_AI_GATEWAY_API_BASE"),
    authenticate=bearer,
    wires=(
        Wire(
            name="chat",
            codec=_chat("google", _of_gemini, frozenset({*_IMAGE_CONFIG, Name.SAFETY_SETTINGS})),
            family=_NAME,
            starts=("google/gemini",),
        ),
        Wire(
            name="chat-openai",
            codec=_chat("openai", _of_gpt, frozenset(_OPENAIS_ON_CHAT)),
            family=_NAME,
            starts=("openai/gpt-5",),
        ),
        Wire(
            name="images-openai",
            codec=VercelImagesCodec("openai", options=_OPENAIS),
            family=_NAME,
            starts=("openai/",),
        ),
        Wire(
            name="images-bfl",
            codec=VercelImagesCodec(
                "bfl",
                options=_FLUX,
                edges=("width", "height"),
                pictures=("inputImage", *(f"inputImage{number}" for number in range(2, 11))),
            ),
            family=_NAME,
            starts=("bfl/",),
        ),
        Wire(
            name="images-prodia",
            codec=VercelImagesCodec("prodia", options={Name.STEPS: "steps"}, edges=("width", "height")),
            family=_NAME,
            starts=("prodia/",),
        ),
        Wire(
            name="images-xai",
            codec=VercelImagesCodec("xai", options=_XAIS, in_lower_case=("resolution",)),
            family=_NAME,
            starts=("spacexai/", "xai/"),
        ),
        Wire(
            name="images-recraft",
            codec=VercelImagesCodec("recraft", options={Name.STYLE: "style"}),
            family=_NAME,
            starts=("recraft/",),
        ),
        Wire(name="images", codec=VercelImagesCodec(_NAME), family=_NAME),
    ),
    renames_models=False,
    picture_hosts=None,
)
