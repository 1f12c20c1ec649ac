"""What a deployment gives for LiteLLM's calls: which of its `litellm_params`, and which of them are secrets.

Clients can send any of these names too: what is passed on must have been read from the deployment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from litellm.types.router import CredentialLiteLLMParams
from litellm.types.utils import is_litellm_owned_kwarg
from litellm.utils import load_credentials_from_list

from litellm_imagegen.errors import ConfigurationError
from litellm_imagegen.transport import Endpoint

# How parameters begin that are a provider's own, which others, and whose.
_OF_PROVIDERS: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("aws_", frozenset({"model_id"}), ("bedrock",)),
    ("azure_", frozenset({"tenant_id", "client_id", "client_secret"}), ("azure", "azure_ai")),
    ("vertex_", frozenset(), ("vertex_ai",)),
)
_STARTS = tuple(start for start, _, _ in _OF_PROVIDERS)
_PARAMETERS = frozenset(
    {
        *CredentialLiteLLMParams.model_fields,
        *("organization", "ssl_verify", "base_model", "model_id", "custom_llm_provider"),
    }
)
# Arguments of LiteLLM's functions that are neither a parameter of a deployment nor a field of a vendor's.
_ARGUMENTS = frozenset(
    {
        *("model", "prompt", "image", "mask", "timeout", "request_timeout", "client", "max_retries"),
        *("headers", "extra_headers", "extra_body", "extra_query", "default_headers", "base_url"),
        *("deployment_id", "async_call", "aimg_generation", "litellm_logging_obj", "mock_response"),
    }
)
_SENT_ON = "azure_ad_token"
_PROVIDER = "custom_llm_provider"
OURS = "imagegen"
_SECRET = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)


@dataclass(frozen=True)
class LitellmEndpoint(Endpoint):
    """Where LiteLLM calls: `authentication` are its arguments that hold secrets, `parameters` the others.

    `base_url` is empty where LiteLLM knows the address. `hidden` are the secrets in `parameters`, some of
    which are objects.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never appear in a message."""
        return (*super().secrets, *self.hidden)


def endpoint(
    name: str, litellm_params: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> LitellmEndpoint:
    """The endpoint of a deployment with these `litellm_params`; names that no vendor needs are passed over.

    `litellm_credential_name` stands for the values that the proxy keeps under it. Raises `ConfigurationError`
    for a parameter that LiteLLM does not keep to itself.
    """
    given = dict(litellm_params)
    load_credentials_from_list(given)
    if given.get(_SENT_ON) is not None:
        told = (
            "LiteLLM sends it in the body of a call; use api_key, or tenant_id, client_id and client_secret"
        )
        raise ConfigurationError(f"{name}: {_SENT_ON}: {told}")
    if given.get(_PROVIDER) == OURS:  # LiteLLM says so of whatever it gives to us
        del given[_PROVIDER]
    given = {key: value for key, value in given.items() if value is not None and is_parameter(key)}
    secrets = {
        key: value for key, value in given.items() if isinstance(value, str) and _SECRET.search(key) and value
    }
    hidden = {key: value for key, value in given.items() if key not in secrets and _SECRET.search(key)}
    return LitellmEndpoint(
        name,
        str(given.get("api_base") or ""),
        secrets,
        dict(headers or {}),
        parameters={key: value for key, value in given.items() if key not in secrets},
        hidden=tuple(_texts(hidden)),
    )


def _texts(value: Any) -> Iterator[str]:
    """All texts in an object."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def parameters_of(endpoint: Endpoint) -> dict[str, Any]:
    """All of a deployment's parameters, secrets among them."""
    shown = endpoint.parameters if isinstance(endpoint, LitellmEndpoint) else {}
    return {**shown, **endpoint.authentication}


def parameters_for(provider: str, endpoint: Endpoint) -> dict[str, Any]:
    """Those that LiteLLM reads for a provider: it may send others on, to whoever it is."""
    return {
        name: value
        for name, value in parameters_of(endpoint).items()
        if (of := _provider_of(name)) is None or provider in of
    }


def _provider_of(name: str) -> tuple[str, ...] | None:
    """Whose a parameter is; None for one of everybody's."""
    for starts, names, providers in _OF_PROVIDERS:
        if name in names or name.startswith(starts):
            return providers
    return None


def is_parameter(name: str) -> bool:
    """Whether a `litellm_params` entry tells LiteLLM whom to call, and with which credentials."""
    return name in _PARAMETERS or name.startswith(_STARTS)


def belongs_to_deployment(option: str) -> bool:
    """Whether a provider option of a client's would choose what only a deployment chooses."""
    return option in _ARGUMENTS or is_parameter(option) or is_litellm_owned_kwarg(option)
