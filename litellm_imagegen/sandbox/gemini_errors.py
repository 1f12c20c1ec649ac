"""Error replies of the Gemini API: the same shapes, statuses and details as Google's, in words of the
sandbox's own.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://cloud.google.com/apis/design/errors
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import Wishes
from .strict import Violation

_TYPE = "type.googleapis.com/google.rpc."
_DEFAULT_RETRY_SECONDS = 34.0
_INVALID, _QUOTA = 400, 429

# 402 is no code of google.rpc; a billing stop in front of the API is told with the nearest status.
_WISHED: dict[int, tuple[str, str]] = {
    _INVALID: ("INVALID_ARGUMENT", "The request holds an argument that is not valid."),
    401: ("UNAUTHENTICATED", "The request has credentials that cannot be used."),
    402: ("FAILED_PRECONDITION", "Billing for this project is stopped; settle it to go on."),
    403: ("PERMISSION_DENIED", "The project of this key has no access to the Generative Language API."),
    404: ("NOT_FOUND", "The entity that was asked for cannot be found."),
    _QUOTA: (
        "RESOURCE_EXHAUSTED",
        "The quota of this project for this model is used up. Look at the plan and its limits.",
    ),
    500: ("INTERNAL", "The service met an internal error. Send the request again later."),
    503: ("UNAVAILABLE", "The model is overloaded at the moment. Send the request again later."),
    504: ("DEADLINE_EXCEEDED", "The request could not be finished before its deadline."),
}


@dataclass(eq=False)
class GeminiError(Exception):
    """An error reply: HTTP status, google.rpc status name, message, and details as Google types them."""

    code: int
    status: str
    message: str
    details: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON body of the reply."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        return {"error": error}


def invalid_argument(violations: Sequence[Violation]) -> GeminiError:
    """400 which names every field at fault, in the message and as fieldViolations."""
    sentences = [
        f"{found.field}: {found.description}" if found.field else found.description for found in violations
    ]
    listed = [
        {"field": found.field, "description": found.description}
        if found.field
        else {"description": found.description}
        for found in violations
    ]
    detail = {"@type": _TYPE + "BadRequest", "fieldViolations": listed}
    return GeminiError(400, "INVALID_ARGUMENT", "\n".join(sentences), [detail])


def bad_request(message: str) -> GeminiError:
    """400 about the request as a whole."""
    return GeminiError(400, "INVALID_ARGUMENT", message)


def key_missing() -> GeminiError:
    """403 for a caller who names no key at all."""
    return GeminiError(
        403,
        "PERMISSION_DENIED",
        "The caller is not known: this method needs an API key (header x-goog-api-key or parameter key).",
    )


def key_invalid(service: str = "generativelanguage.googleapis.com") -> GeminiError:
    """400 for a key that does not exist; this API answers 400 here, not 401."""
    detail = {
        "@type": _TYPE + "ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": service},
    }
    return GeminiError(
        400, "INVALID_ARGUMENT", "The API key is not valid. Hand over a valid API key.", [detail]
    )


def model_not_found(model: str, version: str) -> GeminiError:
    """404 for a model which does not exist or was shut down."""
    return GeminiError(
        404,
        "NOT_FOUND",
        f"models/{model} is not found for API version {version}, or generateContent is not supported for it. "
        "List the models to see which are there and what they support.",
    )


def cached_content_not_found() -> GeminiError:
    """403 for a cached content the caller does not own or which does not exist; the sandbox keeps none."""
    return GeminiError(403, "PERMISSION_DENIED", "CachedContent is not there, or the caller may not use it.")


def wished_error(wishes: Wishes) -> GeminiError | None:
    """The error that was wished for, if any; 429 tells when to try again, in its details and as a header."""
    if wishes.error_code is None:
        return None
    status, message = _WISHED[wishes.error_code]
    seconds = wishes.retry_after
    if seconds is None and wishes.error_code == _QUOTA:
        seconds = _DEFAULT_RETRY_SECONDS
    details: list[dict[str, Any]] = []
    headers: dict[str, str] = {}
    if wishes.error_code == _INVALID:
        details.append(
            {
                "@type": _TYPE + "BadRequest",
                "fieldViolations": [{"field": "contents", "description": message}],
            }
        )
    if wishes.error_code == _QUOTA:
        details += _quota_details()
    if seconds is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{seconds:g}s"})
        headers["retry-after"] = str(max(1, round(seconds))) if seconds else "0"
        message += f" Retry in {seconds:g}s."
    return GeminiError(wishes.error_code, status, message, details, headers)


def unavailable() -> GeminiError:
    """503, as it is sent when a running stream breaks."""
    status, message = _WISHED[503]
    return GeminiError(503, status, message)


def _quota_details() -> list[dict[str, Any]]:
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_requests",
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel",
        "quotaValue": "10",
    }
    link = {"description": "About rate limits", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
    return [
        {"@type": _TYPE + "QuotaFailure", "violations": [violation]},
        {"@type": _TYPE + "Help", "links": [link]},
    ]
