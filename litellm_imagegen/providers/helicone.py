"""Helicone's AI Gateway. Source: https://docs.helicone.ai/gateway/concepts/image-generation."""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Name, Surface
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers.provider import Provider, Wire
from litellm_imagegen.wires.chat_images import ChatImagesCodec
from litellm_imagegen.wires.helicone_responses import HeliconeResponsesCodec
from litellm_imagegen.wires.openai_shared import spelled

_NAME = "helicone"
# It refuses an object that lacks one of them.
_SHAPE: Mapping[Name, str] = {Name.ASPECT_RATIO: "aspect_ratio", Name.IMAGE_SIZE: "image_size"}


def _fields(plan: Plan) -> dict[str, Any]:
    shape = spelled(_SHAPE, plan)
    return {"image_generation": shape} if shape else {}


PROVIDER = Provider(
    name=_NAME,
    base_url="https://ai-gateway.helicone.ai/v1",
    key_variables=("HELICONE_API_KEY",),
    base_variables=("HELICONE_API_BASE",),
    authenticate=lambda shown: {"authorization": f"Bearer {shown.key}"},
    wires=(
        Wire(
            name="responses",
            codec=HeliconeResponsesCodec(_fields, frozenset(_SHAPE)),
            family=_NAME,
            surfaces=frozenset({Surface.RESPONSES}),
        ),
        Wire(
            name="chat",
            codec=ChatImagesCodec(
                vendor=_NAME,
                spell=_fields,
                names=_SHAPE,
                together=frozenset(_SHAPE),
                takes_addresses=False,
                silent_refusals=True,
                keeps_reasoning=True,
            ),
            family=_NAME,
        ),
    ),
    renames_models=False,
    picture_hosts=None,
)
