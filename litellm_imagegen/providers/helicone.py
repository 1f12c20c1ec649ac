"""Helicone's AI Gateway. Source: https://docs.helicone.ai/gateway/concepts/image-generation."""

from typing import Any

from litellm_imagegen.canonical import Surface
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers.provider import Provider, Wire, bearer
from litellm_imagegen.wires.chat_images import RATIO_AND_SIZE, ChatImagesCodec
from litellm_imagegen.wires.helicone_responses import HeliconeResponsesCodec
from litellm_imagegen.wires.openai_shared import spelled

_NAME = "helicone"


def _fields(plan: Plan) -> dict[str, Any]:
    """Its object is refused where it lacks one of the fields."""
    shape = spelled(RATIO_AND_SIZE, plan)
    return {"image_generation": shape} if shape else {}


PROVIDER = Provider(
    name=_NAME,
    base_url="https://ai-gateway.helicone.ai/v1",
    key_variables=("HELICONE_API_KEY",),
    base_variables=("HELICONE_API_BASE",),
    authenticate=bearer,
    wires=(
        Wire(
            name="responses",
            codec=HeliconeResponsesCodec(_fields, frozenset(RATIO_AND_SIZE)),
            family=_NAME,
            surfaces=frozenset({Surface.RESPONSES}),
        ),
        Wire(
            name="chat",
            codec=ChatImagesCodec(
                vendor=_NAME,
                spell=_fields,
                names=RATIO_AND_SIZE,
                together=frozenset(RATIO_AND_SIZE),
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
