"""Error replies of AIone: its shape and types, in words of the sandbox's own.

Source: https://1jxizqf5ai.apifox.cn, "03 - Error Codes"
"""

from __future__ import annotations

from typing import Any

from .chat_exchange import GatewayError, retry_headers
from .faults import Wishes
from .openai_errors import OpenAIError

KEY_PREFIX = "sk-nex-"

_INVALID_REQUEST = "invalid_request_error"
_SERVER_ERROR = "server_error"

_WISHED: dict[int, tuple[str, str, str]] = {
    400: (_INVALID_REQUEST, "invalid_request", "The request is not valid."),
    401: ("authentication_error", "invalid_api_key", "The API key is not valid."),
    402: ("insufficient_quota", "insufficient_balance", "The balance of this account is used up."),
    403: ("permission_error", "model_not_allowed", "This API key may not use the model."),
    404: (_INVALID_REQUEST, "model_not_found", "There is no such model."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Too many requests in this minute."),
    500: (_SERVER_ERROR, "internal_error", "The gateway met an error."),
    502: (_SERVER_ERROR, "upstream_error", "The provider behind the gateway gave no usable answer."),
    503: (_SERVER_ERROR, "upstream_unavailable", "The provider behind the gateway is not available."),
    504: (_SERVER_ERROR, "upstream_timeout", "The provider behind the gateway did not answer in time."),
}


def body(message: str, kind: str, code: str | None) -> dict[str, Any]:
    """The JSON body of an error reply."""
    return {"error": {"message": message, "type": kind, "code": code}}


def of_status(status: int) -> GatewayError:
    """The error reply of a status."""
    kind, code, message = _WISHED[status]
    return GatewayError(status, body(f"{message} (sandbox)", kind, code))


def of_request(error: OpenAIError) -> GatewayError:
    """What is wrong with a request."""
    return GatewayError(error.status, body(error.message, _INVALID_REQUEST, error.code or "invalid_request"))


def model_not_found(model: str) -> GatewayError:
    """404 for a model that AIone has not; names are case-sensitive."""
    return GatewayError(
        404, body(f"There is no model '{model[:80]}'. (sandbox)", _INVALID_REQUEST, "model_not_found")
    )


def wished_error(wishes: Wishes) -> GatewayError | None:
    """The error that was wished for, if any; it has no streams that could break, so that is an error too."""
    if wishes.error_code is None:
        return of_status(502) if wishes.error_mid_stream else None
    error = of_status(wishes.error_code)
    return GatewayError(error.status, error.body, retry_headers(wishes))


def is_refused(key: str) -> bool:
    """Any key of AIone's form will do, but one that goes on with "invalid"."""
    return not key.startswith(KEY_PREFIX) or key.startswith(f"{KEY_PREFIX}invalid")


def check_key(key: str) -> None:
    """Check a key. Raises GatewayError."""
    if is_refused(key):
        raise of_status(401)
