"""OpenAI's models on Azure, under a deployment's own name.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference. `model_info.base_model` tells which
model a deployment has.
"""

from litellm_imagegen.profiles import gpt_image
from litellm_imagegen.providers.provider import Provider, Wire
from litellm_imagegen.wires.openai_images import OpenAiImagesCodec

_API_VERSION = "2025-04-01-preview"

PROVIDER = Provider(
    name="azure",
    base_url=None,
    key_variables=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    base_variables=("AZURE_API_BASE",),
    option_variables={"api_version": ("AZURE_API_VERSION",)},
    authenticate=lambda shown: {"api-key": shown.key},
    query=lambda shown: {"api-version": shown.options.get("api_version", _API_VERSION)},
    wires=(Wire(name="images", codec=OpenAiImagesCodec(names_deployment=True), family=gpt_image.FAMILY),),
    renames_models=False,
)
