"""Error replies of the OpenAI Images API, and Azure's form of them: the same shapes, types and codes, in
words of the sandbox's own.

Source: https://platform.openai.com/docs/guides/error-codes and
https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import Wishes

_INVALID_REQUEST = "invalid_request_error"
_SERVER_ERROR = "server_error"
_USER_ERROR = "image_generation_user_error"
_DEFAULT_RETRY_SECONDS = 12.0
_QUOTA = 429
# Answered by Azure's gateway in front of the model, which knows nothing of types and parameters.
_GATEWAY_STATUSES = (401, 404, _QUOTA)
_HARMS = ("hate", "self_harm", "sexual", "violence")

_WISHED: dict[int, tuple[str, str | None, str]] = {
    400: (_INVALID_REQUEST, "invalid_value", "The request holds a value that is not valid."),
    401: (_INVALID_REQUEST, "invalid_api_key", "The API key is not correct."),
    402: ("insufficient_quota", "insufficient_quota", "Payment is needed: the account has no credit left."),
    403: (
        _INVALID_REQUEST,
        "unsupported_country_region_territory",
        "The country, region or territory of this request is not supported.",
    ),
    404: (
        _INVALID_REQUEST,
        "model_not_found",
        "The model does not exist, or this account has no access to it.",
    ),
    _QUOTA: ("requests", "rate_limit_exceeded", "The rate limit for image requests per minute is reached."),
    500: (_SERVER_ERROR, "server_error", "The server had an error while it worked on this request."),
    503: (_SERVER_ERROR, "overloaded", "The service is overloaded at the moment. Try again later."),
    504: (_SERVER_ERROR, "timeout", "The request could not be finished in time."),
}


@dataclass(eq=False)
class OpenAIError(Exception):
    """An error reply: HTTP status, and the fields of the error object."""

    status: int
    type: str
    code: str | None
    message: str
    param: str | None = None
    moderation_stage: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON body of OpenAI's reply."""
        error: dict[str, Any] = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }
        if self.moderation_stage is not None:
            error["moderation_details"] = {"moderation_stage": self.moderation_stage, "categories": ["other"]}
        return {"error": error}

    def azure_body(self) -> dict[str, Any]:
        """The JSON body of Azure's reply to the same."""
        if self.moderation_stage is not None:
            return {"error": _content_filter(self)}
        if self.status in _GATEWAY_STATUSES:
            return {"error": {"code": str(self.status), "message": self.message}}
        return self.body()


def _content_filter(error: OpenAIError) -> dict[str, Any]:
    """Azure has one code for a prompt that its filter stops, another for a picture."""
    results: dict[str, Any] = {harm: {"filtered": False, "severity": "safe"} for harm in _HARMS}
    results["violence"] = {"filtered": True, "severity": "medium"}
    return {
        "code": "content_policy_violation" if error.moderation_stage == "input" else "contentFilter",
        "message": error.message,
        "type": _INVALID_REQUEST,
        "param": "prompt" if error.moderation_stage == "input" else None,
        "inner_error": {"code": "ResponsibleAIPolicyViolation", "content_filter_results": results},
    }


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> OpenAIError:
    """400 about the request, or about one of its parameters."""
    return OpenAIError(400, _INVALID_REQUEST, code, message, param)


def invalid_value(param: str, reason: str) -> OpenAIError:
    """400 for a parameter whose value is not taken."""
    return bad_request(f"Invalid value for '{param}': {reason}", param=param, code="invalid_value")


def unknown_parameter(param: str) -> OpenAIError:
    """400 for a parameter which does not exist, or which this model does not have."""
    return bad_request(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def missing_parameter(param: str) -> OpenAIError:
    """400 for a parameter that has to be given."""
    return bad_request(
        f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def invalid_picture(param: str, reason: str, code: str = "invalid_image_file") -> OpenAIError:
    """400 for a picture or a mask that cannot be used."""
    return bad_request(f"Invalid image file for '{param}': {reason}", param=param, code=code)


def unsupported_content_type(given: str, taken: Sequence[str]) -> OpenAIError:
    """400 for a body that is neither of the content types which this address takes."""
    return bad_request(
        f"Unsupported content type: '{given[:80]}'. This address takes {' or '.join(taken)}.",
        code="unsupported_content_type",
    )


def body_too_large(limit: int) -> OpenAIError:
    """413 for a body of more bytes than this API takes."""
    return OpenAIError(413, _INVALID_REQUEST, None, f"The body is larger than the limit of {limit} bytes.")


def key_refused(*, given: bool) -> OpenAIError:
    """401 for a caller without a key, or with a wrong one."""
    reason = "The API key is not correct." if given else "No API key was given."
    return OpenAIError(
        401, _INVALID_REQUEST, "invalid_api_key", f"{reason} Send it as a bearer token (Authorization)."
    )


def organization_refused() -> OpenAIError:
    """401 for an organization that the key does not belong to."""
    return OpenAIError(401, _INVALID_REQUEST, "invalid_organization", "There is no such organization.")


def model_not_found(name: str) -> OpenAIError:
    """404 for a model which does not exist or was retired."""
    message = f"The model '{name[:80]}' does not exist, or this account has no access to it."
    return OpenAIError(404, _INVALID_REQUEST, "model_not_found", message)


def resource_not_found() -> OpenAIError:
    """404 of Azure, which also answers so when the query names no api-version."""
    return OpenAIError(404, _INVALID_REQUEST, "not_found", "Resource not found. (Is api-version given?)")


def moderation_blocked(stage: str) -> OpenAIError:
    """400 for a prompt ("input") or a picture ("output") that the safety system stopped."""
    message = f"The safety system refused this request at the stage '{stage}'. (sandbox)"
    return OpenAIError(400, _USER_ERROR, "moderation_blocked", message, moderation_stage=stage)


def overloaded() -> OpenAIError:
    """503, as it is sent when a running stream breaks."""
    return _of_status(503)


def wished_error(wishes: Wishes) -> OpenAIError | None:
    """The error that was wished for, if any; 429 tells when to try again and which limit was met."""
    if wishes.error_code is None:
        return None
    error = _of_status(wishes.error_code)
    seconds = wishes.retry_after
    if seconds is None and wishes.error_code == _QUOTA:
        seconds = _DEFAULT_RETRY_SECONDS
    if seconds is None:
        return error
    headers = {
        "retry-after": str(max(1, round(seconds))) if seconds else "0",
        "retry-after-ms": str(round(seconds * 1000)),
    }
    if wishes.error_code == _QUOTA:
        headers |= {
            "x-ratelimit-limit-requests": "5",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": f"{seconds:g}s",
        }
    return OpenAIError(
        error.status, error.type, error.code, f"{error.message} Try again in {seconds:g}s.", headers=headers
    )


def _of_status(status: int) -> OpenAIError:
    kind, code, message = _WISHED[status]
    return OpenAIError(status, kind, code, message)
