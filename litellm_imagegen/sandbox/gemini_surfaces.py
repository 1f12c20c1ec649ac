"""The ways to Google's models: the Gemini API, AIone's copy of it, Vertex AI, and Vertex AI in express mode.

Strategy: each way is a function that checks the caller of a request and says what `Surface` is behind it: its
models, and whether it reads and answers as Vertex AI does.

Source: https://ai.google.dev/gemini-api/docs/api-key,
https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode and
https://1jxizqf5ai.apifox.cn (AIone), "15 - Gemini Native API"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from . import aione_errors, aione_models, gemini_models
from .faults import Wishes
from .gemini_errors import (
    GeminiError,
    bad_request,
    key_invalid,
    key_missing,
    model_not_found,
    wished_error,
)
from .gemini_models import Model
from .imagen_errors import bearer_invalid, bearer_missing
from .imagen_errors import model_not_found as publisher_model_not_found
from .openai_exchange import bearer_key

_QUERY_FIELDS = {"alt", "prettyPrint", "quotaUser"}
_KEY_FIELD = "key"
_PAGE_FIELDS = {"pageSize", "pageToken"}
_MODEL_NAME = re.compile(r"[A-Za-z0-9._-]+")
_PLACE_NAME = re.compile(r"[A-Za-z0-9._:-]+")
_VERTEX_SERVICE = "aiplatform.googleapis.com"
_QUOTA = 429


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What is behind an address. `vertex`: it has Vertex AI's fields and answers as that does."""

    models: Mapping[str, Model]
    vertex: bool = False

    def model(self, request: Request) -> Model:
        """The model that the address names. Raises GeminiError."""
        name: str = request.path_params["model"]
        if not _MODEL_NAME.fullmatch(name):
            raise bad_request(
                "The model's name has an unexpected form: letters, digits, '.', '_' and '-' only."
            )
        if name in self.models:
            return self.models[name]
        version = request.url.path.split("/")[1]
        if not self.vertex:
            raise model_not_found(name, version)
        place = {"project": "-", "location": "global"}
        raise publisher_model_not_found("vertex", {**place, **request.path_params}, version)

    def wished_error(self, wishes: Wishes) -> GeminiError | None:
        """The error that was wished for; Vertex AI tells neither which quota is used up nor when to retry."""
        error = wished_error(wishes)
        if error is None or not self.vertex or error.code != _QUOTA:
            return error
        if wishes.retry_after is not None:
            return replace(error, details=[found for found in error.details if "retryDelay" in found])
        return replace(error, message="Resource exhausted. Try again later.", details=(), headers={})


class AioneError(GeminiError):
    """What AIone answers before a request comes to Google, in its own form."""

    def body(self) -> dict[str, Any]:
        """The JSON body of the reply."""
        return aione_errors.body(self.message, self.status, "invalid_api_key")


def gemini_api(request: Request) -> Surface:
    """The Gemini API, by its key; AIone, by a bearer key of its own. Raises GeminiError."""
    _check_query(request, {_KEY_FIELD, *_PAGE_FIELDS})
    bearer = bearer_key(request)
    key = _google_key(request)
    if not key and bearer.startswith(aione_errors.KEY_PREFIX):
        if aione_errors.is_refused(bearer):
            raise AioneError(401, "authentication_error", "The API key is not valid. (sandbox)")
        return Surface(models=aione_models.MODELS)
    if not key:
        raise key_missing()
    if key.startswith("invalid"):
        raise key_invalid()
    return Surface(models=gemini_models.MODELS)


def vertex(request: Request) -> Surface:
    """Vertex AI, by a bearer token. Raises GeminiError."""
    _check_query(request, set())
    check_bearer(request)
    for part in ("project", "location"):
        if not _PLACE_NAME.fullmatch(request.path_params[part]):
            raise bad_request(f"The {part} in the address has an unexpected form.")
    return Surface(models=gemini_models.MODELS, vertex=True)


def express(request: Request) -> Surface:
    """Vertex AI in express mode, by an API key. Raises GeminiError."""
    _check_query(request, {_KEY_FIELD})
    key = _google_key(request)
    if not key:
        raise bearer_missing()
    if key.startswith("invalid"):
        raise key_invalid(_VERTEX_SERVICE)
    return Surface(models=gemini_models.MODELS, vertex=True)


def check_bearer(request: Request) -> None:
    """Any token will do, but one that starts with "invalid". Raises GeminiError."""
    token = bearer_key(request)
    if not token:
        raise bearer_missing()
    if token.startswith("invalid"):
        raise bearer_invalid()


def _google_key(request: Request) -> str | None:
    return request.headers.get("x-goog-api-key") or request.query_params.get(_KEY_FIELD)


def _check_query(request: Request, more: Collection[str]) -> None:
    for name in request.query_params:
        if name not in _QUERY_FIELDS and name not in more:
            raise bad_request(f'Unknown name "{name[:80]}": the query holds no such parameter.')
