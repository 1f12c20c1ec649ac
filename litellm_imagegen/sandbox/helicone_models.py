"""The image models of the Helicone AI Gateway, as data, and how a request names them.

A model is written `model/provider`, as a bare name that leaves the provider to the gateway, or as several of
them with commas between, of which the first that is there answers. The preview name of Google's lives on
here; beside it the models are those of AI Studio.

Source: https://docs.helicone.ai/gateway/concepts/image-generation and
https://docs.helicone.ai/gateway/provider-routing
"""

from __future__ import annotations

from collections.abc import Mapping

from . import gemini_models
from .gemini_models import Model

_PROVIDER = "google-ai-studio"
_PROVIDERS = frozenset(
    {
        *("anthropic", "azure", "bedrock", "cerebras", "chutes", "deepinfra", "deepseek", "fireworks"),
        *("groq", "helicone", "mistral", "nebius", "novita", "openai", "openrouter", "perplexity"),
        *("vertex", "xai", _PROVIDER),
    }
)
_PREVIEW = "gemini-3-pro-image-preview"

MODELS: Mapping[str, Model] = {
    _PREVIEW: gemini_models.MODELS["gemini-3-pro-image"],
    **gemini_models.MODELS,
}


def is_written_so(names: str) -> bool:
    """Whether a model's id has this gateway's form: with a provider at its end, or several with commas."""
    _, slash, provider = names.rpartition("/")
    return "," in names or (bool(slash) and provider in _PROVIDERS)


def is_of_google(names: str) -> bool:
    """The same, or one of Google's bare names."""
    return is_written_so(names) or names.startswith("gemini-")


def find_model(names: str) -> tuple[str, Model] | None:
    """The first model of a list that is there, with its name without provider; None when none is."""
    for written in names.split(","):
        name, _, provider = written.strip().partition("/")
        if name in MODELS and provider in ("", _PROVIDER):
            return name, MODELS[name]
    return None
