"""The callback: what has to be done where LiteLLM calls a hook.

It parses and plans before LiteLLM drops fields, decides how a stream is sent, puts right what the bridge
to responses has lost, keeps pictures out of logs, and adds our response headers. It also puts the provider
back where a config's `custom_provider_map` has overwritten it.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import litellm
import orjson
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.llms.openai import ResponsesAPIResponse
from litellm.types.utils import CallTypes

from litellm_imagegen.canonical import ChatShape, ImageInput, ResponseShape, Surface
from litellm_imagegen.errors import ClientGone, InvalidParameter, RequestError
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.adoption import adopt
from litellm_imagegen.plugin.bridge_deployment import is_parameter
from litellm_imagegen.plugin.bypass import answers_are_looked_at
from litellm_imagegen.plugin.catalogs import CATALOGS
from litellm_imagegen.plugin.client import Client
from litellm_imagegen.plugin.conversations import Recalled
from litellm_imagegen.plugin.exceptions import translated
from litellm_imagegen.plugin.given import (
    ACCESS_OPTIONS,
    CREDENTIAL,
    Given,
    Route,
    client_of,
    load_credential,
    route_of,
)
from litellm_imagegen.plugin.health import calls_nobody, is_health_check, model_info_of
from litellm_imagegen.plugin.image_events import ImageEvents
from litellm_imagegen.plugin.records import (
    TOKEN,
    Adopted,
    Prepared,
    find_record,
    is_served_here,
    mark,
    record_of,
)
from litellm_imagegen.plugin.redaction import (
    noted_parameters,
    redact_log_arguments,
    redact_request,
    redacted,
    watch,
)
from litellm_imagegen.plugin.requests import prepare, recall
from litellm_imagegen.plugin.responding import ECHOED, completed, keep_conversation
from litellm_imagegen.plugin.response_events import ResponseEvents
from litellm_imagegen.plugin.routing import begin_at_once
from litellm_imagegen.plugin.vault import Vault, current_vault
from litellm_imagegen.surfaces.metadata import notices_header

# LiteLLM refuses these for every custom provider; the plan holds a notice of them by now.
_REFUSED_BY_LITELLM = ("reasoning_effort", "thinking", "verbosity")
_HIDDEN_BY_LITELLM = frozenset({"api_key", "api_base", "custom_llm_provider"})
# The plan has read these, and LiteLLM would look for them in vain, or refuse them.
_READ_BY_US = ("previous_response_id", "reasoning")
_SERVED = "call /v1/chat/completions, /v1/responses, /v1/images/generations or /v1/images/edits"
# Endpoints whose answers have no place for a picture: nothing is drawn there, nothing paid.
_NOT_SERVED = {
    CallTypes.anthropic_messages: f"/v1/messages cannot show a picture; {_SERVED}",
    CallTypes.atext_completion: f"/v1/completions cannot show a picture; {_SERVED}",
}
_PROVIDER = "custom_llm_provider"
_LARGE_REQUEST_BYTES = 1024 * 1024
# What the proxy calls the requests of the routes that we serve.
_CALLS_OF_OUR_ROUTES = frozenset(
    {"completion", "acompletion", "aresponses", "image_generation", "aimage_edit"}
)


class ImagegenCallback(CustomLogger):
    """`register_provider` puts our provider into LiteLLM's map; it is called again before every request."""

    def __init__(self, register_provider: Any) -> None:
        super().__init__()
        self._register_provider = register_provider

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> None:
        """On a route we serve: its vault is for the call that begins here."""
        vault = current_vault()
        if vault is not None and vault.owner is None and call_type in _CALLS_OF_OUR_ROUTES:
            vault.owner, vault.request = data.get("litellm_logging_obj"), data
            vault.client = Client.at_door(user_api_key_dict, data)
            # LiteLLM's own hooks come later, and put the id into their own form.
            named = data.get("previous_response_id")
            vault.previous_response_id = named if isinstance(named, str) else None

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: CallTypes | None
    ) -> dict[str, Any] | None:
        """Plan a request for one deployment and leave the plan's token in the arguments."""
        route = route_of(call_type)
        if route is None:
            if call_type in _NOT_SERVED and _has_prefix(kwargs):
                with translated(str(kwargs.get("model"))):
                    raise RequestError(_NOT_SERVED[call_type])
            return None
        request = kwargs.get("litellm_logging_obj")
        record = find_record(request)
        if record is not None and record.knows(kwargs.get(TOKEN)) and _names_us(kwargs):
            begin_at_once(kwargs)  # LiteLLM's bridge from responses to chat: the plan is made
            return kwargs
        client, vault = _client(kwargs, route), _own_vault(kwargs)
        if is_health_check(kwargs):
            kwargs = {**kwargs, "model_info": model_info_of(kwargs)}
        with translated(str(kwargs.get("model"))):
            adopted = None if _is_ours(kwargs, client) else adopt(kwargs, route, client)
            if vault is not None and vault.client_gone.is_set():  # LiteLLM tries once more, or another model
                raise ClientGone
        if not _is_ours(kwargs, client):
            if _names_us(kwargs):  # a client does, of what is not ours
                with translated(str(kwargs.get("model"))):
                    raise InvalidParameter(_PROVIDER, config.PREFIX, "nothing: it is the operator's to say")
            if record is not None:  # a fallback to a foreign model: ours have nothing to say about it
                record.notices, record.outcome = (), None
                mark(request, is_served_here=False)
            return kwargs if vault is not None and _gave_way(vault, kwargs) else None
        self._register_provider()
        if _PROVIDER in kwargs:  # LiteLLM lets clients say it, and would call whom they say
            kwargs[_PROVIDER] = config.PREFIX
        if request is None:  # Python with an older LiteLLM: the handler plans, and gets all it needs for chat
            return None
        mark(request)
        watch(request)
        if CREDENTIAL in kwargs:
            load_credential(kwargs, Given.to_hook(kwargs, route, client))
        prepared = await _plan(kwargs, route, client, adopted)
        kwargs.pop(CREDENTIAL, None)  # LiteLLM would show it
        kwargs[TOKEN] = record_of(request).add(prepared)
        if vault is not None:
            vault.notices, vault.serves_stream = prepared.plan.notices, prepared.plan.stream
            if route is Route.GENERATIONS:  # LiteLLM makes the logging object anew for each try
                vault.owner = request
            _go_live(vault, prepared, route, kwargs)
        if litellm.cache is not None:
            kwargs["cache"] = _cache_control(kwargs, prepared)
        _keep_access(kwargs, prepared)
        for name in (*_REFUSED_BY_LITELLM, *_READ_BY_US):
            kwargs.pop(name, None)
        if route is Route.CHAT:
            begin_at_once(kwargs)
        return kwargs

    async def async_post_call_success_deployment_hook(
        self, request_data: dict[str, Any], response: Any, call_type: CallTypes | None
    ) -> Any:
        """A whole response with all that LiteLLM's bridge from chat has lost of it."""
        record = find_record(request_data.get("litellm_logging_obj"))
        if record is None or record.outcome is None or not isinstance(response, ResponsesAPIResponse):
            return None
        outcome, record.outcome = record.outcome, None
        return await completed(response, outcome, request_data)

    async def async_logging_hook(
        self, kwargs: dict[str, Any], result: Any, call_type: str
    ) -> tuple[dict[str, Any], Any]:
        """Before LiteLLM hands a success to its log sinks: facts in the place of pictures."""
        try:
            return await asyncio.to_thread(self.logging_hook, kwargs, result, call_type)
        except RuntimeError:  # a program that ends has no threads any more, and LiteLLM logs what is left
            return self.logging_hook(kwargs, result, call_type)

    def logging_hook(self, kwargs: dict[str, Any], result: Any, call_type: str) -> tuple[dict[str, Any], Any]:
        """The same for LiteLLM's synchronous sinks."""
        if not is_served_here(kwargs):
            return kwargs, result
        redact_log_arguments(kwargs)
        return kwargs, redacted(result)

    async def async_post_call_response_headers_hook(
        self,
        data: dict[str, Any],
        user_api_key_dict: Any,
        response: Any,
        request_headers: dict[str, str] | None = None,
        litellm_call_info: dict[str, object] | None = None,
    ) -> dict[str, str] | None:
        """`x-imagegen-notices` with what the plan has to say."""
        holder = find_record(data.get("litellm_logging_obj")) or current_vault()
        notices = notices_header(holder.notices) if holder is not None else None
        return {"x-imagegen-notices": notices} if notices else None


def _go_live(vault: Vault, prepared: Prepared, route: Route, kwargs: dict[str, Any]) -> None:
    """Send a stream in our own form where LiteLLM has none for it."""
    plan = prepared.plan
    if not plan.stream or route is Route.CHAT:
        return
    headers = {"x_litellm_call_id": str(kwargs.get("litellm_call_id") or "")}
    headers["x_imagegen_notices"] = notices_header(plan.notices) or ""
    if vault.live is None and vault.has_started:
        return  # somebody else's stream, which this deployment goes on with, is on its way
    if route is Route.RESPONSES:
        echoed = {name: kwargs[name] for name in ECHOED if kwargs.get(name) is not None}
        echoed["previous_response_id"] = prepared.previous_response_id
        ended = partial(keep_conversation, prepared)
        if isinstance(vault.live, ResponseEvents):
            vault.live.planned(echoed, ended)
        else:
            shape = plan.preferences.responses or ResponseShape.ITEMS
            vault.go_live(ResponseEvents(vault, shape, echoed=echoed, ended=ended, headers=headers))
        return
    _make_whole(vault, kwargs)
    if vault.live is None:
        operation = "image_edit" if route is Route.EDITS else "image_generation"
        vault.go_live(ImageEvents(vault, operation, headers=headers))


def _make_whole(vault: Vault, kwargs: dict[str, Any]) -> None:
    """Let LiteLLM make, and log, a whole answer of what we stream."""
    kwargs.pop("stream", None)
    if vault.request is not None:
        vault.request.pop("stream", None)
    if (request := kwargs.get("litellm_logging_obj")) is not None:
        request.stream = False


def _keep_access(kwargs: dict[str, Any], prepared: Prepared) -> None:
    """Leave key and address in the arguments as the operator has them, and nothing else of what is shown.

    That stays with the plan: LiteLLM would log it as it stands.
    """
    for name in ("api_key", "api_base", "base_url"):
        kwargs.pop(name, None)
    own = {"api_key": prepared.access.api_key, "api_base": prepared.access.api_base}
    kwargs.update({name: value for name, value in own.items() if value})
    for holder in (kwargs, *noted_parameters(kwargs["litellm_logging_obj"])):
        for name in [name for name in holder if _is_shown(name, prepared)]:
            holder.pop(name)


def _is_shown(name: str, prepared: Prepared) -> bool:
    """Whether an argument is what a deployment shows its provider, beside the key, which LiteLLM hides."""
    of_litellms = prepared.access.parameters and is_parameter(name)
    return name in ACCESS_OPTIONS or bool(of_litellms and name not in _HIDDEN_BY_LITELLM)


def _own_vault(kwargs: dict[str, Any]) -> Vault | None:
    """The vault of the request that this call was made for; other calls may be made on the way."""
    vault = current_vault()
    if vault is None or vault.request is None or "proxy_server_request" not in kwargs:
        return None
    # What LiteLLM's router tries out in the shadow of a request has the arguments of that one.
    return None if (kwargs.get("metadata") or {}).get("is_silent_experiment") else vault


def _client(kwargs: dict[str, Any], route: Route) -> Client:
    """Who has sent a request, as it was found at the door, of whatever call is made for it."""
    vault = current_vault()
    found = None if vault is None or "proxy_server_request" not in kwargs else vault.client
    return found or client_of(kwargs, route)


def _gave_way(vault: Vault, kwargs: dict[str, Any]) -> bool:
    """Leave a request's answer to another model; whether its arguments are others for it."""
    vault.notices, vault.serves_stream = (), False
    if isinstance(vault.live, ResponseEvents):
        vault.live.give_way()
    if not isinstance(vault.live, ImageEvents):
        return False
    _make_whole(vault, kwargs)
    return True


async def _plan(kwargs: dict[str, Any], route: Route, client: Client, adopted: Adopted | None) -> Prepared:
    """The plan of a request. Looks first for what only others know: a catalog, another worker."""

    def given() -> Given:
        earlier = vault.previous_response_id if (vault := _own_vault(kwargs)) is not None else None
        return replace(Given.to_hook(kwargs, route, client), adopted=adopted, earlier_as_sent=earlier)

    listed = await CATALOGS.rows(str(kwargs["model"]), lambda: given().access)
    recalled = await recall(given()) if route is Route.RESPONSES else Recalled()
    work = partial(_prepared, kwargs, lambda: replace(given(), listed=listed, recalled=recalled))
    prepared = await asyncio.to_thread(work) if _is_large(kwargs) else work()
    nobody = is_health_check(kwargs) and calls_nobody(kwargs.get("model_info") or {})
    return replace(prepared, calls_nobody=nobody)


def _prepared(kwargs: dict[str, Any], given: Callable[[], Given]) -> Prepared:
    try:
        with translated(str(kwargs.get("model"))):
            return prepare(given())
    finally:  # what cannot be planned is logged too
        if kwargs.get("proxy_server_request"):
            vault = current_vault()
            kept = None if vault is None or answers_are_looked_at() else vault.request
            redact_request(kwargs, kept)


def _is_large(kwargs: dict[str, Any]) -> bool:
    """Whether reading the request's pictures would hold up the event loop."""
    headers = (kwargs.get("proxy_server_request") or {}).get("headers") or {}
    length = str(headers.get("content-length", ""))
    return not length.isdecimal() or int(length) > _LARGE_REQUEST_BYTES


def _cache_control(kwargs: dict[str, Any], prepared: Prepared) -> dict[str, Any]:
    """LiteLLM's cache keys know the fields of text models only: our namespace tells plans apart."""
    given, plan = kwargs.get("cache") or {}, prepared.plan
    has_parts = plan.surface is Surface.CHAT and plan.preferences.output is ChatShape.PARTS
    # LiteLLM replays a cached stream without its pictures, and cannot read a cached content of parts. What
    # an earlier response has led to is not in its key, and belongs to one owner alone.
    if kwargs.get("stream") or has_parts or prepared.previous_response_id:
        return {**given, "no-cache": True, "no-store": True}
    metadata = kwargs.get("metadata") or {}
    outer = (
        given.get("namespace") or metadata.get("redis_namespace") or getattr(litellm.cache, "namespace", None)
    )
    values = {str(name): value for name, value in plan.values.items()}
    shown = plan.preferences.model_dump(mode="json")
    told = orjson.dumps(
        [plan.provider, plan.model, values, plan.output, shown],
        default=_told_apart,
        option=orjson.OPT_SORT_KEYS,
    )
    own = f"imagegen-{hashlib.sha256(told).hexdigest()}"
    return {**given, "namespace": f"{outer}:{own}" if outer else own}


def _told_apart(value: Any) -> Any:
    """What tells one mask from another."""
    if isinstance(value, ImageInput):
        return value.url if value.blob is None else value.blob.facts["sha256"]
    raise TypeError(f"{type(value).__name__} cannot be part of a cache key")


def _has_prefix(kwargs: dict[str, Any]) -> bool:
    return str(kwargs.get("model", "")).startswith(f"{config.PREFIX}/")


def _names_us(kwargs: dict[str, Any]) -> bool:
    """By our prefix, or by our provider's name beside the model."""
    return _has_prefix(kwargs) or kwargs.get(_PROVIDER) == config.PREFIX


def _is_ours(kwargs: dict[str, Any], client: Client) -> bool:
    """Whether the operator names us."""
    return _has_prefix(kwargs) or (_names_us(kwargs) and _PROVIDER not in client.names)
