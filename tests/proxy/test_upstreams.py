"""Every provider as the upstream of one proxy: to the same requests answers of the same shape and size.

Each deployment calls a simulated provider over that provider's own wire, at its own address with its own key.
A provider of another package is among them: the example of docs/adding-a-provider.md, installed as it stands.
"""

import base64
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.pictures import look_at
from tests.proxy.conftest import SETTINGS, settings_of
from tests.proxy.responding import respond
from tests.proxy.support import Proxy, running_proxy, running_sandbox
from tests.unit.helpers import base64_of, picture_bytes
from tests.upstream import Upstream, running_upstream

EXAMPLE = Path(__file__).parents[2] / "docs" / "adding-a-provider.md"
SHAPE = {"aspect_ratio": "16:9", "image_size": "1K"}
ASKED = [{"role": "user", "content": "A lighthouse"}]
KEY = "sk-nex-key-that-nobody-may-see-of"


class Case(NamedTuple):
    """A deployment: its model, where on the simulated provider it calls, and what comes for `SHAPE` on chat.

    `cost` is worked out by hand, None where nobody tells what it costs.
    """

    model: str
    path: str
    size: tuple[int, int]
    cost: float | None
    settings: Any = None


GEMINI = (1376, 768)
# 3 tokens in at 2 USD a million; of 1,314 out 1,120 are the picture's at 120, and the others at 12.
TOLD_APART = (3 * 2 + (1314 - 1120) * 12 + 1120 * 120) / 1e6
# Where nobody tells them apart all are the picture's.
TOGETHER = (3 * 2 + 1314 * 120) / 1e6
CASES = {
    "gemini": Case("gemini/gemini-3-pro-image", "/v1beta", GEMINI, TOLD_APART),
    "vertex": Case("vertex/gemini-3-pro-image", "", GEMINI, TOLD_APART),
    # Gateways' own figures.
    "openrouter": Case("openrouter/google/gemini-3-pro-image", "/api/v1", GEMINI, TOLD_APART),
    "openrouter-drawing": Case("openrouter/bytedance-seed/seedream-4.5", "/api/v1", (1360, 768), 0.04),
    "vercel": Case("vercel/google/gemini-3-pro-image", "/v1", GEMINI, TOLD_APART),
    "vercel-gpt": Case("vercel/openai/gpt-image-2", "/v1", (1360, 768), (3 * 5 + 1749 * 30) / 1e6),
    # One megapixel of FLUX.
    "vercel-flux": Case("vercel/bfl/flux-2-pro", "/v1", (1360, 768), 0.03),
    "bfl": Case("bfl/flux-2-pro", "", (1360, 768), 0.03),
    "helicone": Case("helicone/gemini-3-pro-image/google-ai-studio", "/v1", GEMINI, TOGETHER),
    # It publishes no prices.
    "aione": Case("aione/gemini-3-pro-image-preview", "/v1", GEMINI, None),
    "aione-native": Case("aione/gemini-3-pro-image-preview", "/v1", GEMINI, None, settings_of(wire="native")),
    "openai": Case("openai/gpt-image-2", "/v1", (1360, 768), (3 * 5 + 1749 * 30) / 1e6),
    # By LiteLLM's own functions and prices; of Gemini it does not count the 180 tokens of thoughts.
    "litellm-openai": Case("litellm/openai/gpt-image-2", "/v1", (1360, 768), (3 * 5 + 1749 * 30) / 1e6),
    "litellm-gemini": Case(
        "litellm/gemini/gemini-3-pro-image", "/v1beta", GEMINI, (3 * 2 + 14 * 12 + 1120 * 120) / 1e6
    ),
    "openai-gpt-5": Case("openai/gpt-5", "/v1", (1360, 768), None),
}
# Where the router goes on to from each that fails.
NEXT = {"openrouter": "vercel", "vercel": "helicone", "helicone": "aione", "aione": "openrouter"}
WISHES = ("429 after 1", "500", "refuse prompt")


@dataclass(frozen=True)
class Upstreams:
    """A proxy in front of all providers, and the server of the other package's."""

    proxy: Proxy
    acme: Upstream


def key_of(name: str) -> str:
    return f"{KEY}-{name}"


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    folder = tmp_path_factory.mktemp("upstreams")
    with running_sandbox() as simulated, running_upstream() as acme:
        deployments = [
            _deployment(name, case.model, simulated + case.path, case.settings)
            for name, case in CASES.items()
        ]
        deployments.append(_deployment("acme", "acme/painter-1", acme.url))
        for failing in NEXT:
            case = CASES[failing]
            for wish in WISHES:
                deployment = _deployment(f"{failing}: {wish}", case.model, simulated + case.path)
                deployment["litellm_params"]["extra_headers"] = {"x-sandbox": wish}
                deployments.append(deployment)
        config = {
            "model_list": deployments,
            "litellm_settings": SETTINGS,
            "router_settings": {
                "num_retries": 0,
                "disable_cooldowns": True,
                "fallbacks": [{f"{name}: {wish}": [NEXT[name]]} for name in NEXT for wish in WISHES[:2]],
                "content_policy_fallbacks": [{f"{name}: {WISHES[2]}": [NEXT[name]]} for name in NEXT],
            },
        }
        with running_proxy(config, folder, variables={"PYTHONPATH": str(_installed(folder))}) as proxy:
            yield Upstreams(proxy, acme)


def _deployment(name: str, model: str, base: str, settings: Any = None) -> dict[str, Any]:
    parameters = {"model": f"imagegen/{model}", "api_key": key_of(name), "api_base": base}
    info = {"model_info": settings} if settings else {}
    return {"model_name": name, "litellm_params": parameters, **info}


def _installed(folder: Path) -> Path:
    """The example's package as an installer lays it out."""
    blocks = dict(re.findall(r"^```(toml|python)\n(.*?)^```", EXAMPLE.read_text(), re.DOTALL | re.MULTILINE))
    project = tomllib.loads(blocks["toml"])["project"]
    site = folder / "site"
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    ((group, entries),) = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    info.joinpath("entry_points.txt").write_text("\n".join(lines))
    (target,) = entries.values()
    site.joinpath(f"{target.partition(':')[0]}.py").write_text(blocks["python"])
    return site


def _size(base64_text: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(base64.b64decode(base64_text, validate=True))) as picture:
        picture.load()
        return picture.size


def on_chat(proxy: Proxy, name: str) -> list[tuple[int, int]]:
    answer = proxy.post({"model": name, "messages": ASKED, "image_config": SHAPE})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    (choice,) = shown["choices"]
    message = choice["message"]
    assert choice["finish_reason"] == "stop"
    assert isinstance(message["content"], str)
    assert {"role", "content", "images"} <= message.keys() <= {*_COMMON, "images", "reasoning_details"}
    assert [(image["type"], image["index"]) for image in message["images"]] == [("image_url", 0)]
    cost = CASES[name].cost
    assert shown["usage"].get("cost") == (cost and pytest.approx(cost, abs=1e-9))
    booked = float(answer.headers.get("x-litellm-response-cost") or 0)
    assert booked == pytest.approx(cost or 0, abs=1e-9)
    assert shown["provider_metadata"]["imagegen"]["provider"] == CASES[name].model.partition("/")[0]
    return [look_at(message["images"][0]["image_url"]["url"]).size]


_COMMON = ("role", "content", "tool_calls", "function_call", "provider_specific_fields", "annotations")


def on_streamed_chat(proxy: Proxy, name: str) -> list[tuple[int, int]]:
    frames = proxy.stream({"model": name, "messages": ASKED, "image_config": SHAPE})
    assert (frames.status, frames.done, frames.finish_reasons) == (200, True, ["stop"]), frames.error
    return [look_at(image["image_url"]["url"]).size for image in frames.images]


def on_generations(proxy: Proxy, name: str) -> list[tuple[int, int]]:
    answer = proxy.generate(name, "A lighthouse", **SHAPE)
    assert answer.status_code == 200, answer.text
    return [_size(one["b64_json"]) for one in answer.json()["data"]]


ENDPOINTS: dict[str, Callable[[Proxy, str], list[tuple[int, int]]]] = {
    "chat": on_chat,
    "chat, streamed": on_streamed_chat,
    "generations": on_generations,
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_same_request_brings_the_same_shape_and_the_size_asked_for(
    upstreams: Upstreams, name: str, endpoint: str
) -> None:
    assert ENDPOINTS[endpoint](upstreams.proxy, name) == [CASES[name].size]


def test_helicones_clients_read_pictures_as_parts_of_the_message(upstreams: Upstreams) -> None:
    response = respond(upstreams.proxy, "helicone", "A lighthouse", **SHAPE).json()
    assert [part["type"] for item in response["output"] for part in item["content"]] == [
        "output_text",
        "output_image",
    ]


def test_what_a_model_wants_back_goes_there_and_back(upstreams: Upstreams) -> None:
    """The simulated provider refuses reasoning that it has not given."""
    proxy = upstreams.proxy
    first = proxy.draw("openrouter", "A lighthouse").json()["choices"][0]["message"]
    assert first["reasoning_details"][0]["type"] == "reasoning.encrypted"
    kept = {key: first[key] for key in ("role", "content", "images", "reasoning_details")}
    messages = [*ASKED, kept, {"role": "user", "content": "Now at night"}]
    again = proxy.post({"model": "openrouter", "messages": messages})
    assert again.status_code == 200, again.text
    frames = proxy.stream({"model": "openrouter", "messages": messages})
    told = [detail for delta in frames.deltas for detail in delta.get("reasoning_details") or ()]
    assert [detail["type"] for detail in told] == ["reasoning.encrypted"]


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("bfl", "openai", "gemini")])
@pytest.mark.parametrize("wish", ["401", "429 after 17", "503", "refuse prompt", "not json", "cut off"])
def test_a_fault_of_any_upstream_is_told_alike(upstreams: Upstreams, name: str, wish: str) -> None:
    if (name, wish) == ("litellm-gemini", "refuse prompt"):
        return  # LiteLLM gives an answer without anything in it
    expected = {"401": 401, "429 after 17": 429, "503": 503, "refuse prompt": 200, "not json": 502}
    answer = upstreams.proxy.draw(name, f"A lighthouse [sandbox: {wish}]")
    assert answer.status_code == expected.get(wish, 502), answer.text
    assert key_of(name) not in answer.text
    if wish == "refuse prompt":
        (choice,) = answer.json()["choices"]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", "")
        assert choice["message"]["refusal"]
    else:
        provider = CASES[name].model.partition("/")[0]
        assert f"{provider}: " in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", NEXT)
@pytest.mark.parametrize("wish", WISHES)
def test_the_router_goes_on_from_one_to_the_next_with_the_same_request(
    upstreams: Upstreams, name: str, wish: str
) -> None:
    body = {"model": f"{name}: {wish}", "messages": ASKED, "image_config": SHAPE}
    answer = upstreams.proxy.post(body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["provider_metadata"]["imagegen"]["provider"] == NEXT[name]
    assert look_at(shown["choices"][0]["message"]["images"][0]["image_url"]["url"]).size == GEMINI
    frames = upstreams.proxy.stream(body)
    if wish == "refuse prompt":
        assert frames.finish_reasons == ["content_filter"]  # LiteLLM judges whole answers alone
    else:
        assert (frames.status, frames.finish_reasons) == (200, ["stop"]), frames.error
        assert [look_at(image["image_url"]["url"]).size for image in frames.images] == [GEMINI]


def test_a_provider_of_another_package_draws(upstreams: Upstreams) -> None:
    png = base64_of(picture_bytes("PNG", (640, 360)))
    upstreams.acme.will_say({"png": png})
    answer = upstreams.proxy.post(
        {"model": "acme", "messages": ASKED, "size": "640x360", "seed": 7, "quality": "high"}
    )
    shown = answer.json()
    assert look_at(shown["choices"][0]["message"]["images"][0]["image_url"]["url"]).size == (640, 360)
    assert shown["usage"]["cost"] == 0.02
    assert [notice["field"] for notice in shown["provider_metadata"]["imagegen"]["notices"]] == ["quality"]
    (sent,) = upstreams.acme.requests
    assert (sent.path, sent.headers["authorization"]) == ("/paint", f"Bearer {key_of('acme')}")
    assert sent.body == {
        "model": "painter-1",
        "prompt": "A lighthouse",
        "width": 640,
        "height": 360,
        "seed": 7,
    }
    assert [_size(one["b64_json"]) for one in upstreams.proxy.generate("acme", "x").json()["data"]] == [
        (640, 360)
    ]


def test_a_fault_of_a_provider_of_another_package_is_told_too(upstreams: Upstreams) -> None:
    upstreams.acme.will_say({"message": "too many painters"}, 429, {"retry-after": "4"})
    answer = upstreams.proxy.draw("acme", "A lighthouse")
    assert answer.status_code == 429
    assert "acme: too many painters (retry after 4 s)" in answer.json()["error"]["message"]


def test_no_key_is_in_the_log(upstreams: Upstreams) -> None:
    assert KEY not in upstreams.proxy.log
