"""One proxy for all tests of a worker: starting one takes seconds."""

from collections.abc import Iterator
from typing import Any

import pytest

from litellm_imagegen.sandbox import server
from tests.proxy.support import Proxy, running_proxy
from tests.upstream import Upstream, running_upstream

PROVIDER_KEY = "test-key-that-nobody-may-see"
SETTINGS = {
    "custom_provider_map": [{"provider": "imagegen", "custom_handler": "litellm_imagegen.handler"}],
    "callbacks": ["litellm_imagegen.callback"],
}


def gemini(name: str, base: str, model: str = "gemini-3-pro-image", **parts: Any) -> dict[str, Any]:
    """A deployment of provider gemini that calls `base`."""
    parameters = {"model": f"imagegen/gemini/{model}", "api_key": PROVIDER_KEY, "api_base": f"{base}/v1beta"}
    parameters |= parts.pop("litellm_params", {})
    return {"model_name": name, "litellm_params": parameters, **parts}


def settings_of(**imagegen: Any) -> dict[str, Any]:
    """`model_info` of a deployment with settings of ours."""
    return {"imagegen": imagegen}


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """The upstream of the deployments whose names begin with "recorded"."""
    with running_upstream() as started:
        yield started


@pytest.fixture(autouse=True)
def _fresh_upstream(request: pytest.FixtureRequest) -> None:
    if "upstream" in request.fixturenames:
        request.getfixturevalue("upstream").requests.clear()


@pytest.fixture(scope="session")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy with the deployments that the tests name. Upstreams are simulated and on loopback."""
    simulated = server.base_url()
    deployments = [
        {"model_name": "sandbox/*", "litellm_params": {"model": "imagegen/sandbox/*"}},
        gemini("nano-banana", simulated, "gemini-2.5-flash-image"),
        gemini("nano-banana-pro", simulated),
        gemini("nano-banana-pro-old", simulated, "gemini-3-pro-image-preview"),
        gemini("strict", simulated, model_info=settings_of(policy="strict")),
        gemini("insists", simulated, model_info=settings_of(on_no_image="error")),
        gemini("retries", simulated, model_info=settings_of(on_no_image="retry")),
        gemini("wide", simulated, model_info=settings_of(defaults={"aspect_ratio": "16:9"})),
        gemini("wide-parameters", simulated, litellm_params={"aspect_ratio": "16:9"}),
        gemini("hasty", simulated, litellm_params={"timeout": 1}),
        gemini("bad-key", simulated, litellm_params={"api_key": "invalid-key"}),
        gemini("no-key", simulated, litellm_params={"api_key": None}),
        gemini("unreachable", "http://127.0.0.1:9"),
        gemini("recorded", upstream.url),
        gemini("recorded-flash", upstream.url, "gemini-2.5-flash-image"),
        gemini("gone", simulated, "gemini-9-ultra-image"),
    ]
    config = {
        "model_list": deployments,
        "litellm_settings": {**SETTINGS, "imagegen_settings": {"locked": ["safety_settings"]}},
    }
    with running_proxy(config, tmp_path_factory.mktemp("proxy")) as started:
        yield started
