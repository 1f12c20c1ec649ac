"""Which of LiteLLM's own deployments are answered here too, and as which model of ours.

A deployment is adopted if its model draws: it has a row here, or LiteLLM's model map or the deployment's
`model_info` say so. Text models draw with a tool at most (GPT-5): they are adopted for requests that ask for
a picture, and left alone for all others. `adopt` of the settings, or of the deployment, decides otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import litellm

from litellm_imagegen.canonical import Name
from litellm_imagegen.errors import ConfigurationError, RequestError
from litellm_imagegen.plugin import bridge_deployment, config
from litellm_imagegen.plugin.bridge_support import serving
from litellm_imagegen.plugin.client import Client
from litellm_imagegen.plugin.config import Overrides
from litellm_imagegen.plugin.given import (
    PATHS,
    PRICES,
    VERTEX_OF_LITELLM,
    Given,
    Route,
    credential_of,
    is_operators,
    mapping,
    overrides_of,
)
from litellm_imagegen.plugin.health import is_health_check
from litellm_imagegen.plugin.records import Adopted
from litellm_imagegen.profiles import begins_as, known_row
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.wires.litellm_images import EDIT, GENERATION

# LiteLLM's names of the providers that we call ourselves.
_OURS: Mapping[str, str] = {
    "gemini": "gemini",
    **dict.fromkeys(VERTEX_OF_LITELLM, "vertex"),
    "black_forest_labs": "bfl",
    "openai": "openai",
    "azure": "azure",
    "openrouter": "openrouter",
    "vercel_ai_gateway": "vercel",
    "helicone": "helicone",
}
_BRIDGE = "litellm"
_TOOL = "image_generation"
_BY_TOOL = "gpt_5"  # the family of models that draw with it
_SEARCHES = frozenset(
    {"googleSearch", "google_search", "googleSearchRetrieval", "web_search", "web_search_preview"}
)
_DRAWING_MODES = frozenset({"image_generation", "image_edit"})
# Other ways to show Azure who calls than a key: LiteLLM knows them. A token it would show in a call's body.
_AZURES_OWN = ("tenant_id", "client_id", "azure_username", "azure_scope")
_AZURES_TOKEN = "azure_ad_token"  # noqa: S105  # the name of a parameter
_OPENAIS_OWN_FORM = "/openai/v1"


def adopted(
    parameters: Mapping[str, Any],
    model_info: Mapping[str, Any],
    *,
    asks_for_picture: bool = True,
    nearer: Callable[[], Iterable[Overrides]] = tuple,
) -> Adopted | None:
    """What a deployment of LiteLLM's is here, None where it is left to LiteLLM.

    `parameters` are its `litellm_params`. Text models that can draw are adopted with `asks_for_picture`.
    `nearer` gives settings that go before the deployment's. Raises `ConfigurationError` for wrong settings,
    but of a model that is known to draw alone.
    """
    provider, model_id = _named(parameters)
    if not model_id or "*" in model_id or provider == config.PREFIX:
        return None
    is_forced = mapping(model_info.get(config.PREFIX)).get("adopt") is True
    ours = _ours(provider, parameters)
    entries = (model_info, _in_map(provider, model_id), _in_map(provider, _base_model(model_info)))
    if ours is None:
        if not any(map(_is_image_mode, entries)) or not _is_bridged(provider, model_id, parameters):
            return None
        ours = f"{_BRIDGE}/{provider}"
    elif not is_forced and not _draws(ours, provider, model_id, entries, asks_for_picture=asks_for_picture):
        return None
    if not _is_wanted(f"{provider}/{model_id}", model_info, nearer()):
        return None
    if provider == "azure" and not (parameters.get("api_key") or config.environment_key(PROVIDERS["azure"])):
        if parameters.get(_AZURES_TOKEN) or not any(map(parameters.get, _AZURES_OWN)):
            return None
        ours = f"{_BRIDGE}/{provider}"
    return Adopted(f"{config.PREFIX}/{ours}/{model_id}", provider, model_id)


def _is_wanted(model: str, model_info: Mapping[str, Any], nearer: Iterable[Overrides]) -> bool:
    """What the operator says of a model: a key, a team, the deployment, the settings, the first that does."""
    for setting in (*nearer, config.deployment(model_info), config.settings()):
        if isinstance(setting.adopt, bool):
            return setting.adopt
        if setting.adopt is not None:
            return any(fnmatchcase(model, pattern) for pattern in setting.adopt)
    return True


def served_model(parameters: Mapping[str, Any], model_info: Mapping[str, Any]) -> str | None:
    """The model that we answer a deployment of a config with, ours or adopted; None for foreign ones.

    Raises as `adopted`.
    """
    model = str(parameters.get("model", ""))
    if model.startswith(f"{config.PREFIX}/"):
        return model
    found = adopted(parameters, model_info, asks_for_picture=False)
    return None if found is None else found.model


def adopt(arguments: dict[str, Any], route: Route, client: Client) -> Adopted | None:
    """Let a call of LiteLLM's own come to us, if it is one that we answer; None, and as it was, if not.

    `arguments` are those of the deployment hook. What is called on the way of another request, or on another
    route, is nobody's business of ours. Raises as `adopted`.
    """
    path = urlsplit(str(client.request.get("url"))).path.rstrip("/")
    if not (path.endswith(PATHS[route]) or is_health_check(arguments)):
        return None
    if _searches(arguments) or _is_prompted_elsewhere(arguments):
        return None
    parameters = _own_parameters(arguments, route, client)
    found = adopted(
        {**credential_of(parameters), **parameters},
        mapping(arguments.get("model_info")),
        asks_for_picture=_asks_for_picture(arguments, route),
        nearer=lambda: overrides_of(Given.to_hook(arguments, route, client)),
    )
    if found is None:
        return None
    arguments["model"] = found.model
    if route not in (Route.CHAT, Route.RESPONSES):
        return found
    # LiteLLM would note them once more for each call, for our provider in the place of its own.
    prices = {name: parameters[name] for name in PRICES & parameters.keys()}
    for name in prices:
        del arguments[name]
    return replace(found, prices=prices)


def _own_parameters(arguments: Mapping[str, Any], route: Route, client: Client) -> Mapping[str, Any]:
    """The operator's arguments, with the deployment's own in the place of those that the client has sent."""
    sent = client.names & (arguments.keys() - {"model"})
    own = {name: value for name, value in arguments.items() if name not in sent}
    if not any(map(is_operators, sent)):
        return own
    deployment = Given.to_hook(arguments, route, client).deployment_parameters
    return own | {name: deployment[name] for name in sent if name in deployment}


def attribute(logging_object: Any, found: Adopted) -> None:
    """Have LiteLLM log a call under the names that it has for the deployment, from here on."""
    details = logging_object.model_call_details
    details["model"] = logging_object.model = found.model_id
    details["custom_llm_provider"] = logging_object.custom_llm_provider = found.provider
    parameters = details.get("litellm_params")
    if isinstance(parameters, dict):
        parameters.update(found.prices)
        if "custom_llm_provider" in parameters:
            parameters["custom_llm_provider"] = found.provider


def _searches(arguments: Mapping[str, Any]) -> bool:
    """Whether a model is to look something up, which LiteLLM's own way to it can do and ours cannot."""
    tools = arguments.get("tools")
    kinds = {name for tool in (tools if isinstance(tools, list) else ()) for name in _kinds(mapping(tool))}
    return arguments.get("web_search_options") is not None or bool(_SEARCHES & kinds)


def _is_prompted_elsewhere(arguments: Mapping[str, Any]) -> bool:
    """Whether LiteLLM has yet to put the prompt together, from one that is kept or with what it looks up."""
    logging_object = arguments.get("litellm_logging_obj")
    asks = getattr(logging_object, "should_run_prompt_management_hooks", None)
    prompt_id, tools = arguments.get("prompt_id"), arguments.get("tools")
    given = dict(arguments)
    return asks is not None and bool(asks(prompt_id=prompt_id, non_default_params=given, tools=tools))


def _kinds(tool: Mapping[str, Any]) -> Iterable[str]:
    """What a tool may be known by: OpenAI's have a type, Google's are named by their only key."""
    return str(tool.get("type")), *map(str, tool)


def _asks_for_picture(arguments: Mapping[str, Any], route: Route) -> bool:
    """Whether a request is for a picture, whichever model it goes to. LiteLLM has responses draw itself."""
    if route is Route.RESPONSES:
        return False
    modalities = arguments.get("modalities")
    tools = arguments.get("tools")
    return (
        route is not Route.CHAT
        or (isinstance(modalities, list) and "image" in modalities)
        or any(arguments.get(name) is not None for name in ("image_config", _TOOL))
        or any(mapping(tool).get("type") == _TOOL for tool in (tools if isinstance(tools, list) else ()))
    )


def _named(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """LiteLLM's name of the provider, and the provider's of the model; ("", "") where LiteLLM must look."""
    model, provider = str(parameters.get("model", "")), parameters.get("custom_llm_provider")
    if provider:
        return str(provider), model.removeprefix(f"{provider}/")
    before, slash, behind = model.partition("/")
    if slash and before in litellm.provider_list:
        return before, behind
    entry = litellm.model_cost.get(model) or {}
    if not _is_image_mode(entry):
        return "", ""
    named = str(entry.get("litellm_provider", "")).partition("-")[0]
    return named, model


def _ours(provider: str, parameters: Mapping[str, Any]) -> str | None:
    """Our name of a provider. A gateway may be configured as a server that speaks OpenAI's language."""
    if provider == "azure" and str(parameters.get("api_base")).rstrip("/").endswith(_OPENAIS_OWN_FORM):
        return "openai"
    if provider == "openai" and (base := parameters.get("api_base") or parameters.get("base_url")):
        host = urlsplit(str(base)).hostname
        for name in ("openrouter", "vercel", "helicone", "aione"):
            if host == urlsplit(PROVIDERS[name].base_url or "").hostname:
                return name
    return _OURS.get(provider)


def _draws(
    ours: str, provider: str, model_id: str, entries: tuple[Mapping[str, Any], ...], *, asks_for_picture: bool
) -> bool:
    told = entries[0]
    try:
        rows = config.own_rows(ours)
    except ConfigurationError:  # told of a model that draws, no matter to others
        rows = ()
    wire = PROVIDERS[ours].wire(model_id, own_rows=rows)
    names = (model_id.removeprefix(wire.prefix), _base_model(told))
    row = next((row for name in names if (row := known_row(wire.family, name, rows)) is not None), None)
    # On a gateway the row of an id that nobody knows is that of a model which is most like it, or open.
    draws_by_tool = row is not None or any(begins_as(_BY_TOOL, part) for part in model_id.split("/"))
    if draws_by_tool and Name.MUST_DRAW in wire.row(model_id, rows).names:
        return asks_for_picture
    if row is not None:
        return not row.gone
    # Many a server speaks OpenAI's language, and a deployment of Azure's has any name.
    own_names = names[1:] if provider == "azure" else names
    is_of_family = any(begins_as(wire.family, name) for name in own_names if name)
    if _is_image_mode(told) or _has_image_output(told):
        return is_of_family or ours not in ("openai", "azure") or (provider == "azure" and not names[1])
    # OpenAI's text models are said to give pictures as well: they do where a tool makes them do it.
    in_map = any(map(_is_image_mode, entries)) or (
        provider not in ("openai", "azure") and any(map(_has_image_output, entries))
    )
    return in_map and any(begins_as(wire.family, name) for name in names if name)


def _is_image_mode(entry: Mapping[str, Any]) -> bool:
    return entry.get("mode") in _DRAWING_MODES


def _has_image_output(entry: Mapping[str, Any]) -> bool:
    modalities = entry.get("supported_output_modalities") or entry.get("output_modalities")
    return isinstance(modalities, list) and "image" in modalities


def _in_map(provider: str, model_id: str) -> Mapping[str, Any]:
    """What LiteLLM's model map says of a provider's model."""
    for key in (f"{provider}/{model_id}", model_id):
        entry: Mapping[str, Any] | None = litellm.model_cost.get(key) if model_id else None
        if entry and str(entry.get("litellm_provider", "")).startswith(provider):
            return entry
    return {}


def _base_model(model_info: Mapping[str, Any]) -> str:
    return str(model_info.get("base_model") or "").rpartition("/")[2]


def _is_bridged(provider: str, model_id: str, parameters: Mapping[str, Any]) -> bool:
    """Whether LiteLLM's own functions draw or edit with a model, called from here."""
    shown = bridge_deployment.endpoint(_BRIDGE, {**parameters, "custom_llm_provider": None})
    for function in (GENERATION, EDIT):
        try:
            serving(function, f"{provider}/{model_id}", shown)
        except RequestError:
            continue
        return True
    return False
