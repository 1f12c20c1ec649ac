"""Error replies of the Helicone AI Gateway: its shape and types, in words of the sandbox's own.

Missing credits come as a rate limit does, with status 429.

Source: https://docs.helicone.ai/gateway/overview and https://github.com/Helicone/helicone
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .chat_exchange import GatewayError, retry_headers
from .faults import Wishes
from .openai_errors import OpenAIError

_FAILED = "request_failed"
_INVALID_KEY = "invalid_api_key"
_INVALID_FORMAT = "invalid_format"

_WISHED: Mapping[int, tuple[int, str, str]] = {
    400: (400, _INVALID_FORMAT, "The request holds a value that is not valid."),
    401: (401, _INVALID_KEY, "The Helicone API key is not valid."),
    402: (429, _FAILED, "Insufficient credits: add credits or a key of the provider's own."),
    403: (403, "forbidden", "The provider does not let this request pass."),
    404: (404, _FAILED, "The provider has no such model."),
    429: (429, "rate_limited", "The rate limit is reached."),
    500: (500, _FAILED, "The gateway met an internal error."),
    503: (503, _FAILED, "The provider is down at the moment."),
    504: (504, _FAILED, "The provider did not answer in time."),
}


def check_key(key: str) -> None:
    """Any key will do, but one that starts with "invalid". Raises GatewayError."""
    if not key:
        raise _error(401, _INVALID_KEY, "No Helicone API key was given. Send it as a bearer token.")
    if key.startswith("invalid"):
        raise _error(*_WISHED[401])


def of_request(error: OpenAIError) -> GatewayError:
    """What is wrong with a request."""
    return _error(error.status, _INVALID_FORMAT, error.message)


def unknown_model(names: str) -> GatewayError:
    """400 for a model that this gateway does not have, or not with this provider."""
    return _error(400, "invalid_model", f"No model of '{names[:120]}' is available for pictures.")


def provider_down() -> GatewayError:
    """503, also as it is sent when a running stream breaks."""
    return _error(*_WISHED[503])


def wished_error(wishes: Wishes) -> GatewayError | None:
    """The error that was wished for, if any."""
    if wishes.error_code is None:
        return None
    error = _error(*_WISHED[wishes.error_code])
    return GatewayError(error.status, error.body, retry_headers(wishes))


def _error(status: int, kind: str, message: str) -> GatewayError:
    body: dict[str, Any] = {"message": f"{message} (sandbox)", "type": kind, "code": kind}
    return GatewayError(status, {"error": body})
