"""Error replies of the Vercel AI Gateway, in words of the sandbox's own.

What a provider refuses comes back with the provider's own sentence in it, be it a value or a prompt.

Source: https://vercel.com/docs/ai-gateway and https://www.npmjs.com/package/@ai-sdk/gateway
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from .bfl_errors import BflError
from .chat_exchange import GatewayError, retry_headers
from .faults import Wishes
from .gemini_errors import GeminiError
from .openai_errors import OpenAIError

_INVALID_REQUEST = "invalid_request_error"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404

_WISHED: Mapping[int, tuple[str, str]] = {
    400: (_INVALID_REQUEST, "The request holds a value that is not valid."),
    _UNAUTHORIZED: ("authentication_error", "The API key or the OIDC token cannot be used."),
    402: ("insufficient_funds", "Insufficient funds: this team has no credits left."),
    _FORBIDDEN: ("forbidden", "A rule of this team does not let the request pass."),
    _NOT_FOUND: ("model_not_found", "There is no such model."),
    429: ("rate_limit_exceeded", "The rate limit of this model is reached."),
    500: ("internal_server_error", "The gateway met an internal error."),
    503: ("internal_server_error", "The gateway has too much to do at the moment."),
    504: ("timeout", "No provider answered in time."),
}


def new_generation_id() -> str:
    """An id as the gateway gives to each generation."""
    return f"gen_{secrets.token_hex(13)}"


def check_key(key: str) -> None:
    """Any API key and any OIDC token will do, but one that starts with "invalid". Raises GatewayError."""
    if not key or key.startswith("invalid"):
        kind, message = _WISHED[_UNAUTHORIZED]
        reason = message if key else "No API key and no OIDC token was given."
        raise _error(_UNAUTHORIZED, kind, f"{reason} Send it as a bearer token.")


def model_not_found(name: str) -> GatewayError:
    """404 for a model that the gateway does not list."""
    return _error(_NOT_FOUND, "model_not_found", f"Model '{name[:80]}' not found.", {"modelId": name[:80]})


def wrong_kind(name: str, needed: str) -> GatewayError:
    """400 for a model that is not what the address is for: "an image", "a language"."""
    return _error(400, _INVALID_REQUEST, f"Model '{name[:80]}' is not {needed} model.", "model")


def refused_value(error: OpenAIError) -> GatewayError:
    """The refusal of a field which the gateway itself reads."""
    return _error(error.status, _INVALID_REQUEST, error.message, error.param, error.code)


def refused_upstream(error: OpenAIError | BflError | GeminiError) -> GatewayError:
    """400 with what the provider says to a request that it does not take, or to a prompt that it blocks."""
    if isinstance(error, OpenAIError):
        return blocked(error.message, error.code)
    return blocked(error.message if isinstance(error, GeminiError) else _sentences(error))


def blocked(sentence: str, code: str | None = None) -> GatewayError:
    """400 with a provider's sentence about what it does not take."""
    return _error(400, _INVALID_REQUEST, sentence, None, code, generation_id=new_generation_id())


def upstream_failed() -> GatewayError:
    """424 for a provider that failed on the way."""
    message = "The provider failed while it worked on this request."
    return _error(424, "failed_dependency", message, generation_id=new_generation_id())


def wished_error(wishes: Wishes, model: str) -> GatewayError | None:
    """The error that was wished for, if any. `model` is the id that the request names."""
    status = wishes.error_code
    if status is None:
        return None
    param = {_FORBIDDEN: {"ruleId": "sandbox-rule"}, _NOT_FOUND: {"modelId": model}}.get(status)
    generation_id = None if status == _UNAUTHORIZED else new_generation_id()
    error = _error(status, *_WISHED[status], param, generation_id=generation_id)
    return GatewayError(error.status, error.body, retry_headers(wishes))


def _error(
    status: int,
    kind: str,
    message: str,
    param: Any = None,
    code: str | None = None,
    *,
    generation_id: str | None = None,
) -> GatewayError:
    """An error; it has a generation id where a provider was asked."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return GatewayError(status, {"error": error} | ({"generationId": generation_id} if generation_id else {}))


def _sentences(error: BflError) -> str:
    details = error.body["detail"]
    if isinstance(details, str):
        return details
    return " ".join(f"{'.'.join(str(step) for step in entry['loc'])}: {entry['msg']}." for entry in details)
