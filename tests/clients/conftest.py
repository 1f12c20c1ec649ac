"""A proxy that has the model names of the documents, and programs in Node that call it.

`make test-clients` installs what the tests here need, and asks for them; they skip otherwise.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.conftest import SETTINGS, settings_of
from tests.proxy.support import Proxy, running_proxy

FOLDER = Path(__file__).parent
KEYS = ("API_KEY", "AI_GATEWAY_API_KEY", "HELICONE_API_KEY", "AIONE_API_KEY")
# Small enough for a program that takes whatever one read brings for whole lines.
SMALL = {"image_size": "512", "output_format": "webp", "output_compression": 1}

# What stands behind the documents' model names for a client that calls with the key of an upstream.
GEMINI = "gemini-3-pro-image"
UPSTREAMS = {
    "openrouter": {
        "pro": f"google/{GEMINI}",
        "small": "google/gemini-3.1-flash-image",
        "drawing": "black-forest-labs/flux.2-pro",
    },
    "vercel": {
        "pro": f"google/{GEMINI}",
        "small": "google/gemini-3.1-flash-image",
        "drawing": "bfl/flux-2-pro",
    },
    "helicone": {
        "pro": f"{GEMINI}/google-ai-studio",
        "small": "gemini-3.1-flash-image/google-ai-studio",
        "drawing": f"{GEMINI}/google-ai-studio",
    },
    "aione": {
        "pro": f"{GEMINI}-preview",
        "small": "gemini-3.1-flash-image-preview",
        "drawing": f"{GEMINI}-preview",
    },
}
NAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "small": ("small", {"defaults": SMALL}),
    "google/imagen-4.0-ultra-generate-001": ("drawing", {}),
    "bfl/flux-2-pro": ("drawing", {}),
    "google/gemini-2.5-flash-image-preview": ("pro", {}),
    "gemini-3-pro-image-preview/google-ai-studio": ("pro", {"responses": "output_image"}),
    "gemini-3-pro-image-preview": ("pro", {"output": "parts"}),
}
# Which upstream a client gets is told by its key.
AUTHENTICATION = """
from litellm.proxy._types import UserAPIKeyAuth

async def by_upstream(request, api_key):
    upstream = api_key.rpartition("-")[2]
    names = {names}
    aliases = {{name: f"{{upstream}}: {{name}}" for name in names}} if upstream in {upstreams} else {{}}
    return UserAPIKeyAuth(api_key=api_key, aliases=aliases)
"""

Program = Callable[..., dict[str, Any]]
Sample = Callable[..., list[str]]


def _deployment(name: str, model: str, **settings: Any) -> dict[str, Any]:
    parameters = {"model": f"imagegen/sandbox/{model}"}
    return {"model_name": name, "litellm_params": parameters, "model_info": settings_of(**settings)}


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    if "IMAGEGEN_CLIENTS" not in os.environ:
        pytest.skip("make test-clients installs the clients")
    config = {
        "model_list": [
            _deployment("sandbox/*", "*"),
            _deployment("small", "gemini-3.1-flash-image", defaults=SMALL),
            _deployment("google/imagen-4.0-ultra-generate-001", "imagen-4.0-ultra-generate-001"),
            _deployment("bfl/flux-2-pro", "flux-2-pro"),
            _deployment("google/gemini-2.5-flash-image-preview", "gemini-2.5-flash-image"),
            _deployment(
                "gemini-3-pro-image-preview/google-ai-studio", "gemini-3-pro-image", responses="output_image"
            ),
            *(
                _deployment(f"gemini-3-pro-image-preview{size}", f"gemini-3-pro-image{size}", output="parts")
                for size in ("", "-2k")
            ),
            *(
                _deployment(f"{upstream}: {name}", f"{upstream}/{models[kind]}", **settings)
                for upstream, models in UPSTREAMS.items()
                for name, (kind, settings) in NAMES.items()
            ),
        ],
        "litellm_settings": SETTINGS,
        "general_settings": {"custom_auth": "authentication.by_upstream"},
    }
    folder = tmp_path_factory.mktemp("clients")
    program = AUTHENTICATION.format(names=[*NAMES], upstreams=[*UPSTREAMS])
    folder.joinpath("authentication.py").write_text(program)
    with running_proxy(config, folder) as started:
        yield started


@pytest.fixture(scope="session")
def environment(proxy: Proxy) -> dict[str, str]:
    """What a program needs to find the proxy, under the names that the documents' programs read."""
    base_url = f"{proxy.url}/v1"
    names = ("BASE_URL", "AI_GATEWAY_BASE_OPENAI_COMPAT_URL")
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return inherited | dict.fromkeys(names, base_url) | dict.fromkeys(KEYS, proxy.key)


@pytest.fixture
def node(environment: dict[str, str]) -> Program:
    """Runs a program with one call and its request, and reads the JSON that it prints."""

    def run(program: str, call: str, /, **request: Any) -> dict[str, Any]:
        said = _run(["node", program, call, json.dumps(request)], environment, FOLDER)
        answer: dict[str, Any] = json.loads(said)
        return answer

    return run


@pytest.fixture
def sample(environment: dict[str, str], tmp_path: Path) -> Sample:
    """Runs a document's program, in an empty folder but for `output`, and gives the lines that it prints."""
    (tmp_path / "output").mkdir()

    def run(program: str, *arguments: str, upstream: str | None = None) -> list[str]:
        path = FOLDER / "samples" / program
        command = ["node" if path.suffix == ".mjs" else sys.executable, str(path), *arguments]
        keys = dict.fromkeys(KEYS, f"sk-{upstream}") if upstream else {}
        return _run(command, environment | keys, tmp_path).splitlines()

    return run


def _run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
