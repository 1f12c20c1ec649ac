"""From what LiteLLM hands over to a plan and a job. LiteLLM's own arguments end here.

LiteLLM gives the deployment hook everything, and a handler most of it in other places: `Given` is the
common form. A field belongs to the client when the client's body has it, else to the operator; without
a proxy there is one caller and everything is the client's.
"""

import asyncio
import math
import sys
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

import litellm
import orjson
from litellm.responses.utils import ResponsesAPIRequestUtils
from litellm.types.utils import CallTypes, all_litellm_params

from litellm_imagegen import engine
from litellm_imagegen.canonical import Message, Notice, NoticeCode
from litellm_imagegen.dialects import parse_chat, parse_edits, parse_images, parse_responses
from litellm_imagegen.engine import Job
from litellm_imagegen.errors import InvalidParameter, RequestError, quote
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.bypass import Bypass, answers_may_be_blocked
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.plugin.conversations import CONVERSATIONS
from litellm_imagegen.plugin.ledgers import current_ledger
from litellm_imagegen.plugin.records import TOKEN, Prepared
from litellm_imagegen.profiles import Profile, rows_of
from litellm_imagegen.providers import PROVIDERS, Provider

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
# What a deployment shows its provider beside the key.
ACCESS_OPTIONS = frozenset(name for provider in PROVIDERS.values() for name in provider.option_variables)
_OWNED = frozenset(all_litellm_params) | _SERVED_BY_LITELLM | ACCESS_OPTIONS
_PRICE = "cost_per_"
_EARLIER = "previous_response_id"


class Route(StrEnum):
    """The kinds of requests that are served."""

    CHAT = "chat"
    RESPONSES = "responses"
    GENERATIONS = "generations"
    EDITS = "edits"


PARSERS: Mapping[Route, engine.Parse] = {
    Route.CHAT: parse_chat,
    Route.RESPONSES: parse_responses,
    Route.GENERATIONS: parse_images,
    Route.EDITS: parse_edits,
}
_CALL_TYPES: Mapping[CallTypes | None, Route] = {
    CallTypes.acompletion: Route.CHAT,
    CallTypes.aresponses: Route.RESPONSES,
    CallTypes.aimage_generation: Route.GENERATIONS,
    CallTypes.aimage_edit: Route.EDITS,
}


def route_of(call_type: CallTypes | None) -> Route | None:
    """The kind of request that LiteLLM calls a hook for, None for one that is not served."""
    return _CALL_TYPES.get(call_type)


@dataclass(frozen=True)
class Given:
    """One call as LiteLLM hands it over, brought into one form."""

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

    @classmethod
    def to_hook(cls, arguments: Mapping[str, Any], route: Route) -> "Given":
        """From the arguments of the deployment hook."""
        proxy_request = _mapping(arguments.get("proxy_server_request"))
        # LiteLLM keeps what it knows of key and team apart where the client's metadata has a meaning.
        has_own = route in (Route.EDITS, Route.RESPONSES)
        metadata = arguments.get("litellm_metadata" if has_own else "metadata")
        return cls(
            model=str(arguments["model"]),
            fields={name: readable(value) for name, value in arguments.items()},
            model_info=_mapping(arguments.get("model_info")),
            metadata=_mapping(metadata),
            client_body=_mapping(proxy_request["body"]) if "body" in proxy_request else None,
            client_headers=_mapping(proxy_request.get("headers")),
            timeout=arguments.get("timeout"),
            litellm_params=arguments,
            route=route,
        )

    @classmethod
    def to_handler(cls, arguments: Mapping[str, Any], route: Route) -> "Given":
        """From the arguments of a handler, when no hook has run: Python without the callback, or sync.

        For pictures LiteLLM has dropped most fields by then, and hands its own arguments over among the rest.
        """
        optional = _mapping(arguments.get("optional_params"))
        parameters = _mapping(arguments.get("litellm_params")) if route is Route.CHAT else optional
        proxy_request = _mapping(parameters.get("proxy_server_request"))
        own = {name: arguments[name] for name in ("messages", "prompt", "image") if name in arguments}
        return cls(
            model=str(arguments["model"]),
            fields={name: readable(value) for name, value in {**optional, **own}.items()},
            model_info=_mapping(parameters.get("model_info")),
            metadata=_mapping(parameters.get("metadata")),
            client_body=_mapping(proxy_request["body"]) if "body" in proxy_request else None,
            client_headers=_mapping(proxy_request.get("headers")),
            timeout=arguments.get("timeout"),
            litellm_params=parameters,
            route=route,
        )

    @property
    def access(self) -> Access:
        """What the deployment shows to its provider, without what the client has sent."""
        sent_by_client = {name.lower() for name in _client_headers(self.client_body or {})}
        given = {**_mapping(self.fields.get("headers")), **_mapping(self.fields.get("extra_headers"))}
        return Access(
            api_key=self.litellm_params.get("api_key"),
            api_base=self.litellm_params.get("api_base"),
            options={
                name: value if isinstance(value, str) else orjson.dumps(value).decode()
                for name in ACCESS_OPTIONS
                if (value := self.litellm_params.get(name)) and name not in (self.client_body or {})
            },
            headers={name: str(value) for name, value in given.items() if name.lower() not in sent_by_client},
        )

    def names_model(self, model_id: str) -> bool:
        """Whether the client itself named this very model, as a wildcard lets it."""
        sent = self.model if self.client_body is None else str(self.client_body.get("model", ""))
        return sent.endswith(model_id)


def make_plan(given: Given) -> Plan:
    """Parse and plan. Raises `RequestError`, `ConfigurationError` and `UnknownModel`."""
    settings = config.settings()
    deployment = config.deployment(given.model_info)
    name, model_id = config.split_model(given.model)
    team = config.overrides(_metadata_of(given, "user_api_key_team_metadata"), "team metadata.imagegen")
    key = config.overrides(_metadata_of(given, "user_api_key_metadata"), "key metadata.imagegen")
    preferences, notices = config.preferences(
        operator=(settings, deployment, team, key),
        client=_client_choices(given),
        locked=settings.locked,
    )
    body, defaults = _body_and_defaults(given)
    provider = config.provider_of(name, model_id)
    plan = engine.prepare(
        provider=provider,
        name=name,
        model=model_id,
        body=body,
        defaults={**deployment.defaults, **defaults},
        preferences=preferences,
        limits=settings.limits,
        locked=settings.locked,
        notices=(*notices, *_dropped_headers(given)),
        deadline_seconds=(
            _deadline(given) or key.timeout or team.timeout or deployment.timeout or settings.timeout
        ),
        is_priced=not _operator_prices(given),
        model_is_clients=given.names_model(model_id),
        drops_unsupported=given.litellm_params.get("drop_params") is True or litellm.drop_params is True,
        own_rows=(*_row_of_base_model(given, provider, model_id), *config.own_rows(provider.name)),
        goes_to_successor=deployment.successor,
        answers_are_watched=_waits_for_whole_answer(given),
        parse=_parse(given),
    )
    if plan.wants_picture and _draws_nothing(name, model_id):
        raise RequestError(f"model: {quote(model_id)} answers in words only; {_image_models()}", "model")
    return plan


def _draws_nothing(provider: str, model_id: str) -> bool:
    """Whether LiteLLM's model map knows that a model gives no pictures."""
    known = litellm.model_cost.get(f"{provider}/{model_id}") or {}
    modalities = known.get("supported_output_modalities")
    return isinstance(modalities, list) and "image" not in modalities and known.get("mode") == "chat"


def _image_models() -> str:
    """The deployments of this proxy that draw, for a message."""
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    deployments = getattr(router, "model_list", None) or ()
    names = []
    for deployment in deployments:
        model = str(_mapping(deployment.get("litellm_params")).get("model", ""))
        provider, _, model_id = model.removeprefix(f"{config.PREFIX}/").partition("/")
        if model.startswith(f"{config.PREFIX}/") and not _draws_nothing(provider, model_id):
            names.append(str(deployment.get("model_name")))
    return f"image models here: {', '.join(sorted(set(names))[:10])}" if names else "name an image model"


def _row_of_base_model(given: Given, provider: Provider, model_id: str) -> Iterator[Profile]:
    """The row of the model that a deployment's own name stands for, as `model_info.base_model` says."""
    base = str(given.model_info.get("base_model") or "").rpartition("/")[2]
    family = provider.wire(model_id).family
    for row in rows_of(family):
        if base in (row.id, *row.former_ids):
            yield row.model_copy(update={"id": model_id})
            return


def prepare(given: Given) -> Prepared:
    """A plan, and what else a handler needs of the request. Raises as `make_plan`."""
    plan = make_plan(given)
    turns = None
    if given.route is Route.RESPONSES and given.fields.get("store") is not False:
        turns = plan.messages[1:] if given.fields.get("instructions") else plan.messages
    named = given.earlier_as_sent or given.fields.get(_EARLIER)
    return Prepared(plan, given.access, _bypass(given), turns, _owner(given), named)


def _waits_for_whole_answer(given: Given) -> bool:
    """Whether no picture is sent before LiteLLM, and whoever else, has the whole answer."""
    setting = _bypass(given)
    if given.route is Route.RESPONSES and (setting is Bypass.OFF or litellm.cache is not None):
        return True
    return setting is not Bypass.FORCE and answers_may_be_blocked()


def _bypass(given: Given) -> Bypass:
    return config.deployment(given.model_info).bypass or config.settings().bypass or Bypass.AUTO


def _parse(given: Given) -> engine.Parse:
    """How to read the body. A response may continue an earlier one. Raises `InvalidParameter`."""
    if given.route is not Route.RESPONSES:
        return PARSERS[given.route]
    owner = _owner(given)
    earlier: tuple[Message, ...] = ()
    named = given.fields.get(_EARLIER)
    if named is not None:
        if not isinstance(named, str):
            raise InvalidParameter(_EARLIER, named, "the id of a response")
        original = ResponsesAPIRequestUtils.decode_previous_response_id_to_original_previous_response_id
        names = (given.earlier_as_sent, original(named))
        found = next(filter(None, (CONVERSATIONS.find(owner, name) for name in names if name)), None)
        if found is None:
            raise InvalidParameter(_EARLIER, named, "the id of one of the latest responses that were stored")
        earlier = found.turns
    return partial(parse_responses, earlier=earlier, picture_of=partial(CONVERSATIONS.picture, owner))


def _owner(given: Given) -> Hashable:
    """Whose the conversation is: a team's, or else a key's or, where there are no keys, a user's."""
    for name in ("user_api_key_team_id", "user_api_key", "user_api_key_user_id"):
        if (whose := given.metadata.get(name)) is not None:
            return name, whose
    return None


async def make_job(prepared: Prepared, arguments: Mapping[str, Any]) -> Job:
    """A plan and a handler's arguments make a job. Raises `AuthenticationFailed` without a key."""
    name, model_id = config.split_model(str(arguments["model"]))
    provider = config.provider_of(name, model_id)
    access = replace(
        prepared.access,
        api_key=arguments.get("api_key") or prepared.access.api_key,
        api_base=arguments.get("api_base") or prepared.access.api_base,
        headers=prepared.access.headers or _handlers_headers(arguments),
    )
    settings = config.settings()
    connect = partial(config.endpoint, name, provider, access)
    return Job(
        plan=prepared.plan,
        provider=provider,
        endpoint=await asyncio.to_thread(connect) if provider.connects_slowly else connect(),
        limits=settings.limits,
        fetch_rules=settings.fetch.rules,
        ledger=current_ledger(),
    )


def _handlers_headers(arguments: Mapping[str, Any]) -> dict[str, str]:
    proxy_request = _mapping(_mapping(arguments.get("litellm_params")).get("proxy_server_request"))
    sent_by_client = {name.lower() for name in _client_headers(_mapping(proxy_request.get("body")))}
    return {
        name: str(value)
        for name, value in _mapping(arguments.get("headers")).items()
        if name.lower() not in sent_by_client
    }


def _body_and_defaults(given: Given) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the client sent and what the operator set, without LiteLLM's own arguments."""
    body: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    dropped = given.litellm_params.get("additional_drop_params") or ()
    for key, value in given.fields.items():
        if key in ("messages", "input", "instructions", "stream"):
            body[key] = value
        elif key in dropped or key in _OWNED:
            continue
        elif given.client_body is not None and key in given.client_body:
            body[key] = value
        elif _is_request_field(key):
            (body if given.client_body is None else defaults)[key] = value
    extra = body.get("extra_body")
    if isinstance(extra, Mapping):
        body["extra_body"] = {key: value for key, value in extra.items() if key != config.PREFIX}
    return body, defaults


def configured_defaults(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that a deployment of a proxy's configuration holds, in its two places."""
    parameters = _mapping(deployment.get("litellm_params"))
    own = config.deployment(deployment.get("model_info")).defaults
    return {**own, **{key: value for key, value in parameters.items() if _is_request_field(key)}}


def _is_request_field(key: str) -> bool:
    return key not in _OWNED and not key.startswith(("_", "litellm_"))


def _client_choices(given: Given) -> list[tuple[str, Any]]:
    """`imagegen` in the body, in `extra_body`, and the headers: the headers count last."""
    choices = []
    body = given.fields if given.client_body is None else given.client_body
    for place, holder in (("", body), ("extra_body.", _mapping(body.get("extra_body")))):
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


def _metadata_of(given: Given, key: str) -> Any:
    return _mapping(given.metadata.get(key)).get(config.PREFIX)


def _dropped_headers(given: Given) -> tuple[Notice, ...]:
    """Headers to the provider belong to the operator: a client's are not sent."""
    names = ", ".join(sorted(_client_headers(given.client_body or {})))
    if not names:
        return ()
    why = "headers to the provider belong to the operator"
    return (Notice(code=NoticeCode.UNSUPPORTED, field="extra_headers", asked=quote(names)[:100], why=why),)


def _client_headers(body: Mapping[str, Any]) -> list[str]:
    """Names of the headers that a client wants to send to the provider."""
    return [str(name) for field in ("headers", "extra_headers") for name in _mapping(body.get(field))]


def _deadline(given: Given) -> float | None:
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


def _operator_prices(given: Given) -> bool:
    """Whether the deployment has its own price: LiteLLM then works the cost out."""
    sent = given.client_body or {}
    priced = {**given.model_info, **given.litellm_params}
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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
