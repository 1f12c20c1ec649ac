"""What went wrong inside LiteLLM, as the reply of the vendor that it mostly was.

LiteLLM wraps a vendor's error in one of its own, with its names before the vendor's words and without the
vendor's headers; what it wrapped still has them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import orjson
from litellm import exceptions
from openai import APIStatusError

from litellm_imagegen.errors import AuthenticationFailed, BadReply, ProviderUnavailable

_HEADERS = ("retry-after", "date")
_KEYS = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "x-key")
_PREFIX = re.compile(r"^(?:(?:litellm\.)?\w+(?:Error|Exception|Timeout)\b(?: - |: | ))+")
_HINTS = re.compile(
    r"(?s)\s*(?:To drop (?:it|them)|Set drop_params|Add it here - |Traceback |LiteLLM Retried).*"
)
_NO_KEY = re.compile(
    r"[A-Z0-9_]+(?:KEY|SECRET|TOKEN)\b.* is not set|^Missing credentials|api_key client option must be set"
)
_UNREADABLE = re.compile(r"Error (?:transforming|parsing)|Failed to parse")  # a reply, in LiteLLM's words
_DEPTH = 10


class Failure(NamedTuple):
    """A reply with an error status: lower-case headers, and a JSON object as body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def failure_of(error: BaseException, provider: str) -> Failure:
    """The vendor's reply inside an exception of LiteLLM's.

    Raises `ProviderUnavailable`, `AuthenticationFailed` and `BadReply` where the vendor has told no error:
    nothing was sent, or what came could not be read.
    """
    _raise_if_broken(error, provider)
    root = _root(error)
    text = _without_key(_message(root), root)
    if _NO_KEY.search(text):
        raise AuthenticationFailed(provider, text) from error
    status = _status(error, root)
    if status is None and not _is_told(root, text):
        raise BadReply(provider, f"a reply that LiteLLM cannot read ({type(root).__name__})") from error
    return Failure(status or 500, _headers(root), _body(text))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    for _ in range(_DEPTH):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _raise_if_broken(error: BaseException, provider: str) -> None:
    """Raises where no reply came at all, or not the whole of it."""
    for inner in _chain(error):
        if isinstance(inner, httpx.ConnectError | httpx.ConnectTimeout):
            raise ProviderUnavailable(provider, f"cannot be reached ({type(inner).__name__})") from error
        if isinstance(inner, httpx.TimeoutException | TimeoutError):
            raise ProviderUnavailable(provider, "took too long to answer; the call may be charged") from error
        if isinstance(inner, httpx.TransportError):
            raise BadReply(provider, "hung up before it answered; the call may be charged") from error


def _root(error: BaseException) -> BaseException:
    """The vendor's error inside LiteLLM's: its reply where there is one."""
    chain = tuple(_chain(error))
    wrapping = tuple(exceptions.LITELLM_EXCEPTION_TYPES)
    replied = (inner for inner in chain if isinstance(inner, httpx.HTTPStatusError))
    return next(replied, None) or next((inner for inner in chain if not isinstance(inner, wrapping)), error)


def _status(error: BaseException, root: BaseException) -> int | None:
    """The HTTP status of an error, None where it has none of an error's."""
    if any(isinstance(inner, exceptions.UnsupportedParamsError) for inner in _chain(error)):
        return 400
    status = getattr(root, "status_code", None) or getattr(_response(root), "status_code", None)
    return status if isinstance(status, int) and 400 <= status < 600 else None


def _response(error: BaseException) -> Any:
    return getattr(error, "response", None)


def _headers(error: BaseException) -> dict[str, str]:
    for holder in (getattr(error, "headers", None), getattr(_response(error), "headers", None)):
        if isinstance(holder, Mapping):
            known = {str(name).lower(): str(value) for name, value in holder.items()}
            if found := {name: known[name] for name in _HEADERS if name in known}:
                return found
    return {}


def _message(error: BaseException) -> str:
    if isinstance(error, APIStatusError) and type(error).__module__.partition(".")[0] == "openai":
        return error.response.text  # the message has the body as Python writes it
    if isinstance(error, httpx.HTTPStatusError):
        return str(getattr(error, "text", None) or error.response.text)
    text = str(getattr(error, "message", None) or error)
    return _HINTS.sub("", _PREFIX.sub("", text)).strip()


def _without_key(text: str, error: BaseException) -> str:
    """What was said, without the key that the call has shown, which may be the environment's."""
    request = getattr(error, "request", None) or getattr(_response(error), "request", None)
    headers = getattr(request, "headers", None) or {}
    for name in _KEYS:
        key = str(headers.get(name, "")).rpartition(" ")[2]
        text = text.replace(key, "[key]") if key else text
    return text


def _body(text: str) -> bytes:
    """What the vendor said, or LiteLLM's words as an object of an error."""
    try:
        said = orjson.loads(text)
    except ValueError:
        said = None
    return text.encode() if isinstance(said, dict | list) else orjson.dumps({"message": text})


def _is_told(error: BaseException, text: str) -> bool:
    """Whether an error without an error's status is the vendor's: of a job that failed, or in a success."""
    is_vendors = getattr(error, "status_code", None) == 200 and not _UNREADABLE.match(text)
    return is_vendors or type(error) is ValueError
