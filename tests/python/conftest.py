"""LiteLLM in this process, with and without our callback."""

import litellm
import pytest

import litellm_imagegen
from litellm_imagegen.plugin import config


@pytest.fixture(autouse=True)
def _untouched_litellm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test registers for itself and leaves LiteLLM as it was."""
    monkeypatch.setattr(litellm, "custom_provider_map", [])
    monkeypatch.setattr(litellm, "callbacks", [])
    monkeypatch.setattr(config._Registered, "settings", None)


@pytest.fixture(params=["with callback", "without callback"])
def registered(request: pytest.FixtureRequest) -> str:
    """Our provider, with the callback or without."""
    litellm_imagegen.register()
    if request.param == "without callback":
        litellm.callbacks.remove(litellm_imagegen.callback)
    return str(request.param)
