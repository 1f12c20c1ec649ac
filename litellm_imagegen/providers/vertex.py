"""Google's Vertex AI: addresses by project and location, access tokens from Google's credentials.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest (hosts),
https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode (an API key in place of a project).
"""

import re

import yarl

from litellm_imagegen.errors import ConfigurationError
from litellm_imagegen.profiles import gemini, imagen
from litellm_imagegen.providers.google_credentials import credentials_of, token_of
from litellm_imagegen.providers.provider import Connection, Credentials, Provider, Wire
from litellm_imagegen.wires.gemini_content import GeminiContentCodec
from litellm_imagegen.wires.imagen_predict import ImagenPredictCodec

_NAME = "vertex"
_GLOBAL = "global"
_MULTI_REGIONS = ("eu", "us")
_PUBLISHER = "publishers/google"
_LOCATION = re.compile(r"[a-z0-9-]{1,40}")
_PROJECT = re.compile(r"[a-z0-9:.-]{1,80}", re.IGNORECASE)


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
        credentials, own_project = credentials_of(shown.options.get("vertex_credentials"))
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
            authentication={"authorization": f"Bearer {token_of(credentials)}"},
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


PROVIDER: Provider = VertexProvider(
    name=_NAME,
    base_url=None,
    key_variables=(),
    option_variables={
        "vertex_project": ("VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT"),
        "vertex_location": ("VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"),
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
