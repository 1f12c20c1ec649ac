"""Endpoint + key + codec + models, one file and one line here for each provider."""

from litellm_imagegen.providers import gemini
from litellm_imagegen.providers.provider import Provider

PROVIDERS: dict[str, Provider] = {
    gemini.PROVIDER.name: gemini.PROVIDER,
}

# Which provider's wire the sandbox speaks for a model: by the start of the model's id, first match wins.
SANDBOX_WIRES: tuple[tuple[str, Provider], ...] = (("", gemini.PROVIDER),)

__all__ = ["PROVIDERS", "SANDBOX_WIRES", "Provider"]
