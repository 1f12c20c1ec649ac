"""OpenAI. Source: https://platform.openai.com/docs/api-reference/authentication."""

from litellm_imagegen.profiles import gpt_5, gpt_image
from litellm_imagegen.providers.provider import Credentials, Provider, Wire
from litellm_imagegen.wires.openai_images import OpenAiImagesCodec
from litellm_imagegen.wires.openai_responses import OpenAiResponsesCodec


def _headers(shown: Credentials) -> dict[str, str]:
    headers = {"authorization": f"Bearer {shown.key}"}
    for option in ("organization", "project"):
        if option in shown.options:
            headers[f"openai-{option}"] = shown.options[option]
    return headers


PROVIDER = Provider(
    name="openai",
    base_url="https://api.openai.com/v1",
    key_variables=("OPENAI_API_KEY",),
    base_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    option_variables={
        "organization": ("OPENAI_ORGANIZATION", "OPENAI_ORG_ID"),
        "project": ("OPENAI_PROJECT_ID",),
    },
    authenticate=_headers,
    wires=(
        Wire(name="responses", codec=OpenAiResponsesCodec(), family=gpt_5.FAMILY, starts=gpt_5.STARTS),
        Wire(name="images", codec=OpenAiImagesCodec(), family=gpt_image.FAMILY),
    ),
)
