"""Access tokens from Google's credentials, in all forms that LiteLLM takes.

Source: https://cloud.google.com/docs/authentication/application-default-credentials.
"""

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from litellm_imagegen.errors import AuthenticationFailed, ConfigurationError

_PROVIDER = "vertex"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_lock = threading.Lock()


@lru_cache(maxsize=64)
def credentials_of(given: str | None) -> tuple[Any, str | None]:
    """Google's credentials and their project: a JSON text, a file of it, or what the environment has."""
    try:
        import google.auth  # noqa: PLC0415  # an extra, and slow to import
    except ImportError as error:
        reason = f"{_PROVIDER} needs {error.name}: pip install 'litellm_imagegen[vertex]'"
        raise ConfigurationError(reason) from error
    try:
        if given is None:
            return google.auth.default(scopes=_SCOPES)
        is_json = given.lstrip().startswith("{")
        held = orjson.loads(given if is_json else Path(given).read_bytes())
        return _loader(held)(held, scopes=_SCOPES), held.get("project_id") or held.get("quota_project_id")
    except (google.auth.exceptions.GoogleAuthError, OSError, ValueError, TypeError, KeyError) as error:
        raise AuthenticationFailed(_PROVIDER, _without_secrets(given, error)) from error


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


def token_of(credentials: Any) -> str:
    """An access token that is valid, asked for anew when the last one is about to run out."""
    import google.auth.exceptions  # noqa: PLC0415  # an extra
    from google.auth.transport.requests import Request  # noqa: PLC0415  # the same

    with _lock:
        if not credentials.valid:
            try:
                credentials.refresh(Request())
            except google.auth.exceptions.GoogleAuthError as error:
                raise AuthenticationFailed(_PROVIDER, f"no access token ({type(error).__name__})") from error
        return str(credentials.token)


def _without_secrets(given: str | None, error: Exception) -> str:
    """Errors of parsing may repeat what was parsed."""
    what = "vertex_credentials" if given is not None else "the environment's default credentials"
    return f"{what} cannot be used ({type(error).__name__}); set vertex_credentials to a file or its JSON"
