"""AIone (api.nexara.net). Source: https://1jxizqf5ai.apifox.cn, pages 14 (chat) and 15 (Gemini's own route).

Chat is answered in one piece alone. Gemini's own route, which streams, is taken where an operator asks for
it.
"""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Name
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers.provider import Provider, Wire, bearer
from litellm_imagegen.wires.chat_images import RATIO_AND_SIZE, ChatImagesCodec
from litellm_imagegen.wires.gemini_content import GeminiContentCodec
from litellm_imagegen.wires.openai_shared import spelled

_NAME = "aione"
_SAMPLING: Mapping[Name, str] = {
    Name.MAX_TOKENS: "max_tokens",
    Name.TEMPERATURE: "temperature",
    Name.TOP_P: "top_p",
    Name.TOP_K: "top_k",
}


def _fields(plan: Plan) -> dict[str, Any]:
    return spelled(RATIO_AND_SIZE, plan)


PROVIDER = Provider(
    name=_NAME,
    base_url="https://api.nexara.net/v1",
    key_variables=("AIONE_API_KEY",),
    base_variables=("AIONE_API_BASE",),
    authenticate=bearer,
    wires=(
        Wire(
            name="native",
            codec=GeminiContentCodec(),
            family=_NAME,
            is_chosen=True,
            version="v1beta",
        ),
        Wire(
            name="chat",
            codec=ChatImagesCodec(
                vendor=_NAME,
                spell=_fields,
                names=RATIO_AND_SIZE,
                sampling=_SAMPLING,
                takes_addresses=False,
                streams=False,
            ),
            family=_NAME,
        ),
    ),
    renames_models=False,
    picture_hosts=None,
)
