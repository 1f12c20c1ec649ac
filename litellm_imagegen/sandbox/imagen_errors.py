"""Error replies that only Imagen and Vertex have, or word in their own way; else those of the Gemini API.

Source: https://cloud.google.com/apis/design/errors and
https://cloud.google.com/vertex-ai/generative-ai/docs/image/responsible-ai-imagen
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .faults import Wishes
from .gemini_errors import GeminiError, bad_request, wished_error
from .imagen_models import Api

_TYPE = "type.googleapis.com/google.rpc."
_QUOTA_METRIC = "aiplatform.googleapis.com/online_prediction_requests_per_base_model"
_VERTEX_MESSAGES = {
    403: "Permission aiplatform.endpoints.predict denied on this model, or the model is not there.",
    429: f"The quota for {_QUOTA_METRIC} of this project is used up. Ask for a higher quota.",
}


def prompt_refused() -> GeminiError:
    """400 for a prompt which goes against the provider's rules; nothing is drawn."""
    return bad_request(
        "No picture is made of this prompt: it holds sensitive words that violate Google's Responsible AI "
        "practices. Word it in another way. Support codes: 42876398 (sandbox)"
    )


def model_not_found(api: Api, address: Mapping[str, Any], version: str) -> GeminiError:
    """404 for a model which does not exist, was shut down or is not on this API.

    `address` holds the path's parameters.
    """
    name = address["model"]
    if api == "gemini":
        message = (
            f"models/{name} is not found for API version {version}, or predict is not supported for it. "
            "List the models to see which are there and what they support."
        )
    else:
        place = f"projects/{address['project']}/locations/{address['location']}"
        message = (
            f"The publisher model {place}/publishers/google/models/{name} is not there, "
            "or the project has no access to it. Name a model version that is still served."
        )
    return GeminiError(404, "NOT_FOUND", message)


def bearer_missing() -> GeminiError:
    """401 for a caller of Vertex without a bearer token."""
    return _unauthenticated(
        "CREDENTIALS_MISSING", "The request has no credentials; this method needs an OAuth 2 access token."
    )


def bearer_invalid() -> GeminiError:
    """401 for a token that has expired or was never given out."""
    return _unauthenticated(
        "ACCESS_TOKEN_EXPIRED", "The request has credentials that cannot be used: get a new access token."
    )


def _unauthenticated(reason: str, message: str) -> GeminiError:
    detail = {
        "@type": _TYPE + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "aiplatform.googleapis.com"},
    }
    return GeminiError(401, "UNAUTHENTICATED", message, [detail])


def wished_imagen_error(wishes: Wishes, api: Api) -> GeminiError | None:
    """The error that was wished for, if any, with the fields, quotas and words of this wire and API."""
    error = wished_error(wishes)
    if error is None:
        return None
    details = [_of_this_wire(detail, api) for detail in error.details]
    message = _VERTEX_MESSAGES.get(error.code, error.message) if api == "vertex" else error.message
    return replace(error, message=message, details=[detail for detail in details if detail])


def _of_this_wire(detail: Mapping[str, Any], api: Api) -> Mapping[str, Any]:
    kind = detail["@type"].removeprefix(_TYPE)
    if kind == "BadRequest":
        violations = [found | {"field": "instances"} for found in detail["fieldViolations"]]
        return {**detail, "fieldViolations": violations}
    if kind == "QuotaFailure" and api == "vertex":
        return {**detail, "violations": [{"quotaMetric": _QUOTA_METRIC, "quotaValue": "20"}]}
    if kind == "Help" and api == "vertex":
        return {}
    return detail
