"""Error replies of OpenRouter: its shape, codes and metadata, in words of the sandbox's own.

Source: https://openrouter.ai/docs/api-reference/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .chat_exchange import GatewayError, retry_headers, retry_seconds
from .faults import Wishes, without_wishes
from .openai_errors import OpenAIError
from .openrouter_models import Model

_USER = "org_sandbox"
_LONGEST_FLAGGED = 100
_QUOTA = 429
_PICTURE_FAULTS = ("invalid_image", "unsupported_image_format")

_WISHED: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is not valid for this model."),
    401: ("authentication", "The API key is not valid or is disabled."),
    402: ("payment_required", "The credits of this account or the limit of this key are used up."),
    403: ("permission_denied", "A rule of this key forbids the request."),
    404: ("not_found", "No endpoint was found for this model."),
    _QUOTA: ("rate_limit_exceeded", "The rate limit is reached."),
    500: ("server", "The gateway met an error."),
    502: ("provider_unavailable", "Provider returned error"),
    503: ("provider_overloaded", "No provider of this model can take the request now."),
    504: ("timeout", "The provider did not answer in time."),
}
_AVAILABILITY: dict[int, tuple[str, bool]] = {
    404: ("no_endpoints", False),
    503: ("capacity_exhausted", True),
}


def failure(
    status: int,
    message: str,
    metadata: Mapping[str, Any] | None = None,
    *,
    availability: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> GatewayError:
    """An error reply; what is None is left out."""
    error: dict[str, Any] = {"code": status, "message": message}
    if metadata:
        error["metadata"] = dict(metadata)
    if availability:
        error["availability"] = dict(availability)
    body: dict[str, Any] = {"error": error}
    if status not in (401, 404):
        body["user_id"] = _USER
    return GatewayError(status, body, headers or {})


def key_refused(*, given: bool) -> GatewayError:
    """401 for a caller without a key, or with a wrong one."""
    return failure(401, "The API key is not valid. (sandbox)" if given else "No API key was given. (sandbox)")


def of_request(error: OpenAIError) -> GatewayError:
    """What is wrong with a request."""
    kinds = {413: "payload_too_large", 404: "not_found"}
    kind = kinds.get(error.status, "invalid_request")
    if error.code in _PICTURE_FAULTS:
        kind = error.code
    return failure(error.status, error.message, {"error_type": kind})


def model_not_found(name: str) -> GatewayError:
    """404 for a model that nobody has."""
    return failure(
        404,
        f"No endpoints found for {name[:80]}.",
        {"error_type": "not_found"},
        availability={"code": "model_not_found", "retryable": False},
    )


def no_endpoint(what: str, code: str = "no_endpoints") -> GatewayError:
    """404 for a model that is there but has no endpoint for what the request asks."""
    return failure(404, what, {"error_type": "not_found"}, availability={"code": code, "retryable": False})


def moderated(model: Model, prompt: str, reason: str) -> GatewayError:
    """403 for a prompt that the moderation in front of the provider stops."""
    flagged = without_wishes(prompt).strip()[:_LONGEST_FLAGGED]
    metadata = {
        "reasons": [reason],
        "flagged_input": flagged,
        "provider_name": model.provider,
        "model_slug": model.id,
    }
    return failure(403, "The input was flagged by moderation. (sandbox)", metadata)


def content_refused(model: Model, reason: str) -> GatewayError:
    """400 of the Image API for a picture that the provider made and does not show."""
    metadata = {
        "error_type": "content_policy_violation",
        "provider_name": model.provider,
        "provider_code": reason,
        "model_slug": model.id,
    }
    return failure(400, "The provider refused to show the picture. (sandbox)", metadata)


def out_of_tokens(model: Model) -> GatewayError:
    """400 of the Image API for a model that had no tokens left for a picture."""
    metadata = {"error_type": "max_tokens_exceeded", "provider_name": model.provider}
    return failure(400, "The model ran out of tokens before the picture. (sandbox)", metadata)


def provider_failed(model: Model, raw: str = "the stream of the provider broke") -> GatewayError:
    """502 for a provider that answered with an error, or with nothing that can be used."""
    kind, message = _WISHED[502]
    return failure(502, message, {"provider_name": model.provider, "raw": raw, "error_type": kind})


def wished_error(wishes: Wishes, model: Model | None = None) -> GatewayError | None:
    """The error that was wished for, if any."""
    status = wishes.error_code
    if status is None:
        return None
    kind, message = _WISHED[status]
    seconds = retry_seconds(wishes)
    metadata: dict[str, Any] = {} if status in (401, 402) else {"error_type": kind}
    if model is not None and status >= 500:
        metadata["provider_name"] = model.provider
    headers = retry_headers(wishes)
    if seconds is not None:
        metadata["retry_after_seconds"] = seconds
    if status == _QUOTA:
        headers |= {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"}
    availability: dict[str, Any] = {}
    if status in _AVAILABILITY:
        code, retryable = _AVAILABILITY[status]
        availability = {"code": code, "retryable": retryable}
        availability |= {} if seconds is None else {"retry_after": seconds}
    return failure(status, f"{message} (sandbox)", metadata, availability=availability, headers=headers)
