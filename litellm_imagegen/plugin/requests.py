"""From a call to a plan and a job: whose settings are in force, what the response before it has led to."""

import asyncio
import sys
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import litellm
from litellm.responses.utils import ResponsesAPIRequestUtils

from litellm_imagegen import engine
from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Message
from litellm_imagegen.dialects import parse_chat, parse_edits, parse_images, parse_responses
from litellm_imagegen.engine import Job
from litellm_imagegen.errors import InvalidParameter, RequestError, quote
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin import bridge_deployment, config
from litellm_imagegen.plugin.adoption import served_model
from litellm_imagegen.plugin.bridge_support import serving
from litellm_imagegen.plugin.bypass import answers_may_be_blocked
from litellm_imagegen.plugin.config import Access, Bypass
from litellm_imagegen.plugin.conversations import CONVERSATIONS, Recalled
from litellm_imagegen.plugin.given import (
    Given,
    Route,
    body_and_defaults,
    client_choices,
    client_headers,
    deadline,
    mapping,
    operator_prices,
    overrides_of,
)
from litellm_imagegen.plugin.ledgers import current_ledger
from litellm_imagegen.plugin.records import Prepared
from litellm_imagegen.plugin.shared_conversations import SHARED_CONVERSATIONS
from litellm_imagegen.profiles import Profile, known_row
from litellm_imagegen.providers import Provider, Via
from litellm_imagegen.wires.litellm_images import EDIT, GENERATION

_EARLIER = "previous_response_id"
_BY_ID = ("image_generation_call", "item_reference")

PARSERS: Mapping[Route, engine.Parse] = {
    Route.CHAT: parse_chat,
    Route.RESPONSES: parse_responses,
    Route.GENERATIONS: parse_images,
    Route.EDITS: parse_edits,
}


def make_plan(given: Given) -> Plan:
    """Parse and plan. Raises `RequestError`, `ConfigurationError` and `UnknownModel`."""
    settings = config.settings()
    deployment = config.deployment(given.model_info)
    name, provider, model_id = config.upstream_of(given.model)
    key, team = overrides_of(given)
    preferences, notices = config.preferences(
        operator=(settings, deployment, team, key),
        client=client_choices(given),
        locked=settings.locked,
    )
    body, defaults = body_and_defaults(given)
    plan = engine.prepare(
        provider=provider,
        name=name,
        model=model_id,
        body=body,
        defaults={**deployment.defaults, **defaults},
        preferences=preferences,
        limits=settings.limits,
        locked=settings.locked,
        notices=notices,
        deadline_seconds=(
            deadline(given) or key.timeout or team.timeout or deployment.timeout or settings.timeout
        ),
        is_priced=not operator_prices(given),
        model_is_clients=given.names_model(model_id),
        drops_unsupported=given.litellm_params.get("drop_params") is True or litellm.drop_params is True,
        own_rows=(
            *_row_of_base_model(given, provider, model_id),
            *config.own_rows(provider.name),
            *given.listed,
        ),
        goes_to_successor=deployment.successor,
        answers_are_watched=_waits_for_whole_answer(given),
        wire=deployment.wire,
        parse=_parse(given),
    )
    if plan.wants_picture and _draws_nothing(name, model_id):
        raise RequestError(f"model: {quote(model_id)} answers in words only; {_image_models()}", "model")
    if provider.via is Via.LITELLM:
        _check_bridge(name, plan, given.access)
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
        parameters, model_info = (mapping(deployment.get(name)) for name in ("litellm_params", "model_info"))
        model = served_model(parameters, model_info) or ""
        provider, _, model_id = model.removeprefix(f"{config.PREFIX}/").partition("/")
        if model and not _draws_nothing(provider, model_id):
            names.append(str(deployment.get("model_name")))
    return f"image models here: {', '.join(sorted(set(names))[:10])}" if names else "name an image model"


def _row_of_base_model(given: Given, provider: Provider, model_id: str) -> Iterator[Profile]:
    """The row of the model that a deployment's own name stands for, as `model_info.base_model` says."""
    base = str(given.model_info.get("base_model") or "").rpartition("/")[2]
    wire = provider.wire(model_id)
    if (row := known_row(wire.family, base, provider.rows)) is not None:
        yield row.model_copy(update={"id": model_id.removeprefix(wire.prefix)})


def prepare(given: Given) -> Prepared:
    """A plan, and what else a handler needs of the request. Raises as `make_plan`."""
    plan = make_plan(given)
    turns = None
    if given.route is Route.RESPONSES and given.fields.get("store") is not False:
        turns = plan.messages[1:] if given.fields.get("instructions") else plan.messages
    named = given.earlier_as_sent or given.fields.get(_EARLIER)
    return Prepared(plan, given.access, _bypass(given), turns, _owner(given), named, given.adopted)


def _check_bridge(name: str, plan: Plan, access: Access) -> None:
    """Refuse what LiteLLM itself cannot do before it goes on: some calls it would send to somebody else.

    Raises `RequestError`.
    """
    shown = bridge_deployment.endpoint(name, access.parameters)
    serving(EDIT if plan.references else GENERATION, plan.model, shown)


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
    named, recalled = given.fields.get(_EARLIER), given.recalled
    if named is not None and not isinstance(named, str):
        raise InvalidParameter(_EARLIER, named, "the id of a response")
    earlier = recalled.turns if recalled.turns is not None else _turns_up_to(owner, _names_of_earlier(given))
    if earlier is None and named is not None:
        raise InvalidParameter(_EARLIER, named, "the id of one of the latest responses that were stored")

    def picture_of(item_id: str) -> Blob | None:
        return recalled.pictures.get(item_id) or CONVERSATIONS.picture(owner, item_id)

    return partial(parse_responses, earlier=earlier or (), picture_of=picture_of)


async def recall(given: Given) -> Recalled:
    """What a request for a response goes on from, and the pictures that it refers to, wherever they are kept.

    Other workers' are asked for only where this process does not have them. Raises nothing.
    """
    owner, names = _owner(given), _names_of_earlier(given)
    items = _items_without_picture(given.fields.get("input"))
    turns = _turns_up_to(owner, names)
    pictures = {item: blob for item in items if (blob := CONVERSATIONS.picture(owner, item)) is not None}
    others = await SHARED_CONVERSATIONS.find(
        owner, () if turns is not None else names, [item for item in items if item not in pictures]
    )
    return Recalled(others.turns if turns is None else turns, {**pictures, **others.pictures})


def _names_of_earlier(given: Given) -> list[str]:
    """What the response that this one goes on from may be known by."""
    named = given.fields.get(_EARLIER)
    if not isinstance(named, str):
        return []
    original = ResponsesAPIRequestUtils.decode_previous_response_id_to_original_previous_response_id
    return [name for name in (given.earlier_as_sent, original(named)) if name]


def _turns_up_to(owner: Hashable, names: list[str]) -> tuple[Message, ...] | None:
    found = next(filter(None, (CONVERSATIONS.find(owner, name) for name in names)), None)
    return None if found is None else found.turns


def _items_without_picture(given: Any) -> list[str]:
    """The ids of those items of an input that stand for a picture by their id alone."""
    items = (item for item in (given if isinstance(given, list) else ()) if isinstance(item, Mapping))
    named = (item.get("id") for item in items if item.get("type") in _BY_ID and item.get("result") is None)
    return [item_id for item_id in named if isinstance(item_id, str)]


def _owner(given: Given) -> Hashable:
    """Whose the conversation is: a team's, or else a key's or, where there are no keys, a user's."""
    for name in ("user_api_key_team_id", "user_api_key", "user_api_key_user_id"):
        if (whose := given.metadata.get(name)) is not None:
            return name, whose
    return None


async def make_job(prepared: Prepared, arguments: Mapping[str, Any]) -> Job:
    """A plan and a handler's arguments make a job. Raises `AuthenticationFailed` without a key."""
    upstream = config.upstream_of(str(arguments["model"]))
    provider = upstream.provider
    access = replace(
        prepared.access,
        api_key=arguments.get("api_key") or prepared.access.api_key,
        api_base=arguments.get("api_base") or prepared.access.api_base,
        parameters={**_handlers_access(arguments), **prepared.access.parameters},
    )
    settings = config.settings()
    connect = partial(config.endpoint, upstream, access, provider.wire_named(prepared.plan.wire))
    return Job(
        plan=prepared.plan,
        provider=provider,
        endpoint=await asyncio.to_thread(connect) if provider.connects_slowly else connect(),
        limits=settings.limits,
        fetch_rules=settings.fetch.rules,
        ledger=current_ledger(),
    )


def _handlers_access(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What LiteLLM hands over apart from the rest, and in some calls alone."""
    return {name: arguments[name] for name in ("api_key", "api_base") if arguments.get(name)}


def handlers_headers(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Headers for the provider, of the arguments of a handler for which no hook has run."""
    proxy_request = mapping(mapping(arguments.get("litellm_params")).get("proxy_server_request"))
    if "headers" in (proxy_request.get("credential_fields") or ()):  # the client's, which LiteLLM notes apart
        return {}
    sent_by_client = {name.lower() for name in client_headers(mapping(proxy_request.get("body")))}
    return {
        name: str(value)
        for name, value in mapping(arguments.get("headers")).items()
        if name.lower() not in sent_by_client
    }
