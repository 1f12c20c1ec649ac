"""Google's Vertex AI: addresses by project and location, access tokens from Google's credentials.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest (hosts),
https://cloud.google.com/docs/authentication/application-default-credentials (where credentials come from),
https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode (an API key in place of a project).
"""

import re
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import yarl

from litellm_imagegen.errors import AuthenticationFailed, ConfigurationError
from litellm_imagegen.profiles import gemini, imagen
from litellm_imagegen.providers.provider import Connection, Credentials, Provider, Wire
from litellm_imagegen.wires.gemini_content import GeminiContentCodec
from litellm_imagegen.wires.imagen_predict import ImagenPredictCodec

_NAME = "vertex"
_GLOBAL = "global"
_MULTI_REGIONS = ("eu", "us")
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_PUBLISHER = "publishers/google"
_LOCATION = re.compile(r"[a-z0-9-]{1,40}")
_PROJECT = re.compile(r"[a-z0-9:.-]{1,80}", re.IGNORECASE)
_lock = threading.Lock()


class VertexProvider(Provider):
    """Vertex AI. Connecting may read files and ask Google for a token."""

    def connect(self, shown: Credentials) -> Connection:
        """With an API key express mode, which has no project; else as the project's credentials allow.

        Raises `AuthenticationFailed` and `ConfigurationError`.
        """
        if shown.key:
            base = _grafted(shown.base, "https://aiplatform.googleapis.com", _PUBLISHER)
            return Connection(base_url=base, authentication={"x-goog-api-key": shown.key})
        location = shown.options.get("vertex_location", _GLOBAL)
        credentials, own_project = _credentials(shown.options.get("vertex_credentials"))
        project = shown.options.get("vertex_project") or own_project
        if not project:
            reason = (
                "no project; set vertex_project on the deployment, or VERTEXAI_PROJECT in the environment"
            )
            raise ConfigurationError(f"{_NAME}: {reason}")
        if not _LOCATION.fullmatch(location) or not _PROJECT.fullmatch(project):
            raise ConfigurationError(f"{_NAME}: vertex_project or vertex_location has an unexpected form")
        path = f"projects/{project}/locations/{location}/{_PUBLISHER}"
        return Connection(
            base_url=_grafted(shown.base, _host(location), path),
            authentication={"authorization": f"Bearer {_token(credentials)}"},
        )


def _host(location: str) -> str:
    if location == _GLOBAL:
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _grafted(base: str | None, host: str, path: str) -> str:
    """Where models stand. An operator's own address is taken as it is where it has more than a version."""
    if base is None:
        return f"{host}/v1/{path}"
    own = yarl.URL(base).path.strip("/")
    if own in ("", "v1", "v1beta1"):
        return f"{base.rstrip('/')}/{path}" if own else f"{base.rstrip('/')}/v1/{path}"
    return base.partition("/models/")[0]


@lru_cache(maxsize=64)
def _credentials(given: str | None) -> tuple[Any, str | None]:
    """Google's credentials and their project: a JSON text, a file of it, or what the environment has."""
    try:
        import google.auth  # noqa: PLC0415  # an extra, and slow to import
    except ImportError as error:
        reason = f"{_NAME} needs {error.name}: pip install 'litellm_imagegen[vertex]'"
        raise ConfigurationError(reason) from error
    try:
        if given is None:
            return google.auth.default(scopes=_SCOPES)
        is_json = given.lstrip().startswith("{")
        held = orjson.loads(given if is_json else Path(given).read_bytes())
        return _loader(held)(held, scopes=_SCOPES), held.get("project_id") or held.get("quota_project_id")
    except (google.auth.exceptions.GoogleAuthError, OSError, ValueError, TypeError, KeyError) as error:
        raise AuthenticationFailed(_NAME, _without_secrets(given, error)) from error


def _loader(held: Mapping[str, Any]) -> Callable[..., Any]:
    """What makes credentials of this type. Raises `KeyError` for a type that Google does not know."""
    from google.auth import aws, identity_pool, impersonated_credentials  # noqa: PLC0415  # an extra
    from google.oauth2 import credentials, service_account  # noqa: PLC0415  # the same

    kind = held["type"]
    if kind == "external_account" and "aws" in str(held.get("subject_token_type")):
        kind = "external_account of aws"
    loaders: dict[str, Callable[..., Any]] = {
        "service_account": service_account.Credentials.from_service_account_info,
        "authorized_user": credentials.Credentials.from_authorized_user_info,
        "external_account": identity_pool.Credentials.from_info,
        "external_account of aws": aws.Credentials.from_info,
        "impersonated_service_account": (
            impersonated_credentials.Credentials.from_impersonated_service_account_info
        ),
    }
    return loaders[kind]


def _token(credentials: Any) -> str:
    """An access token that is valid, asked for anew when the last one is about to run out."""
    import google.auth.exceptions  # noqa: PLC0415  # an extra
    from google.auth.transport.requests import Request  # noqa: PLC0415  # the same

    with _lock:
        if not credentials.valid:
            try:
                credentials.refresh(Request())
            except google.auth.exceptions.GoogleAuthError as error:
                raise AuthenticationFailed(_NAME, f"no access token ({type(error).__name__})") from error
        return str(credentials.token)


def _without_secrets(given: str | None, error: Exception) -> str:
    """Errors of parsing may repeat what was parsed."""
    what = "vertex_credentials" if given is not None else "the environment's default credentials"
    return f"{what} cannot be used ({type(error).__name__}); set vertex_credentials to a file or its JSON"


PROVIDER: Provider = VertexProvider(
    name=_NAME,
    base_url=None,
    key_variables=(),
    option_variables={
        "vertex_project": ("VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT"),
        "vertex_location": ("VERTEXAI_LOCATION", "GOOGLE_CLOUD_LOCATION"),
        "vertex_credentials": ("VERTEXAI_CREDENTIALS",),
    },
    wires=(
        Wire(
            name="predict",
            codec=ImagenPredictCodec(is_vertex=True),
            family=imagen.FAMILY,
            starts=imagen.STARTS,
        ),
        Wire(name="content", codec=GeminiContentCodec(is_vertex=True), family=gemini.FAMILY),
    ),
    needs_key=False,
    connects_slowly=True,
)
