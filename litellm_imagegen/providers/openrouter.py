"""OpenRouter. Source: https://openrouter.ai/docs/api-reference/overview.

Models that give words are called on chat; those that give pictures alone on its Image API where a client
calls the Images API too, and else on chat, where they answer in pictures alone.
"""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Modality, Name, Surface
from litellm_imagegen.codec import Call
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers.provider import Catalog, Credentials, Provider, Wire, bearer
from litellm_imagegen.wires.chat_images import ChatImagesCodec
from litellm_imagegen.wires.openai_shared import spelled
from litellm_imagegen.wires.openrouter_images import OpenRouterImagesCodec

_NAME = "openrouter"
_IMAGE_CONFIG: Mapping[Name, str] = {
    Name.ASPECT_RATIO: "aspect_ratio",
    Name.IMAGE_SIZE: "image_size",
    Name.DIMENSIONS: "size",
    Name.STRENGTH: "strength",
    Name.STYLE: "style",
}
_OPENAIS: Mapping[Name, str] = {
    **_IMAGE_CONFIG,
    Name.QUALITY: "quality",
    Name.BACKGROUND: "background",
    Name.OUTPUT_FORMAT: "output_format",
    Name.OUTPUT_COMPRESSION: "output_compression",
    Name.MODERATION: "moderation",
}
_SMALLEST = {"512": "0.5K"}


def _headers(shown: Credentials) -> dict[str, str]:
    """Who calls, for OpenRouter's rankings, where an operator wants to be told there."""
    names = {"site_url": "http-referer", "app_name": "x-title"}
    return {header: shown.options[option] for option, header in names.items() if option in shown.options}


def _outputs(said: Any) -> dict[str, tuple[Modality, ...]]:
    """What each listed model answers with: https://openrouter.ai/docs/api-reference/list-available-models."""
    models = said.get("data") if isinstance(said, dict) else None
    found = {}
    for model in models if isinstance(models, list) else ():
        about = model.get("architecture") if isinstance(model, dict) else None
        told = about.get("output_modalities") if isinstance(about, dict) else None
        if isinstance(told, list):
            found[str(model.get("id"))] = tuple(modality for modality in Modality if modality in told)
    return found


def _chat(table: Mapping[Name, str]) -> ChatImagesCodec:
    """Chat with models whose `image_config` has these fields."""

    def fields(plan: Plan) -> dict[str, Any]:
        """`modalities`, since a model that only draws is not found for others, and `image_config`."""
        both = (Modality.IMAGE, Modality.TEXT)
        modalities = [str(modality) for modality in both if modality in plan.output]
        config = spelled(table, plan)
        if "image_size" in config:
            config["image_size"] = _SMALLEST.get(config["image_size"], config["image_size"])
        return {"modalities": modalities, **({"image_config": config} if config else {})}

    return ChatImagesCodec(vendor=_NAME, spell=fields, names={*table, Name.MODALITIES}, keeps_reasoning=True)


PROVIDER = Provider(
    name=_NAME,
    base_url="https://openrouter.ai/api/v1",
    key_variables=("OPENROUTER_API_KEY",),
    base_variables=("OPENROUTER_API_BASE",),
    option_variables={"site_url": ("OR_SITE_URL",), "app_name": ("OR_APP_NAME",)},
    authenticate=bearer,
    headers=_headers,
    wires=(
        Wire(
            name="images",
            codec=OpenRouterImagesCodec(),
            family=_NAME,
            surfaces=frozenset({Surface.IMAGES}),
            only_draws=True,
        ),
        Wire(name="chat-openai", codec=_chat(_OPENAIS), family=_NAME, starts=("openai/",)),
        Wire(name="chat", codec=_chat(_IMAGE_CONFIG), family=_NAME),
    ),
    catalog=Catalog(
        call=Call(method="GET", path="models", query={"output_modalities": "image"}), read=_outputs
    ),
    renames_models=False,
    picture_hosts=None,
)
