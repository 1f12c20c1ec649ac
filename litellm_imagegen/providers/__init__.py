"""Endpoint + key + wires + models, one file and one line here for each provider.

Other packages add theirs by an entry point: registry.py.
"""

from litellm_imagegen.providers import (
    aione,
    azure,
    bfl,
    gemini,
    helicone,
    litellm,
    openai,
    openrouter,
    vercel,
    vertex,
)
from litellm_imagegen.providers.provider import Catalog, Connection, Credentials, Provider, Via, Wire
from litellm_imagegen.providers.registry import Registry

PROVIDERS = Registry(
    (
        aione.PROVIDER,
        azure.PROVIDER,
        bfl.PROVIDER,
        gemini.PROVIDER,
        helicone.PROVIDER,
        litellm.PROVIDER,
        openai.PROVIDER,
        openrouter.PROVIDER,
        vercel.PROVIDER,
        vertex.PROVIDER,
    )
)

# Which provider's wire the sandbox speaks for a model: by the start of the model's id, first match wins.
SANDBOX_WIRES: tuple[tuple[str, Provider], ...] = (
    ("flux", bfl.PROVIDER),
    ("gpt-5", openai.PROVIDER),
    ("gpt-image", openai.PROVIDER),
    ("chatgpt-image", openai.PROVIDER),
    ("", gemini.PROVIDER),
)

__all__ = ["PROVIDERS", "SANDBOX_WIRES", "Catalog", "Connection", "Credentials", "Provider", "Via", "Wire"]
