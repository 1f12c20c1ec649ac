"""What logs see of pictures: their facts, never their bytes, whichever way a picture went.

A picture's place in a logged request or answer holds `{"sha256", "mime", "bytes", "width", "height"}` as
JSON text, so that whoever expects a string there finds one. LiteLLM's own log lines lose every long run of
base64 on their way out.

LiteLLM hands a deployment's key and other secrets to its log sinks as they stand: of our calls they are gone.
"""

import logging
import re
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from litellm.types.utils import is_litellm_owned_kwarg
from pydantic import BaseModel

from litellm_imagegen.blob import Blob
from litellm_imagegen.plugin import references
from litellm_imagegen.plugin.bridge_deployment import is_parameter
from litellm_imagegen.plugin.records import TOKEN

_MAXIMUM_DEPTH = 64
_SHORTEST_PICTURE = 200  # characters; what is shorter is no picture and hides nothing
_DATA_URL = re.compile(r"data:(image/[A-Za-z0-9.+-]+);base64,([A-Za-z0-9+/=_-]+)")
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_SECRET = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_HEADERS = ("headers", "extra_headers", "default_headers")
_DEPLOYMENT = "deployment"  # LiteLLM's proxy notes the whole of it for answers that it then keeps back
_LITELLMS_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")
# Where LiteLLM's log arguments hold messages or answers.
_PAYLOAD = "standard_logging_object"
_LOGGED = (
    _PAYLOAD,
    "messages",
    "input",
    "original_response",
    "complete_streaming_response",
    "async_complete_streaming_response",
    "additional_args",
    "optional_params",
    "served_output_texts",
)


def redacted(value: Any, depth: int = _MAXIMUM_DEPTH) -> Any:
    """A copy of `value` with facts in the place of pictures; what holds none comes back as it is.

    What is nested deeper than anything LiteLLM logs is cut off.
    """
    if isinstance(value, str):
        return _redacted_text(value)
    if depth == 0 and isinstance(value, Mapping | list | tuple | BaseModel):
        return "[...]"
    if isinstance(value, Mapping):
        changed = {key: redacted(item, depth - 1) for key, item in value.items()}
        return value if all(changed[key] is item for key, item in value.items()) else changed
    if isinstance(value, list | tuple):
        items = [redacted(item, depth - 1) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    if isinstance(value, BaseModel):
        update = {}
        for name, item in {**value.__dict__, **(value.__pydantic_extra__ or {})}.items():
            clean = redacted(item, depth - 1)
            if clean is not item:
                update[name] = clean
        return value.model_copy(update=update) if update else value
    return value


def redact_log_arguments(arguments: dict[str, Any]) -> None:
    """Put facts in the place of pictures everywhere in what LiteLLM hands to its log sinks.

    Secrets go once more: LiteLLM notes them anew for an answer from its cache.
    """
    _forget(_noted_in(arguments))
    for name in _LOGGED:
        if arguments.get(name) is not None:
            arguments[name] = redacted(arguments[name])
    parameters = arguments.get("litellm_params")
    if isinstance(parameters, dict) and isinstance(parameters.get("proxy_server_request"), Mapping):
        request = parameters["proxy_server_request"]
        if isinstance(request.get("body"), Mapping):
            parameters["proxy_server_request"] = {**request, "body": redacted(request["body"])}


class _Watched(dict[str, Any]):
    """LiteLLM's log arguments, which never hold a picture.

    For one answer LiteLLM runs two handlers, in two threads. Each notes the payload anew, while the other may
    be showing it to a sink. Of an answer that is kept back its proxy notes the whole request again.
    """

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, redacted(value) if name == _PAYLOAD else value)

    def update(self, *given: Any, **named: Any) -> None:
        super().update(*given, **named)
        redact_log_arguments(self)


def watch(logging_object: Any) -> None:
    """From now on let no picture into what LiteLLM notes of a call for its log sinks."""
    if not isinstance(logging_object.model_call_details, _Watched):
        logging_object.model_call_details = _Watched(logging_object.model_call_details)


def redact_request(arguments: dict[str, Any], kept: dict[str, Any] | None) -> None:
    """The same for a request that is about to be carried out: its plan holds the pictures by now.

    Only for the proxy, whose router keeps the request for a second try; changes what LiteLLM logs of it,
    and what it has `kept` of it to hand to callbacks when the request fails.
    """
    logged = arguments["litellm_logging_obj"]
    forget_secrets(logged)
    sent = arguments["proxy_server_request"].get("body")
    sent = sent if isinstance(sent, Mapping) else {}
    # Some fields LiteLLM hands on under another name.
    given = {**sent, **{name: arguments[name] for name in {"messages", *sent} & arguments.keys()}}
    clean = {name: redacted(value) for name, value in given.items()}
    changed = {name: value for name, value in clean.items() if value is not given[name]}
    if not changed:
        return
    for holder in (arguments, kept):
        if holder is not None:
            _replace_fields(holder, changed)
    details = logged.model_call_details
    for name in ("messages", "input"):  # LiteLLM logs either under both names
        if name in changed:
            logged.messages = changed[name]
            changed |= {"messages": changed[name], "input": changed[name]}
            break
    details.update({name: value for name, value in changed.items() if name in details})
    redact_log_arguments(details)


def forget_secrets(logging_object: Any) -> None:
    """Take a deployment's secrets out of what LiteLLM has noted of a call for its logs.

    Whoever calls the provider has them by then. Headers go too: an operator's may hold a secret under any
    name. What a client itself has sent under such a name stays.
    """
    _forget(noted_parameters(logging_object))


def noted_parameters(logging_object: Any) -> list[dict[str, Any]]:
    """Where LiteLLM notes the arguments of a call for its logs."""
    own = getattr(logging_object, "litellm_params", None)
    details = getattr(logging_object, "model_call_details", None) or {}
    return [*([own] if isinstance(own, dict) else ()), *_noted_in(details)]


def _noted_in(details: dict[str, Any]) -> list[dict[str, Any]]:
    noted = (details.get("litellm_params"), details.get("optional_params"), details)
    return [parameters for parameters in noted if isinstance(parameters, dict)]


def _forget(noted: list[dict[str, Any]]) -> None:
    requests = (parameters.get("proxy_server_request") for parameters in noted)
    bodies = (request.get("body") for request in requests if isinstance(request, Mapping))
    sent = {name for body in bodies if isinstance(body, Mapping) for name in body}
    for parameters in noted:
        for name in [name for name, value in parameters.items() if _may_be_secret(name, value, sent)]:
            del parameters[name]


def _may_be_secret(name: str, value: Any, sent: Collection[str]) -> bool:
    if name == _DEPLOYMENT:
        return isinstance(value, BaseModel)
    if not isinstance(value, str | Mapping) or name == TOKEN:
        return False
    if name in _HEADERS or (is_parameter(name) and _SECRET.search(name)):
        return True
    # A parameter that is nobody's: LiteLLM takes it for a field of the request.
    return bool(_SECRET.search(name)) and not is_litellm_owned_kwarg(name) and name not in sent


def _replace_fields(holder: dict[str, Any], changed: Mapping[str, Any]) -> None:
    holder.update({name: value for name, value in changed.items() if name in holder})
    request = holder.get("proxy_server_request")
    if isinstance(request, Mapping) and isinstance(request.get("body"), dict):
        body = {name: changed.get(name, value) for name, value in request["body"].items()}
        holder["proxy_server_request"] = {**request, "body": body}


class _NoPictures(logging.Filter):
    """Cuts base64 out of log lines. It sees only records that are about to be written."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if len(message) > _SHORTEST_PICTURE:
            clean = _BASE64_RUN.sub(_shortened, message)
            if clean != message:
                record.msg, record.args = clean, ()
        return True


def install_log_filter() -> None:
    """Keep base64 out of LiteLLM's own log lines, DEBUG ones too."""
    for name in _LITELLMS_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _NoPictures) for known in logger.filters):
            logger.addFilter(_NoPictures())


def _redacted_text(text: str) -> str:
    if references.TEXT_PREFIX in text:
        text = references.replaced(text, lambda facts: orjson.dumps(facts).decode())
    if len(text) < _SHORTEST_PICTURE:
        return text
    if "base64," in text:
        text = _DATA_URL.sub(_facts_of_data_url, text)
    elif (facts := _facts_of_base64(text)) is not None:
        return facts
    return _BASE64_RUN.sub(_shortened, text) if len(text) >= _SHORTEST_PICTURE else text


def _facts_of_base64(text: str) -> str | None:
    """The facts of a picture that is given as base64 alone, None for any other text."""
    if not _BASE64_RUN.fullmatch(text):
        return None
    blob = Blob.from_base64(text)
    try:
        return orjson.dumps(blob.facts).decode() if blob.mime.startswith("image/") else None
    except ValueError:
        return None


def _facts_of_data_url(match: "re.Match[str]") -> str:
    if len(match[2]) < _SHORTEST_PICTURE:
        return match[0]
    try:
        return orjson.dumps(Blob.from_base64(match[2], match[1]).facts).decode()
    except ValueError:
        return f"[{match[1]}, {len(match[2])} characters that are no base64]"


def _shortened(match: "re.Match[str]") -> str:
    return f"{match[0][:16]}[... {len(match[0])} characters]"
