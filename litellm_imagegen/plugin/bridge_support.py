"""What LiteLLM draws and edits with, found out before anything is sent.

Of a provider that it has no image function for LiteLLM gives an empty answer, and some calls that it makes
cost something and come to nothing, or to another model's picture.
"""

from typing import Any

import litellm
from litellm.constants import openai_compatible_providers
from litellm.exceptions import BadRequestError
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

from litellm_imagegen.errors import RequestError, quote
from litellm_imagegen.plugin.bridge_deployment import OURS, parameters_of
from litellm_imagegen.transport import Endpoint
from litellm_imagegen.wires.litellm_images import EDIT

# Of the providers that have no configuration of their own those that LiteLLM draws with.
_DRAWING = frozenset({"azure", "azure_ai", "bedrock", "openai", "litellm_proxy"})


def serving(function: str, model: str, endpoint: Endpoint) -> str:
    """LiteLLM's name for whom it calls for a model. Raises `RequestError` where it cannot do that."""
    shown = parameters_of(endpoint)
    base, named = shown.get("api_base"), shown.get("custom_llm_provider")
    try:
        found = litellm.get_llm_provider(model=model, api_base=base, custom_llm_provider=named)
    except BadRequestError as error:
        raise RequestError(f"model: LiteLLM knows no provider of {quote(model)!r}", "model") from error
    model, provider = str(found[0]), str(found[1])
    if provider == OURS:
        raise RequestError("model: imagegen/litellm/... is for LiteLLM's own providers", "model")
    if any(entry["provider"] == provider for entry in litellm.custom_provider_map):
        return provider
    flaw = _flaw_of_edit(provider, model) if function == EDIT else _flaw_of_drawing(provider, model, base)
    if flaw is not None:
        raise RequestError(flaw, "image" if function == EDIT else "model")
    return provider


def _flaw_of_drawing(provider: str, model: str, base: str | None) -> str | None:
    """Why LiteLLM does not draw with a model."""
    config = _configuration(provider, model)
    if config is None and provider not in (*_DRAWING, *openai_compatible_providers):
        return f"model: LiteLLM draws no pictures with {quote(provider)}"
    if provider == "vertex_ai" and model.startswith("imagen"):
        told = "LiteLLM sends vertex_project and vertex_credentials among the parameters of the picture"
        return f"model: {told}; imagegen/vertex has this model"
    if provider == "black_forest_labs":
        return "model: LiteLLM draws with the environment's key alone; imagegen/bfl has this model"
    if provider == "fal_ai":
        address = str(config.get_complete_url(base, None, model, {}, {}))
        if model not in address:
            told = f"LiteLLM would call {quote(address)} for {quote(model)}, which is another model's address"
            return f"model: {told}"
    return None


def _configuration(provider: str, model: str) -> Any:
    try:
        known = LlmProviders(provider)
        return ProviderConfigManager.get_provider_image_generation_config(model, known)
    except ValueError:
        return None


def _flaw_of_edit(provider: str, model: str) -> str | None:
    """Why LiteLLM does not edit with a model."""
    try:
        known = LlmProviders(provider)
        config = ProviderConfigManager.get_provider_image_edit_config(model, known)
        if provider == "stability":  # LiteLLM asks for its price when the edit is paid, and fails without one
            litellm.get_model_info(model, custom_llm_provider=provider)
    except Exception:  # noqa: BLE001  # LiteLLM tells it by errors of several types
        config = None
    return f"LiteLLM edits no pictures with {quote(provider)}/{quote(model)}" if config is None else None
