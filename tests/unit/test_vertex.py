"""Vertex AI: where calls go, and the token that goes with them, from a real exchange with a token server."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from litellm_imagegen.errors import AuthenticationFailed, ConfigurationError
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.transport import Endpoint

VERTEX = PROVIDERS["vertex"]
TOKEN = "token-that-google-gives"
PUBLISHER = "publishers/google"


class TokenServer(ThreadingHTTPServer):
    """Gives a token for a signed assertion, as oauth2.googleapis.com/token does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.grants: list[str] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.server.grants.append(form["grant_type"][0])
        body: dict[str, Any] = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        if self.server.refuses:
            body = {"error": "invalid_grant", "error_description": "no such account"}
        sent = orjson.dumps(body)
        self.send_response(400 if self.server.refuses else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def token_server() -> Iterator[TokenServer]:
    with TokenServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def account(token_server: TokenServer, private_key: str) -> str:
    """A service account's JSON."""
    return orjson.dumps(
        {
            "type": "service_account",
            "project_id": "own-project",
            "client_email": "painter@own-project.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": private_key,
            "token_uri": token_server.url,
        }
    ).decode()


def endpoint(**given: Any) -> Endpoint:
    api_key, api_base = given.pop("api_key", None), given.pop("api_base", None)
    upstream = config.upstream_of("imagegen/vertex/gemini-3-pro-image")
    return config.endpoint(upstream, Access(api_key, api_base, options=given), VERTEX.wires[-1])


def test_a_service_account_gets_a_token_which_is_kept(token_server: TokenServer, account: str) -> None:
    for _ in range(2):
        connected = endpoint(vertex_credentials=account, vertex_location="europe-west4")
        assert connected.authentication == {"authorization": f"Bearer {TOKEN}"}
        assert connected.secrets == (TOKEN,)
    assert token_server.grants == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert TOKEN not in repr(connected)
    assert connected.base_url == (
        f"https://europe-west4-aiplatform.googleapis.com/v1/projects/own-project/locations/europe-west4/{PUBLISHER}"
    )


def test_credentials_may_stand_in_a_file(account: str, tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    path.write_text(account)
    connected = endpoint(vertex_credentials=str(path), vertex_project="another")
    assert connected.base_url == (
        f"https://aiplatform.googleapis.com/v1/projects/another/locations/global/{PUBLISHER}"
    )


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_host(account: str, location: str, host: str) -> None:
    connected = endpoint(vertex_credentials=account, vertex_location=location)
    assert connected.base_url.startswith(f"https://{host}/v1/projects/own-project/locations/{location}/")


@pytest.mark.parametrize(
    ("api_base", "expected"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v1/projects/own-project/locations/global/" + PUBLISHER),
        (
            "http://127.0.0.1:9/v1beta1",
            "http://127.0.0.1:9/v1beta1/projects/own-project/locations/global/" + PUBLISHER,
        ),
        (
            "https://gateway.example/a/v1/projects/p/locations/l/publishers/google/models/m",
            "https://gateway.example/a/v1/projects/p/locations/l/publishers/google",
        ),
    ],
)
def test_an_address_of_the_operators_is_completed(account: str, api_base: str, expected: str) -> None:
    assert endpoint(vertex_credentials=account, api_base=api_base).base_url == expected


def test_an_api_key_means_express_mode() -> None:
    connected = endpoint(api_key="express-key")
    assert connected.base_url == f"https://aiplatform.googleapis.com/v1/{PUBLISHER}"
    assert connected.authentication == {"x-goog-api-key": "express-key"}


def test_a_refused_account_is_a_401_without_its_secrets(
    token_server: TokenServer, account: str, private_key: str
) -> None:
    token_server.refuses = True
    with pytest.raises(AuthenticationFailed, match="vertex: no access token") as caught:
        endpoint(vertex_credentials=account)
    assert "PRIVATE" not in caught.value.message
    assert private_key[40:60] not in caught.value.message


@pytest.mark.parametrize("given", ["{not json", '{"type": "service_account"}', "/nowhere/account.json"])
def test_credentials_that_are_none_are_a_401_that_says_what_to_set(given: str) -> None:
    with pytest.raises(AuthenticationFailed, match="vertex_credentials cannot be used"):
        endpoint(vertex_credentials=given)


@pytest.mark.parametrize("option", ["vertex_project", "vertex_location"])
def test_project_and_location_cannot_lead_elsewhere(account: str, option: str) -> None:
    with pytest.raises(ConfigurationError, match="unexpected form"):
        endpoint(vertex_credentials=account, **{option: "x/../../y@evil.example"})
