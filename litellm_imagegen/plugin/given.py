"""One call as LiteLLM hands it over, brought into one form: whose each field is, and what it says.

LiteLLM gives the deployment hook everything, and a handler most of it in other places. A field belongs to
the client when the client's body has it, else to the operator; without a proxy there is one caller and
everything is the client's. LiteLLM's own arguments end here.
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import litellm
import orjson
from litellm.litellm_core_utils.credential_accessor import CredentialAccessor
from litellm.llms.vertex_ai.vertex_llm_base import VertexBase
from litellm.types.utils import CallTypes, CustomPricingLiteLLMParams, all_litellm_params

from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.bridge_deployment import is_parameter
from litellm_imagegen.plugin.client import Client
from litellm_imagegen.plugin.config import Access, Overrides
from litellm_imagegen.plugin.conversations import Recalled
from litellm_imagegen.plugin.records import TOKEN, Adopted
from litellm_imagegen.profiles import Profile
from litellm_imagegen.providers import PROVIDERS, Via

_HEADER_PREFIX = "x-imagegen-"
# What LiteLLM passes as a timeout when nobody has set one.
_NOBODYS_TIMEOUT_SECONDS = 6000
# Fields of a chat request that LiteLLM itself acts on, and so are not lost when no model sees them.
_SERVED_BY_LITELLM = frozenset(
    {
        "model",
        "user",
        "timeout",
        "request_timeout",
        "stream_timeout",
        "stream_options",
        "drop_params",
        "additional_drop_params",
        "store",
        "headers",
        "extra_headers",
        "base_url",
        "api_version",
        "organization",
        "deployment_id",
        "region_name",
        "custom_prompt_dict",
        "safety_identifier",
        "prompt_cache_key",
        "num_workers",
        "previous_response_id",
        TOKEN,
        config.PREFIX,
    }
)
VERTEX_OF_LITELLM = ("vertex_ai", "vertex_ai_beta")
_LOCATION = "vertex_location"
# Other names that LiteLLM has for what a deployment shows its provider.
_ALIASES: Mapping[str, str] = {
    name: f"vertex_ai_{name.removeprefix('vertex_')}"
    for name in ("vertex_project", _LOCATION, "vertex_credentials")
}
_OPTIONS = frozenset(name for provider in PROVIDERS.values() for name in provider.option_variables)
# What a deployment shows its provider beside the key.
ACCESS_OPTIONS = _OPTIONS | frozenset(_ALIASES.values())
_OWNED = frozenset(all_litellm_params) | _SERVED_BY_LITELLM | ACCESS_OPTIONS
_PRICE = "cost_per_"
# LiteLLM's names of a deployment's own prices.
PRICES = frozenset(CustomPricingLiteLLMParams.model_fields)
_HEADERS = ("headers", "extra_headers")
_LEFT_TO_CLIENTS = ("api_key", "api_base", "base_url")
# A setting by which LiteLLM takes a client's own key for the provider out of a header.
_FORWARDED_KEYS = "forward_llm_provider_auth_headers"
CREDENTIAL = "litellm_credential_name"
_EXTRA_BODY = "extra_body"
_UNSHOWN = "[...]"


class Route(StrEnum):
    """The kinds of requests that are served."""

    CHAT = "chat"
    RESPONSES = "responses"
    GENERATIONS = "generations"
    EDITS = "edits"


_CALL_TYPES: Mapping[CallTypes | None, Route] = {
    CallTypes.acompletion: Route.CHAT,
    CallTypes.aresponses: Route.RESPONSES,
    CallTypes.aimage_generation: Route.GENERATIONS,
    CallTypes.aimage_edit: Route.EDITS,
}


# The ends of the paths that a proxy serves them on.
PATHS: Mapping[Route, str] = {
    Route.CHAT: "/chat/completions",
    Route.RESPONSES: "/responses",
    Route.GENERATIONS: "/images/generations",
    Route.EDITS: "/images/edits",
}


def route_of(call_type: CallTypes | None) -> Route | None:
    """The kind of request that LiteLLM calls a hook for, None for one that is not served."""
    return _CALL_TYPES.get(call_type)


@dataclass(frozen=True)
class Given:
    """One call as LiteLLM hands it over, brought into one form.

    `adopted` tells a deployment of LiteLLM's own, `listed` is what the gateway itself says of a model that it
    alone knows, `recalled` what earlier responses have led to, where somebody has looked for it.
    """

    model: str
    fields: Mapping[str, Any]
    model_info: Mapping[str, Any]
    metadata: Mapping[str, Any]
    client_body: Mapping[str, Any] | None
    client_headers: Mapping[str, str]
    timeout: Any = None
    litellm_params: Mapping[str, Any] = field(default_factory=dict)
    route: Route = Route.CHAT
    earlier_as_sent: str | None = None
    adopted: Adopted | None = None
    listed: tuple[Profile, ...] = ()
    recalled: Recalled = field(default_factory=Recalled)

    @classmethod
    def to_hook(cls, arguments: Mapping[str, Any], route: Route, client: Client | None = None) -> "Given":
        """From the arguments of the deployment hook; `client` is who has sent it, if known better."""
        client = client or client_of(arguments, route)
        return cls(
            model=str(arguments["model"]),
            fields={name: readable(value) for name, value in arguments.items()},
            model_info=mapping(arguments.get("model_info")),
            metadata=client.metadata,
            client_body=client.sent(arguments),
            client_headers=mapping(client.request.get("headers")),
            timeout=arguments.get("timeout"),
            litellm_params=arguments,
            route=route,
        )

    @classmethod
    def to_handler(cls, arguments: Mapping[str, Any], route: Route) -> "Given":
        """From the arguments of a handler, when no hook has run: Python without the callback, or sync.

        For pictures LiteLLM has dropped most fields by then, and hands its own arguments over among the rest.
        """
        optional = mapping(arguments.get("optional_params"))
        parameters = mapping(arguments.get("litellm_params")) if route is Route.CHAT else optional
        proxy_request = mapping(parameters.get("proxy_server_request"))
        own = {name: arguments[name] for name in ("messages", "prompt", "image") if name in arguments}
        return cls(
            model=str(arguments["model"]),
            fields={name: readable(value) for name, value in {**optional, **own}.items()},
            model_info=mapping(parameters.get("model_info")),
            metadata=mapping(parameters.get("metadata")),
            client_body=mapping(proxy_request["body"]) if "body" in proxy_request else None,
            client_headers=mapping(proxy_request.get("headers")),
            timeout=arguments.get("timeout"),
            litellm_params=parameters,
            route=route,
        )

    @property
    def access(self) -> Access:
        """What the deployment shows to its provider, without what the client has sent."""
        options = {name: value for name in _OPTIONS if (value := self._option(name))}
        if self.adopted is not None and self.adopted.provider in VERTEX_OF_LITELLM:
            options[_LOCATION] = _litellms_region(options.get(_LOCATION), self.adopted.model_id)
        via_litellm = config.upstream_of(self.model).provider.via is Via.LITELLM
        return Access(
            api_key=self.shown("api_key"),
            api_base=self.shown("api_base") or self.shown("base_url"),
            options={
                name: value if isinstance(value, str) else orjson.dumps(value).decode()
                for name, value in options.items()
            },
            headers=self._headers,
            ssl_verify=self.shown("ssl_verify"),
            parameters=self.deployment_parameters if via_litellm else {},
        )

    def _option(self, name: str) -> Any:
        """An option of the deployment's, else of all that LiteLLM calls in this process."""
        alias = self.shown(_ALIASES[name]) if name in _ALIASES else None
        return self.shown(name) or alias or getattr(litellm, name, None)

    def shown(self, name: str) -> Any:
        """What an argument of LiteLLM's says, as the operator has it."""
        if name in (self.client_body or {}) and not self.lets_client_choose(name):
            return self.deployment_parameters.get(name)
        return self.litellm_params.get(name)

    def lets_client_choose(self, name: str) -> bool:
        """Whether LiteLLM's settings leave a key, or whom to call with it, to clients.

        Source: https://docs.litellm.ai/docs/proxy/clientside_auth.
        """
        if name not in _LEFT_TO_CLIENTS:
            return False
        proxy = sys.modules.get("litellm.proxy.proxy_server")
        general = mapping(getattr(proxy, "general_settings", None))
        if general.get("allow_client_side_credentials") is True:
            return True
        if name == "api_key" and (general.get(_FORWARDED_KEYS) or getattr(litellm, _FORWARDED_KEYS, False)):
            return True
        choices = self.deployment_parameters.get("configurable_clientside_auth_params") or ()
        return any(name == choice or name in mapping(choice) for choice in choices)

    @cached_property
    def deployment_parameters(self) -> Mapping[str, Any]:
        """The deployment's own `litellm_params`: a client may send any of these names too."""
        router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
        # LiteLLM gives a deployment another id where a client sends a key.
        known = self.model_info.get("original_model_id") or self.model_info.get("id")
        deployment = router.get_deployment(str(known)) if router is not None else None
        if deployment is not None:
            own = dict(deployment.litellm_params.model_dump(exclude_none=True))
            return {**credential_of(own), **own}
        sent = self.client_body or {}
        return {name: value for name, value in self.litellm_params.items() if name not in sent}

    @property
    def _headers(self) -> dict[str, str]:
        sent = self.client_body or {}
        by_client = {name.lower() for name in client_headers(sent)}
        headers: dict[str, Any] = {}
        for argument in _HEADERS:
            if argument in sent:
                headers |= mapping(self.deployment_parameters.get(argument))
            given = mapping(self.fields.get(argument))
            headers |= {name: value for name, value in given.items() if name.lower() not in by_client}
        headers = headers or dict(mapping(litellm.headers))
        return {name: str(value) for name, value in headers.items()}

    def names_model(self, model_id: str) -> bool:
        """Whether the client itself named this very model, as a wildcard lets it."""
        sent = self.model if self.client_body is None else str(self.client_body.get("model", ""))
        return sent.endswith(model_id)


def _litellms_region(told: str | None, model_id: str) -> str:
    """Where LiteLLM calls a model of Vertex AI: one that is adopted stays there."""
    told = told or config.environment_option(PROVIDERS["vertex"], _LOCATION)
    return VertexBase.get_vertex_region(told, model_id)


def client_of(arguments: Mapping[str, Any], route: Route) -> Client:
    """Who has sent a request, as the arguments of the deployment hook say it.

    LiteLLM keeps what it knows of key and team apart where the client's metadata has a meaning.
    """
    has_own = route in (Route.EDITS, Route.RESPONSES)
    return Client.by(arguments, arguments.get("litellm_metadata" if has_own else "metadata"))


def credential_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands for a deployment among the credentials that LiteLLM keeps by name.

    Source: https://docs.litellm.ai/docs/proxy/ui_credentials.
    """
    return CredentialAccessor.get_credential_values(str(parameters.get(CREDENTIAL) or ""))


def load_credential(arguments: dict[str, Any], given: Given) -> None:
    """Put what the deployment's credential stands for into its arguments, whichever a client has named."""
    own = {CREDENTIAL: given.shown(CREDENTIAL)}
    for name, value in credential_of(own).items():
        if name not in arguments:
            arguments[name] = value


def body_and_defaults(given: Given) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client sent and what the operator set, without LiteLLM's own arguments."""
    body: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    dropped = given.litellm_params.get("additional_drop_params") or ()
    for key, value in given.fields.items():
        if key in ("messages", "input", "instructions", "stream"):
            body[key] = value
        elif key in (given.client_body or ()) and is_operators(key):
            if not given.lets_client_choose(key):
                body[key] = ", ".join(sorted(mapping(value))) if key in _HEADERS else _UNSHOWN
        elif key in dropped or key in _OWNED:
            continue
        elif given.client_body is not None and key in given.client_body:
            body[key] = value
        elif _is_request_field(key):
            (body if given.client_body is None else defaults)[key] = value
    extra = body.get(_EXTRA_BODY)
    if isinstance(extra, Mapping):
        body[_EXTRA_BODY] = {key: value for key, value in extra.items() if key != config.PREFIX}
        # LiteLLM has put the client's in the place of the deployment's.
        defaults[_EXTRA_BODY] = given.deployment_parameters.get(_EXTRA_BODY)
    return body, defaults


def configured_defaults(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that a deployment of a proxy's configuration holds, in its two places."""
    parameters = mapping(deployment.get("litellm_params"))
    own = config.deployment(deployment.get("model_info")).defaults
    return {**own, **{key: value for key, value in parameters.items() if _is_request_field(key)}}


def is_operators(key: str) -> bool:
    """Whether an argument tells LiteLLM whom to call, and with what."""
    return key in (*_HEADERS, "base_url", CREDENTIAL) or is_parameter(key) or key in ACCESS_OPTIONS


def _is_request_field(key: str) -> bool:
    return key not in _OWNED and not key.startswith(("_", "litellm_")) and not is_parameter(key)


def client_choices(given: Given) -> list[tuple[str, Any]]:
    """`imagegen` in the body, in `extra_body`, and the headers: the headers count last."""
    choices = []
    body = given.fields if given.client_body is None else given.client_body
    for place, holder in (("", body), ("extra_body.", mapping(body.get("extra_body")))):
        if holder.get(config.PREFIX) is not None:
            choices.append((f"{place}{config.PREFIX}", holder[config.PREFIX]))
    headers = {
        key.lower().removeprefix(_HEADER_PREFIX).replace("-", "_"): value
        for key, value in given.client_headers.items()
        if key.lower().startswith(_HEADER_PREFIX)
    }
    if headers:
        choices.append(("x-imagegen header", headers))
    return choices


def metadata_of(given: Given, key: str) -> Any:
    """What stands for us in the metadata of a key or team; `key` is LiteLLM's name for it."""
    return mapping(given.metadata.get(key)).get(config.PREFIX)


def overrides_of(given: Given) -> tuple[Overrides, Overrides]:
    """What the client's key and its team set. Raises `ConfigurationError`."""
    key = config.overrides(metadata_of(given, "user_api_key_metadata"), "key metadata.imagegen")
    team = config.overrides(metadata_of(given, "user_api_key_team_metadata"), "team metadata.imagegen")
    return key, team


def client_headers(body: Mapping[str, Any]) -> list[str]:
    """Names of the headers that a client wants to send to the provider."""
    return [str(name) for field in _HEADERS for name in mapping(body.get(field))]


def deadline(given: Given) -> float | None:
    """Seconds that LiteLLM passes, None for its own default, which is no decision of anybody's."""
    timeout = given.timeout
    if timeout is None or timeout == _NOBODYS_TIMEOUT_SECONDS:
        return None
    seconds = getattr(timeout, "read", timeout)
    try:
        value = math.nan if isinstance(seconds, bool) else float(seconds)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 < value < math.inf:
        raise InvalidParameter("timeout", seconds, "a number of seconds above 0")
    return value


def operator_prices(given: Given) -> bool:
    """Whether the deployment has its own price: LiteLLM then works the cost out."""
    sent = given.client_body or {}
    priced = {**given.model_info, **given.litellm_params, **(given.adopted.prices if given.adopted else {})}
    return any(value is not None and _PRICE in key and key not in sent for key, value in priced.items())


def readable(value: Any) -> Any:
    """A file, in whichever form an HTTP library holds it, as its bytes; anything else as it is.

    A list of them too. It is read from its beginning: a second try reads it once more.
    """
    if isinstance(value, list) and any(map(_is_file, value)):
        return [readable(item) for item in value]
    if not _is_file(value):
        return value
    if isinstance(value, tuple):  # (name, file, media type) of the OpenAI client
        return readable(value[1])
    file = getattr(value, "file", value)
    file.seek(0)
    return file.read()


def _is_file(value: Any) -> bool:
    if isinstance(value, tuple):
        return len(value) in (2, 3, 4) and (isinstance(value[1], bytes) or _is_file(value[1]))
    return hasattr(getattr(value, "file", value), "seek") and hasattr(getattr(value, "file", value), "read")


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
