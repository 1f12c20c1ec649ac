"""OpenAI's client for Node against a real proxy. `make test-clients` installs it; without it these skip."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.conftest import SETTINGS
from tests.proxy.support import Proxy, running_proxy

FOLDER = Path(__file__).parent
IS_INSTALLED = shutil.which("node") is not None and (FOLDER / "node_modules" / "openai").exists()
IS_WANTED = "IMAGEGEN_CLIENTS" in os.environ
pytestmark = pytest.mark.skipif(
    not (IS_INSTALLED or IS_WANTED), reason="make test-clients installs the client"
)

IMAGEN, FLUX = "google/imagen-4.0-ultra-generate-001", "bfl/flux-2-pro"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy whose models have the names of Vercel's gateway."""
    models = {name: {"model": f"imagegen/sandbox/{name.partition('/')[2]}"} for name in (IMAGEN, FLUX)}
    config = {
        "model_list": [{"model_name": name, "litellm_params": given} for name, given in models.items()],
        "litellm_settings": SETTINGS,
    }
    with running_proxy(config, tmp_path_factory.mktemp("clients")) as started:
        yield started


def drawn(proxy: Proxy, **request: Any) -> dict[str, Any]:
    command = ["node", "openai_images.mjs", f"{proxy.url}/v1", proxy.key, "generate", json.dumps(request)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=100, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


# https://vercel.com/docs/ai-gateway/openai-compat/image-generation
def test_vercels_sample_for_imagen_draws(proxy: Proxy) -> None:
    answer = drawn(
        proxy,
        model=IMAGEN,
        prompt="A cascading waterfall in a lush rainforest",
        n=2,
        providerOptions={"googleVertex": {"aspectRatio": "1:1", "safetyFilterLevel": "block_some"}},
    )
    assert [look_at(f"data:image/png;base64,{one}").size for one in answer["pictures"]] == [(1024, 1024)] * 2
    [notice] = answer["provider_metadata"]["imagegen"]["notices"]
    assert "safetyFilterLevel" in notice["field"]


def test_vercels_sample_for_flux_draws(proxy: Proxy) -> None:
    answer = drawn(
        proxy,
        model=FLUX,
        prompt="A river made of white owl feathers",
        n=3,
        providerOptions={"blackForestLabs": {"outputFormat": "jpeg", "safetyTolerance": 2}},
    )
    assert answer["output_format"] == "jpeg"
    seen = [look_at(f"data:image/jpeg;base64,{one}") for one in answer["pictures"]]
    assert [picture.format for picture in seen] == ["JPEG"] * 3
    assert answer["provider_metadata"]["imagegen"]["notices"] == []


def test_a_bad_value_is_an_error_that_names_the_field(proxy: Proxy) -> None:
    answer = drawn(proxy, model=FLUX, prompt="x", size="huge")
    assert answer["status"] == 400
    assert answer["param"] == "size"
