"""The Images API of a real proxy over every wire, and models that only draw on chat completions."""

import base64
import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
from litellm import exceptions
from PIL import Image, ImageChops

from litellm_imagegen.sandbox import server
from tests.pictures import Seen, data_url, look_at
from tests.proxy.conftest import PROVIDER_KEY, SETTINGS, gemini, settings_of
from tests.proxy.support import FormFile, Frames, Proxy, running_proxy
from tests.proxy.test_bypass import comparable
from tests.proxy.test_outcomes import assert_harmless
from tests.upstream import Upstream, running_upstream

PICTURE_LIMIT = 1_000_000
HASTY_SECONDS = 0.5


@dataclass(frozen=True)
class Wire:
    """A model of a wire: the provider that calls it, where its API begins, and what a picture costs."""

    provider: str
    model: str
    path: str
    seed: Mapping[str, int]


# Every model here draws the same picture for the same request, FLUX only when it gets a seed.
WIRES = {
    "gemini": Wire("gemini", "gemini-3-pro-image", "/v1beta", {}),
    "bfl": Wire("bfl", "flux-2-pro", "", {"seed": 7}),
    "openai": Wire("openai", "gpt-image-2", "/v1", {}),
    "imagen": Wire("gemini", "imagen-4.0-generate-001", "/v1beta", {}),
}


def deployment(name: str, wire: Wire, base: str, **parts: Any) -> dict[str, Any]:
    parameters = {
        "model": f"imagegen/{wire.provider}/{wire.model}",
        "api_key": PROVIDER_KEY,
        "api_base": base + wire.path,
        **parts.pop("litellm_params", {}),
    }
    return {"model_name": name, "litellm_params": parameters, **parts}


@pytest.fixture(scope="module")
def recording() -> Iterator[Upstream]:
    """The upstream of the deployments whose names begin with "recorded"."""
    with running_upstream() as started:
        yield started


@pytest.fixture(autouse=True)
def _nothing_recorded(recording: Upstream) -> None:
    recording.requests.clear()


@pytest.fixture(scope="module")
def proxy(recording: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    simulated = server.base_url()
    deployments: list[dict[str, Any]] = [
        {"model_name": "sandbox/*", "litellm_params": {"model": "imagegen/sandbox/*"}},
        gemini("recorded-gemini", recording.url),
        deployment("recorded-bfl", Wire("bfl", "flux-kontext-pro", "", {}), recording.url),
        deployment("recorded-openai", WIRES["openai"], recording.url),
    ]
    for name, wire in WIRES.items():
        deployments += [
            deployment(name, wire, simulated),
            deployment(f"{name}-off", wire, simulated, model_info=settings_of(bypass="off")),
            deployment(f"{name}-strict", wire, simulated, model_info=settings_of(policy="strict")),
            deployment(f"{name}-hasty", wire, simulated, litellm_params={"timeout": HASTY_SECONDS}),
            deployment(f"{name}-bad-key", wire, simulated, litellm_params={"api_key": "invalid-key"}),
            deployment(f"{name}-no-key", wire, simulated, litellm_params={"api_key": None}),
            deployment(
                f"{name}-unreachable", wire, simulated, litellm_params={"api_base": "http://127.0.0.1:9"}
            ),
        ]
    limits = {"reference_bytes": PICTURE_LIMIT}
    config = {
        "model_list": deployments,
        "litellm_settings": {**SETTINGS, "imagegen_settings": {"limits": limits}},
    }
    with running_proxy(config, tmp_path_factory.mktemp("images")) as started:
        yield started


@pytest.fixture(scope="module")
def client(proxy: Proxy) -> Iterator[openai.OpenAI]:
    """The official client."""
    with (
        httpx.Client(trust_env=False, timeout=60) as transport,
        openai.OpenAI(
            api_key=proxy.key, base_url=f"{proxy.url}/v1", max_retries=0, http_client=transport
        ) as opened,
    ):
        yield opened


def prompt(wish: str) -> str:
    return f"A lighthouse [sandbox: {wish}]"


def pictures(answer: httpx.Response) -> list[Seen]:
    """The pictures of an answer, each of them of the size and the format that the answer tells."""
    assert answer.status_code == 200, answer.text[:500]
    body = answer.json()
    return [look_at(f"data:image/{body['output_format']};base64,{item['b64_json']}") for item in body["data"]]


def opened(answer: httpx.Response, index: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer.json()["data"][index]["b64_json"]))).convert("RGB")


def sha256s(answer: httpx.Response) -> list[str]:
    return [picture.sha256 for picture in pictures(answer)]


def told_notices(answer: httpx.Response) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = answer.json()["provider_metadata"]["imagegen"]["notices"]
    return told


def assert_error(answer: httpx.Response, status: int, kind: str, *words: str) -> dict[str, Any]:
    """An error of this status and of LiteLLM's type `kind`, whose message is harmless and has all `words`."""
    assert answer.status_code == status, answer.text[:500]
    error: dict[str, Any] = answer.json()["error"]
    assert error["message"].startswith(f"litellm.{kind}: ")
    assert error["code"] == str(status)
    assert all(word in error["message"] for word in words), error["message"]
    assert_harmless(error["message"])
    return error


# What happened, and what the Images API says about it.

REFUSALS = [
    ("gemini", "refuse prompt", "gemini: refused the prompt: PROHIBITED_CONTENT"),
    ("gemini", "block SAFETY", "gemini: refused the prompt: SAFETY"),
    ("gemini", "refuse picture", "gemini: refused the answer: IMAGE_SAFETY: "),
    ("gemini", "finish SPII", "gemini: refused the answer: SPII"),
    ("bfl", "refuse prompt", "bfl: refused the prompt: PROHIBITED_CONTENT"),
    ("bfl", "refuse picture", "bfl: refused the picture: "),
    ("openai", "refuse prompt", "openai: refused the prompt: "),
    ("openai", "refuse picture", "openai: refused the picture: "),
    ("imagen", "refuse prompt", "gemini: refused the prompt: "),
    ("imagen", "refuse picture", "gemini: refused the picture: "),
    ("imagen", "empty", "gemini: refused the picture: filtered, without a reason"),
]


@pytest.mark.parametrize(("name", "wish", "words"), REFUSALS)
def test_a_refusal_is_a_content_policy_violation(proxy: Proxy, name: str, wish: str, words: str) -> None:
    kind = "litellm.ContentPolicyViolationError: "  # LiteLLM's router puts its own name before it
    assert_error(proxy.generate(name, prompt(wish)), 400, "BadRequestError", kind, words)


UNUSABLE = [
    ("gemini", "empty", "an empty answer"),
    ("gemini", "no image", "an empty answer, neither words nor a picture (NO_IMAGE)"),
    ("gemini", "cut off", "the reply was cut off; the call may be charged"),
    ("gemini", "not json", "not JSON"),
    ("gemini", "unknown shape", "unknown shape"),
    ("gemini", "bad base64", "not base64"),
    ("bfl", "empty", "an empty answer"),
    ("bfl", "not json", "not JSON"),
    ("bfl", "unknown shape", "unknown shape"),
    ("openai", "empty", "an empty answer"),
    ("openai", "cut off", "the reply was cut off; the call may be charged"),
    ("openai", "not json", "not JSON"),
    ("openai", "unknown shape", "unknown shape"),
    ("openai", "bad base64", "not base64"),
    ("imagen", "cut off", "the reply was cut off; the call may be charged"),
    ("imagen", "not json", "not JSON"),
    ("imagen", "unknown shape", "unknown shape"),
    ("imagen", "bad base64", "not base64"),
]


@pytest.mark.parametrize(("name", "wish", "words"), UNUSABLE)
def test_a_reply_without_a_usable_picture_is_a_502(proxy: Proxy, name: str, wish: str, words: str) -> None:
    assert_error(
        proxy.generate(name, prompt(wish)), 502, "BadGatewayError", f"{WIRES[name].provider}: ", words
    )


_PAYMENT = "PaymentRequiredError" if hasattr(exceptions, "PaymentRequiredError") else "APIError"
STATUSES = [
    ("400", 400, "BadRequestError"),
    ("401", 401, "AuthenticationError"),
    ("402", 402, _PAYMENT),
    ("403", 403, "PermissionDeniedError"),
    ("404", 404, "NotFoundError"),
    ("429 after 17", 429, "RateLimitError"),
    ("500", 500, "InternalServerError"),
    ("503", 503, "ServiceUnavailableError"),
    ("504", 503, "ServiceUnavailableError"),
    ("html 502", 503, "ServiceUnavailableError"),
    ("status 413", 400, "BadRequestError"),
    ("status 422", 400, "BadRequestError"),
]


@pytest.mark.parametrize(("wish", "status", "kind"), STATUSES)
@pytest.mark.parametrize("name", WIRES)
def test_an_error_of_the_provider_keeps_its_meaning(
    proxy: Proxy, name: str, wish: str, status: int, kind: str
) -> None:
    if (name, wish) == ("bfl", "403"):  # this provider forbids where others do not know the key
        status, kind = 401, "AuthenticationError"
    # A job's queue is waited for as long as there is time: here there is none.
    model = f"{name}-hasty" if wish.startswith("429") else name
    error = assert_error(proxy.generate(model, prompt(wish)), status, kind, f"{WIRES[name].provider}: ")
    if wish.startswith("429"):
        assert "(retry after 17 s)" in error["message"], "LiteLLM sends no header of an error here"


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize(
    ("trouble", "status", "kind"),
    [
        ("bad-key", 401, "AuthenticationError"),
        ("no-key", 401, "AuthenticationError"),
        ("unreachable", 503, "ServiceUnavailableError"),
    ],
)
def test_a_deployment_that_cannot_call_says_why(
    proxy: Proxy, name: str, trouble: str, status: int, kind: str
) -> None:
    assert_error(proxy.generate(f"{name}-{trouble}", "x"), status, kind, f"{WIRES[name].provider}: ")


def test_our_deadline_is_a_408(proxy: Proxy) -> None:
    asked = [(f"{name}-hasty", prompt(wish)) for name in WIRES for wish in ("never", "slow 60")]
    with ThreadPoolExecutor(len(asked)) as threads:
        answers = list(threads.map(lambda given: proxy.generate(*given), asked))
    for answer in answers:
        assert_error(answer, 408, "Timeout", f"within the deadline of {HASTY_SECONDS} s")


@pytest.mark.parametrize("wish", ["words only", "finish NO_IMAGE; words"])
@pytest.mark.parametrize("on_no_image", ["text", "retry", "error"])
def test_words_only_is_a_422_that_has_the_words(proxy: Proxy, wish: str, on_no_image: str) -> None:
    answer = proxy.generate("gemini", prompt(wish), imagegen={"on_no_image": on_no_image})
    assert_error(
        answer, 422, "UnprocessableEntityError", "no_image: gemini answered in words only: ", "(sandbox)"
    )


def test_cut_by_max_tokens_before_a_picture_is_a_422(proxy: Proxy) -> None:
    answer = proxy.generate("gemini", prompt("max tokens"))
    assert_error(answer, 422, "UnprocessableEntityError", "truncated: gemini reached the token limit")


def test_a_model_that_is_gone_is_a_404_that_names_another(proxy: Proxy) -> None:
    answer = proxy.generate("imagen", prompt("retired"))
    assert_error(answer, 404, "NotFoundError", "gemini-nano-banana-2.1")


def test_a_job_that_fails_is_a_500(proxy: Proxy) -> None:
    answer = proxy.generate("bfl", prompt("job failed"))
    assert_error(answer, 500, "InternalServerError", "bfl: the job failed: The task could not be finished.")


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"n": 0}, "n"),
    ({"n": 11}, "n"),
    ({"n": 10_000}, "n"),
    ({"size": "big"}, "size"),
    ({"size": "999999x1"}, "size"),
    ({"quality": "best"}, "quality"),
    ({"output_format": "bmp"}, "output_format"),
    ({"background": "blue"}, "background"),
    ({"aspect_ratio": "wide"}, "aspect_ratio"),
    ({"image_size": "9K"}, "image_size"),
    ({"width": -1}, "width"),
    ({"size": "1024x1024", "aspect_ratio": "16:9"}, "size"),
    ({"providerOptions": "jpeg"}, "providerOptions"),
    ({"imagegen": {"policy": "lenient"}}, "imagegen"),
    ({"prompt": "  "}, "prompt"),
]


@pytest.mark.parametrize(("fields", "field"), BAD_FIELDS, ids=str)
@pytest.mark.parametrize("name", ["gemini", "bfl"])
def test_a_bad_parameter_is_a_400_that_names_it(
    proxy: Proxy, name: str, fields: dict[str, Any], field: str
) -> None:
    answer = proxy.post_images("generations", {"model": name, "prompt": "x", **fields})
    assert assert_error(answer, 400, "BadRequestError", field)["param"] == field


def test_what_a_wire_has_not_is_a_400_under_the_strict_policy(proxy: Proxy) -> None:
    for name in WIRES:
        error = assert_error(proxy.generate(f"{name}-strict", "x", style="vivid"), 400, "BadRequestError")
        assert error["param"] == "style"


# Shapes.

PRICES = {
    "gemini": 3 * 2e-6 + 194 * 12e-6 + 1120 * 120e-6,  # input, thoughts and words, picture
    "bfl": 0.03,  # one megapixel
    "openai": 3 * 5e-6 + 1756 * 30e-6,  # input, picture
    "imagen": 0.04,  # one picture
}
TURNED_OUT: dict[str, dict[str, str | None]] = {
    "gemini": {"output_format": "jpeg", "quality": None, "background": None},
    "bfl": {"output_format": "jpeg", "quality": None, "background": None},
    "openai": {"output_format": "png", "quality": "medium", "background": "opaque"},
    "imagen": {"output_format": "png", "quality": None, "background": None},
}
USAGES: dict[str, dict[str, Any] | None] = {
    "gemini": {
        "input_tokens": 3,
        "input_tokens_details": {"text_tokens": 3, "image_tokens": 0},
        "output_tokens": 1314,
        "output_tokens_details": {"image_tokens": 1120, "text_tokens": 194},
        "total_tokens": 1317,
    },
    "openai": {
        "input_tokens": 3,
        "input_tokens_details": {"text_tokens": 3, "image_tokens": 0},
        "output_tokens": 1756,
        "output_tokens_details": {"image_tokens": 1756, "text_tokens": 0},
        "total_tokens": 1759,
    },
    "bfl": None,
    "imagen": None,
}


@pytest.mark.parametrize("name", WIRES)
def test_an_answer_is_openais_images_object(proxy: Proxy, name: str) -> None:
    before = int(time.time())
    answer = proxy.generate(name, "A lighthouse", **WIRES[name].seed)
    [seen] = pictures(answer)
    body = answer.json()
    assert seen.size == (1024, 1024)
    assert body["size"] == "1024x1024"
    assert {key: body[key] for key in TURNED_OUT[name]} == TURNED_OUT[name]
    assert before <= body["created"] <= time.time()
    assert body.get("usage") == USAGES[name]
    assert body["data"][0].get("url") is None
    assert "x-imagegen-notices" not in answer.headers


@pytest.mark.parametrize("name", WIRES)
def test_a_picture_costs_what_the_vendor_lists(proxy: Proxy, name: str) -> None:
    answer = proxy.generate(name, "A lighthouse")
    cost = float(answer.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(PRICES[name], abs=1e-9, rel=0)


def test_larger_or_more_pictures_cost_more(proxy: Proxy) -> None:
    def cost(name: str, **fields: Any) -> float:
        answer = proxy.generate(name, "A lighthouse", **fields)
        assert answer.status_code == 200
        return float(answer.headers["x-litellm-response-cost"])

    # One megapixel and one that is begun, twice; 15 and 30 USD a thousand.
    assert cost("bfl", n=2, size="1024x1536") == pytest.approx(2 * 0.045, abs=1e-9, rel=0)
    assert cost("imagen", n=3) == pytest.approx(3 * 0.04, abs=1e-9, rel=0)
    assert cost("openai", n=2) == pytest.approx(3 * 5e-6 + 2 * 1756 * 30e-6, abs=1e-9, rel=0)
    assert cost("gemini", n=2) == pytest.approx(2 * PRICES["gemini"], abs=1e-9, rel=0)
    assert cost("openai", quality="high") == pytest.approx(3 * 5e-6 + 7024 * 30e-6, abs=1e-9, rel=0)


@pytest.mark.parametrize("name", WIRES)
def test_the_metadata_tells_every_picture(proxy: Proxy, name: str) -> None:
    answer = proxy.generate(name, "A lighthouse", n=2, style="vivid", **WIRES[name].seed)
    facts = answer.json()["provider_metadata"]
    assert facts.keys() == {WIRES[name].provider, "imagegen"}
    ours = facts["imagegen"]
    assert (ours["provider"], ours["model"]) == (WIRES[name].provider, WIRES[name].model)
    [notice] = ours["notices"]
    assert notice == {
        "field": "style",
        "asked": "vivid",
        "used": None,
        "why": f"{WIRES[name].model} has no such field",
    }
    assert answer.headers["x-imagegen-notices"] == "style=unsupported"
    raws = [base64.b64decode(item["b64_json"]) for item in answer.json()["data"]]
    assert ours["images"] == [
        {
            "mime": f"image/{answer.json()['output_format']}",
            "width": seen.size[0],
            "height": seen.size[1],
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            # Each call has another seed, or all would draw the same.
            "seed": WIRES[name].seed["seed"] + number if WIRES[name].seed else None,
        }
        for number, (seen, raw) in enumerate(zip(pictures(answer), raws, strict=True))
    ]
    assert ("text" in ours) == (name == "gemini")


def test_words_beside_a_picture_are_in_the_metadata(proxy: Proxy) -> None:
    facts = proxy.generate("gemini", "A lighthouse").json()["provider_metadata"]
    assert facts["imagegen"]["text"] == "Here is the picture you asked for, 1024 by 1024 pixels."
    assert facts["gemini"]["finishReason"] == "STOP"


def test_the_providers_own_facts_are_in_the_metadata(proxy: Proxy) -> None:
    answer = proxy.generate("openai", "A lighthouse").json()
    assert answer["provider_metadata"]["openai"]["created"] == answer["created"]
    facts = proxy.generate("bfl", "A lighthouse").json()["provider_metadata"]["bfl"]
    assert (facts["cost"], facts["output_mp"]) == (3.0, 1.0)


# Several pictures.


def provider_pictures(name: str, count: int) -> list[str]:
    """The pictures that the simulated provider itself gives for one call, by their hashes."""
    base, key = server.base_url(), {"x-goog-api-key": "k"}
    with httpx.Client(trust_env=False, timeout=60) as direct:
        if name == "openai":
            body: dict[str, Any] = {"model": "gpt-image-2", "prompt": "A lighthouse", "n": count}
            said = direct.post(
                f"{base}/v1/images/generations", json=body, headers={"authorization": "Bearer k"}
            )
            texts = [item["b64_json"] for item in said.json()["data"]]
        else:
            body = {"instances": [{"prompt": "A lighthouse"}], "parameters": {"sampleCount": count}}
            url = f"{base}/v1beta/models/imagen-4.0-generate-001:predict"
            said = direct.post(url, json=body, headers=key)
            texts = [item["bytesBase64Encoded"] for item in said.json()["predictions"]]
    return [hashlib.sha256(base64.b64decode(text)).hexdigest() for text in texts]


@pytest.mark.parametrize("name", ["openai", "imagen"])
def test_n_pictures_are_the_providers_own_bytes_in_its_order(proxy: Proxy, name: str) -> None:
    expected = provider_pictures(name, 3)
    assert len(set(expected)) == 3
    assert sha256s(proxy.generate(name, "A lighthouse", n=3)) == expected


def test_n_over_what_a_call_gives_takes_several_calls_in_their_order(proxy: Proxy) -> None:
    whole, rest = provider_pictures("imagen", 4), provider_pictures("imagen", 2)
    assert sha256s(proxy.generate("imagen", "A lighthouse", n=10)) == [*whole, *whole, *rest]
    assert sha256s(proxy.generate("openai", "A lighthouse", n=10)) == provider_pictures("openai", 10)


@pytest.mark.parametrize(("name", "count"), [("bfl", 3), ("bfl", 10), ("gemini", 3)])
def test_n_where_a_call_gives_one_takes_n_calls(proxy: Proxy, name: str, count: int) -> None:
    def counts() -> dict[str, int]:
        told: dict[str, int] = httpx.get(f"{server.base_url()}/v1/sandbox/bfl", trust_env=False).json()
        return told

    before = counts()
    answer = proxy.generate(name, "A lighthouse", n=count, size="1024x1024")
    assert [seen.size for seen in pictures(answer)] == [(1024, 1024)] * count
    told = [image["sha256"] for image in answer.json()["provider_metadata"]["imagegen"]["images"]]
    assert told == sha256s(answer)
    if name == "bfl":
        assert len(set(told)) == count, "each job has its own seed"
        assert counts()["submits"] - before["submits"] == count
        assert counts()["downloads"] - before["downloads"] == count


def test_what_is_left_of_n_is_given_when_some_are_refused(proxy: Proxy) -> None:
    answer = proxy.generate("imagen", prompt("filter 1"), n=3)
    whole = proxy.generate("imagen", "A lighthouse ", n=3)
    assert len(pictures(answer)) == 2
    assert len(pictures(whole)) == 3
    [notice] = told_notices(answer)
    assert notice["field"] == "answer"
    assert "refused the picture" in notice["why"]
    assert answer.headers["x-imagegen-notices"] == "answer=adapted"
    cost = float(answer.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(0.08, abs=1e-9, rel=0)


def test_of_more_pictures_than_asked_for_the_last_are_given(proxy: Proxy) -> None:
    answer = proxy.generate("openai", prompt("pictures 3"))
    three = proxy.generate("openai", prompt("pictures 3"), n=3)
    assert sha256s(answer) == sha256s(three)[-1:]
    [notice] = told_notices(answer)
    assert (notice["field"], notice["asked"], notice["used"]) == ("n", 1, 3)
    assert answer.headers["x-imagegen-notices"] == "n=adapted"


def test_drafts_are_not_shown(proxy: Proxy) -> None:
    drafts = proxy.generate("gemini", prompt("drafts"))
    assert [seen.size for seen in pictures(drafts)] == [(1024, 1024)]
    assert told_notices(drafts) == []


# The picture's shape in every spelling.

Pixels = tuple[int, int]
SIZES: list[tuple[dict[str, Any], dict[str, Pixels], dict[str, str]]] = [
    (
        {},
        {"gemini": (1024, 1024), "bfl": (1024, 1024), "openai": (1024, 1024), "imagen": (1024, 1024)},
        {},
    ),
    (
        {"size": "auto"},
        {"gemini": (1024, 1024), "bfl": (1024, 1024), "openai": (1024, 1024), "imagen": (1024, 1024)},
        {},
    ),
    (
        {"size": "1536x1024"},
        {"gemini": (2528, 1696), "bfl": (1536, 1024), "openai": (1536, 1024), "imagen": (2560, 1792)},
        {"gemini": "size=adapted", "imagen": "size=adapted"},
    ),
    (
        {"size": "16:9"},
        {"gemini": (1376, 768), "bfl": (1360, 768), "openai": (1360, 768), "imagen": (1408, 768)},
        {},
    ),
    *(
        (fields, {"gemini": (1376, 768), "openai": (1360, 768)}, dict[str, str]())
        for fields in (
            {"aspect_ratio": "16:9"},
            {"aspectRatio": "16:9"},
            {"image_config": {"aspect_ratio": "16:9"}},
            {"generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}},
            {"extra_body": {"aspect_ratio": "16:9"}},
            {"size": "landscape_16_9"},
        )
    ),
    (
        {"width": 1376, "height": 768},
        {"gemini": (1376, 768), "bfl": (1376, 768), "openai": (1376, 768), "imagen": (1408, 768)},
        {"imagen": "width, height=adapted"},
    ),
    (
        {"image_size": {"width": 1376, "height": 768}},
        {"gemini": (1376, 768), "bfl": (1376, 768), "openai": (1376, 768), "imagen": (1408, 768)},
        {"imagen": "image_size.width, image_size.height=adapted"},
    ),
    *(
        (
            fields,
            {"gemini": (2752, 1536), "bfl": (2720, 1536), "openai": (2736, 1536), "imagen": (2816, 1536)},
            dict[str, str](),
        )
        for fields in (
            {"aspect_ratio": "16:9", "image_size": "2K"},
            {"image_generation": {"aspect_ratio": "16:9", "image_size": "2K"}},
        )
    ),
]


@pytest.mark.parametrize(("fields", "sizes", "notices"), SIZES, ids=lambda value: json.dumps(value)[:60])
def test_a_size_in_every_spelling(
    proxy: Proxy, fields: dict[str, Any], sizes: dict[str, Pixels], notices: dict[str, str]
) -> None:
    for name, size in sizes.items():
        answer = proxy.generate(name, "x", **fields)
        [seen] = pictures(answer)
        assert (name, seen.size) == (name, size)
        assert answer.json()["size"] == f"{size[0]}x{size[1]}"
        assert answer.headers.get("x-imagegen-notices") == notices.get(name)


OPTIONS = [
    ("bfl", {"blackForestLabs": {"width": 1408, "height": 768, "seed": 7}}, (1408, 768)),
    ("bfl", {"black_forest_labs": {"aspectRatio": "16:9"}}, (1360, 768)),
    ("gemini", {"google": {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}}}, (2752, 1536)),
    ("imagen", {"google": {"aspectRatio": "9:16"}}, (768, 1408)),
    ("imagen", {"vertex": {"aspectRatio": "9:16", "sampleImageSize": "2K"}}, (1536, 2816)),
    ("openai", {"openai": {"size": "1024x1536"}}, (1024, 1536)),
    # What is meant for another vendor is a wish all the same, as long as nothing says otherwise.
    ("openai", {"google": {"aspectRatio": "16:9"}}, (1360, 768)),
]


@pytest.mark.parametrize(("name", "options", "size"), OPTIONS, ids=str)
@pytest.mark.parametrize("key", ["providerOptions", "provider_options"])
def test_provider_options_give_the_shape(
    proxy: Proxy, key: str, name: str, options: dict[str, Any], size: Pixels
) -> None:
    [seen] = pictures(proxy.generate(name, "x", **{key: options}))
    assert seen.size == size


def test_vercels_sample_for_imagen(client: openai.OpenAI) -> None:
    options = {"googleVertex": {"aspectRatio": "16:9", "safetyFilterLevel": "block_some"}}
    answer = client.images.with_raw_response.generate(
        model="sandbox/imagen-4.0-ultra-generate-001",
        prompt="A lighthouse",
        response_format="b64_json",
        extra_body={"providerOptions": options},
    )
    [picture] = answer.parse().data or []
    assert look_at(f"data:image/png;base64,{picture.b64_json}").size == (1408, 768)
    assert "safetyFilterLevel" in answer.headers["x-imagegen-notices"]


def test_vercels_sample_for_flux(client: openai.OpenAI) -> None:
    answer = client.images.with_raw_response.generate(
        model="sandbox/flux-2-pro",
        prompt="A lighthouse",
        n=3,
        response_format="b64_json",
        extra_body={"providerOptions": {"blackForestLabs": {"outputFormat": "png", "safetyTolerance": 2}}},
    )
    seen = [look_at(f"data:image/png;base64,{item.b64_json}") for item in answer.parse().data or ()]
    assert [picture.size for picture in seen] == [(1024, 1024)] * 3
    assert len({picture.sha256 for picture in seen}) == 3
    assert "x-imagegen-notices" not in answer.headers


# The official client.


@pytest.mark.parametrize(
    ("name", "size", "notices"),
    [
        ("openai", (1536, 1024), "style"),
        ("gemini", (2528, 1696), "size quality moderation style"),
        ("bfl", (1536, 1024), "quality output_compression moderation style"),
        ("imagen", (2560, 1792), "size quality moderation style"),
    ],
)
def test_every_field_of_the_clients_generate(
    client: openai.OpenAI, name: str, size: Pixels, notices: str
) -> None:
    answer = client.images.with_raw_response.generate(
        model=name,
        prompt="A lighthouse",
        background="opaque",
        moderation="low",
        n=1,
        output_compression=50,
        output_format="webp",
        partial_images=0,
        quality="high",
        response_format="b64_json",
        size="1536x1024",
        stream=False,
        style="vivid",
        user="somebody",
    )
    parsed = answer.parse()
    [picture] = parsed.data or []
    assert look_at(f"data:image/webp;base64,{picture.b64_json}").size == size
    assert (parsed.output_format, parsed.size) == ("webp", f"{size[0]}x{size[1]}")
    told = {entry.partition("=")[0] for entry in answer.headers["x-imagegen-notices"].split("; ")}
    assert told - {"background"} == set(notices.split())


@pytest.mark.parametrize(
    ("name", "size", "notices"),
    [
        ("openai", (1536, 1024), ""),
        ("gemini", (2528, 1696), "mask size quality input_fidelity"),
        ("bfl", (1536, 1024), "mask quality output_compression input_fidelity"),
    ],
)
def test_every_field_of_the_clients_edit(
    client: openai.OpenAI, name: str, size: Pixels, notices: str
) -> None:
    answer = client.images.with_raw_response.edit(
        model=name,
        prompt="A lighthouse at night",
        image=[("a.png", file_of("red")), ("b.jpg", file_of("blue", "JPEG"))],
        mask=("mask.png", MASK),
        background="opaque",
        input_fidelity="high",
        n=1,
        output_compression=50,
        output_format="webp",
        partial_images=0,
        quality="high",
        response_format="b64_json",
        size="1536x1024",
        stream=False,
        user="somebody",
    )
    [picture] = answer.parse().data or []
    assert look_at(f"data:image/webp;base64,{picture.b64_json}").size == size
    told = {
        entry.partition("=")[0] for entry in answer.headers.get("x-imagegen-notices", "").split("; ") if entry
    }
    assert told - {"background"} == set(notices.split())


def test_the_client_sees_errors_as_its_own_types(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="retry after 17 s"):
        client.images.generate(model="openai", prompt=prompt("429 after 17"))
    with pytest.raises(openai.BadRequestError, match="refused the prompt"):
        client.images.generate(model="openai", prompt=prompt("refuse prompt"))
    with pytest.raises(openai.UnprocessableEntityError, match="no_image"):
        client.images.generate(model="gemini", prompt=prompt("words only"))


@pytest.mark.parametrize("name", WIRES)
def test_urls_are_not_given_without_a_store_and_that_is_told(proxy: Proxy, name: str) -> None:
    answer = proxy.generate(name, "x", response_format="url")
    assert len(pictures(answer)) == 1
    assert answer.json()["data"][0].get("url") is None
    assert answer.headers["x-imagegen-notices"] == "response_format=adapted"


@pytest.mark.parametrize("name", ["gemini", "openai"])
def test_pictures_on_the_way_are_for_streams_and_that_is_told(proxy: Proxy, name: str) -> None:
    odd = proxy.generate(name, "x", stream="perhaps")
    assert assert_error(odd, 400, "BadRequestError", "true or false")["param"] == "stream"
    partial = proxy.generate(name, "x", partial_images=2)
    assert len(pictures(partial)) == 1
    assert partial.headers["x-imagegen-notices"] == "partial_images=unsupported"


# Edits.


def file_of(color: str, image_format: str = "PNG", size: Pixels = (640, 480)) -> bytes:
    return base64.b64decode(data_url(color, size, image_format).partition(",")[2])


def png_of(picture: Image.Image) -> bytes:
    return base64.b64decode(data_url(picture=picture).partition(",")[2])


def _mask() -> bytes:
    """Transparent, which is where an edit may paint, on the left half."""
    mask = Image.new("RGBA", (640, 480), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 320, 480))
    return png_of(mask)


MASK = _mask()
RED: FormFile = ("image", ("a.png", file_of("red"), "image/png"))
RED_AND_BLUE: list[FormFile] = [
    ("image[]", ("a.png", file_of("red"), "image/png")),
    ("image[]", ("b.jpg", file_of("blue", "JPEG"), "image/jpeg")),
]
WITH_MASK: FormFile = ("mask", ("mask.png", MASK, "image/png"))
RED_URL, BLUE_URL, GREEN_URL = (data_url(color, (640, 480)) for color in ("red", "blue", "#00ff00"))
# What edits with one picture of 640x480 turn out as.
EDITED = {
    "sandbox/gpt-image-2": ((944, 704), 4 * 5e-6 + 4483 * 8e-6 + 1113 * 30e-6),
    "sandbox/flux-kontext-pro": ((1184, 880), 0.04),
    "sandbox/flux-2-pro": ((640, 480), 0.03 + 0.015),
    "sandbox/gemini-3-pro-image": ((1200, 896), (4 + 560) * 2e-6 + 194 * 12e-6 + 1120 * 120e-6),
}


def places_of(answer: httpx.Response, color: tuple[int, int, int]) -> list[int]:
    """The columns in which a picture has pixels of (nearly) this colour."""
    flat = Image.new("RGB", (picture := opened(answer)).size, color)
    red, green, blue = ImageChops.difference(picture, flat).split()
    distance = ImageChops.add(ImageChops.add(red, green), blue)
    near = distance.point(lambda value: 255 if value < 40 else 0)
    box = near.getbbox()
    return [] if box is None else [box[0], box[2]]


@pytest.mark.parametrize("model", EDITED)
def test_an_edit_draws_by_the_picture_of_a_form(proxy: Proxy, model: str) -> None:
    answer = proxy.edit([RED], model=model, prompt="Make it night")
    [seen] = pictures(answer)
    size, cost = EDITED[model]
    assert seen.size == size
    assert places_of(answer, (255, 0, 0)), "the simulated provider shows what it was given"
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(cost, abs=1e-9, rel=0)
    assert "x-imagegen-notices" not in answer.headers


@pytest.mark.parametrize("model", EDITED)
def test_several_pictures_keep_their_order(proxy: Proxy, model: str) -> None:
    answer = proxy.edit(RED_AND_BLUE, model=model, prompt="Make it night")
    assert len(pictures(answer)) == 1
    assert places_of(answer, (255, 0, 0))[1] < places_of(answer, (0, 0, 255))[0]


@pytest.mark.parametrize("model", EDITED)
def test_json_edits_give_the_same_as_forms(proxy: Proxy, model: str) -> None:
    fields = {"seed": 7} if "flux" in model else {}
    form = proxy.edit([RED], model=model, prompt="x", **{key: str(value) for key, value in fields.items()})
    body = {"model": model, "prompt": "x", "images": [{"image_url": RED_URL}], **fields}
    spelled = proxy.post_images("edits", body)
    assert sha256s(spelled) == sha256s(form)


def test_json_edits_take_several_pictures_and_a_mask(proxy: Proxy) -> None:
    body = {
        "model": "openai",
        "prompt": "x",
        "images": [{"image_url": RED_URL}, {"image_url": BLUE_URL}],
        "mask": {"image_url": f"data:image/png;base64,{base64.b64encode(MASK).decode()}"},
    }
    answer = proxy.post_images("edits", body)
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] == 2 * 4483
    assert_painted_on_the_left(answer)


def assert_painted_on_the_left(answer: httpx.Response) -> None:
    picture = opened(answer)
    width, height = picture.size
    right = picture.crop((width // 2 + 16, 0, width, height))
    assert right.getcolors(1) == [(right.width * right.height, (255, 0, 0))], "what the mask covers is kept"
    left = picture.crop((0, 0, width // 2 - 16, height))
    assert left.getcolors(100) is None


def test_a_mask_tells_where_to_paint(proxy: Proxy) -> None:
    answer = proxy.edit([RED, WITH_MASK], model="openai", prompt="x", size="1024x1024", n="2")
    assert [seen.size for seen in pictures(answer)] == [(1024, 1024)] * 2
    assert_painted_on_the_left(answer)
    assert "x-imagegen-notices" not in answer.headers


@pytest.mark.parametrize("name", ["gemini", "bfl"])
def test_a_mask_is_a_notice_where_the_model_takes_none(proxy: Proxy, name: str) -> None:
    answer = proxy.edit([RED, WITH_MASK], model=name, prompt="x")
    assert len(pictures(answer)) == 1
    assert answer.headers["x-imagegen-notices"] == "mask=unsupported"


def test_numbers_and_objects_of_a_form_are_text(proxy: Proxy) -> None:
    answer = proxy.edit(
        RED_AND_BLUE,
        model="openai",
        prompt="x",
        n="2",
        size="1024x1024",
        output_format="jpeg",
        output_compression="50",
        providerOptions=json.dumps({"openai": {"quality": "low"}}),
    )
    assert [seen.format for seen in pictures(answer)] == ["JPEG", "JPEG"]
    assert answer.json()["quality"] == "low"


def test_a_chat_model_gets_the_words_and_the_pictures_in_order(proxy: Proxy, recording: Upstream) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": BLUE_URL.partition(",")[2]}}
    recording.will_say({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]})
    answer = proxy.edit(RED_AND_BLUE, model="recorded-gemini", prompt="Make it night")
    assert len(pictures(answer)) == 1
    [request] = recording.requests
    [content] = request.body["contents"]
    words = [given["text"] for given in content["parts"] if "text" in given]
    files = [
        base64.b64decode(given["inlineData"]["data"]) for given in content["parts"] if "inlineData" in given
    ]
    assert words == ["Make it night"]
    assert files == [RED_AND_BLUE[0][1][1], RED_AND_BLUE[1][1][1]]


NO_PICTURE: list[tuple[list[FormFile], dict[str, str], str]] = [
    ([("other", ("a.png", file_of("red"), "image/png"))], {"prompt": "x"}, "image"),
    ([RED], {}, "prompt"),
    ([RED], {"prompt": " "}, "prompt"),
    ([("image", ("a.png", b"hello, I am a text", "image/png"))], {"prompt": "x"}, "image[0]"),
    ([("image", ("a.png", b"", "image/png"))], {"prompt": "x"}, "image[0]"),
    ([RED, ("mask", ("m.png", b"hello", "image/png"))], {"prompt": "x"}, "mask"),
]


@pytest.mark.parametrize("name", ["gemini", "bfl", "openai"])
@pytest.mark.parametrize(("files", "fields", "field"), NO_PICTURE, ids=lambda value: str(value)[:30])
def test_an_edit_without_what_it_needs_is_a_400_that_names_the_field(
    proxy: Proxy, name: str, files: list[FormFile], fields: dict[str, str], field: str
) -> None:
    error = assert_error(proxy.edit(files, model=name, **fields), 400, "BadRequestError", field)
    assert error["param"] == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "image"),
        ({"images": []}, "image"),
        ({"images": [{"image_url": "data:image/png;base64,aGVsbG8="}]}, "images[0].image_url"),
        ({"images": [{"image_url": "data:image/png;base64,%%%"}]}, "images[0].image_url"),
        ({"images": [{"image_url": "file:///etc/passwd"}]}, "images[0].image_url"),
        ({"images": [{"image_url": RED_URL}, {"image_url": 5}]}, "images[1].image_url"),
        ({"images": [{"image_url": RED_URL}], "mask": {"image_url": RED_URL[:60]}}, "mask.image_url"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_json_edit_without_what_it_needs_is_a_400_that_names_the_field(
    proxy: Proxy, fields: dict[str, Any], field: str
) -> None:
    answer = proxy.post_images("edits", {"model": "openai", "prompt": "x", **fields})
    assert assert_error(answer, 400, "BadRequestError")["param"] == field


@pytest.mark.parametrize(("name", "most"), [("gemini", 14), ("bfl", 8), ("openai", 16), ("imagen", 0)])
def test_more_pictures_than_a_model_takes_are_a_400(proxy: Proxy, name: str, most: int) -> None:
    small = ("image[]", ("a.png", file_of("red", size=(16, 16)), "image/png"))
    if most:
        assert len(pictures(proxy.edit([small] * most, model=name, prompt="x", size="1024x1024"))) == 1
    answer = proxy.edit([small] * (most + 1), model=name, prompt="x")
    model = WIRES[name].model
    allowed = f"at most {most} for {model}" if most else f"{model} takes no pictures"
    error = assert_error(answer, 400, "BadRequestError", allowed)
    assert error["param"] == f"image[{most}]"


def test_ten_thousand_pictures_are_a_400(proxy: Proxy) -> None:
    tiny = {"image_url": data_url(size=(1, 1))}
    answer = proxy.post_images("edits", {"model": "openai", "prompt": "x", "images": [tiny] * 10_000})
    error = assert_error(answer, 400, "BadRequestError", "at most 16 for gpt-image-2")
    assert error["param"] == "images[16].image_url"


def test_a_picture_over_the_limits_is_a_400(proxy: Proxy) -> None:
    noise = png_of(Image.effect_noise((1200, 1200), 90))
    assert len(noise) > PICTURE_LIMIT
    heavy = proxy.edit([RED, ("image", ("b.png", noise, "image/png"))], model="bfl", prompt="x")
    error = assert_error(heavy, 400, "BadRequestError", f"{PICTURE_LIMIT} (limits.reference_bytes)")
    assert error["param"] == "image[1]"
    vast = png_of(Image.new("1", (20_000, 6_000)))
    assert len(vast) < PICTURE_LIMIT
    answer = proxy.edit([("image", ("a.png", vast, "image/png"))], model="gemini", prompt="x")
    error = assert_error(answer, 400, "BadRequestError", "120000000 pixels", "(limits.pixels)")
    assert error["param"] == "image[0]"


# Models that only draw on chat completions.

CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": "Bright colours."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "A boat"},
            {"type": "image_url", "image_url": {"url": GREEN_URL}},
        ],
    },
    {
        "role": "assistant",
        "content": "Here it is.",
        "images": [{"type": "image_url", "image_url": {"url": BLUE_URL}}],
    },
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Now at night"},
            {"type": "image_url", "image_url": {"url": RED_URL}},
        ],
    },
]
TRANSCRIPT = (
    "Bright colours.\n\nEarlier in this conversation:\nUser: A boat\nAssistant: Here it is.\n\nNow at night"
)


def test_the_prompt_is_the_last_turn_after_the_systems_words_and_a_transcript(
    proxy: Proxy, recording: Upstream
) -> None:
    recording.will_say({"detail": "no"}, status=400)
    answer = proxy.post({"model": "recorded-bfl", "messages": CONVERSATION})
    assert answer.status_code == 400
    [request] = recording.requests
    assert request.path == "/v1/flux-kontext-pro"
    body = request.body
    assert body["prompt"] == TRANSCRIPT
    names = ("input_image", "input_image_2", "input_image_3")
    expected = [url.partition(",")[2] for url in (RED_URL, BLUE_URL, GREEN_URL)]
    assert [body[name] for name in names] == expected, "the last turn's, then the latest before it"


def test_one_turn_is_the_prompt_as_it_stands(proxy: Proxy, recording: Upstream) -> None:
    recording.will_say({"created": 1, "data": [{"b64_json": RED_URL.partition(",")[2]}]})
    [choice] = proxy.draw("recorded-openai", "A boat").json()["choices"]
    assert look_at(choice["message"]["images"][0]["image_url"]["url"]).size == (640, 480)
    [request] = recording.requests
    assert request.path == "/v1/images/generations"
    assert request.body == {"model": "gpt-image-2", "prompt": "A boat"}


@pytest.mark.parametrize("model", ["sandbox/gpt-image-2", "sandbox/flux-kontext-pro", "sandbox/flux-2-pro"])
def test_pictures_of_a_conversation_are_drawn_by(proxy: Proxy, model: str) -> None:
    answer = proxy.post({"model": model, "messages": CONVERSATION})
    [image] = answer.json()["choices"][0]["message"]["images"]
    look_at(image["image_url"]["url"])
    data = image["image_url"]["url"].partition(",")[2]
    shown = httpx.Response(200, json={"data": [{"b64_json": data}]})
    places = [places_of(shown, color) for color in ((255, 0, 0), (0, 0, 255), (0, 255, 0))]
    assert all(places)
    assert places[0][0] < places[1][0], "the last turn's picture stands before the others"
    usage = answer.json()["usage"]
    if model == "sandbox/gpt-image-2":
        assert usage["prompt_tokens_details"]["image_tokens"] == 3 * 4483
    else:
        assert answer.json()["provider_metadata"]["sandbox"]["input_mp"] == pytest.approx(0.879)


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
def test_a_picture_alone_is_a_whole_message(proxy: Proxy, name: str) -> None:
    answer = proxy.draw(name, "A lighthouse")
    [choice] = answer.json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert (choice["message"]["role"], choice["message"]["content"]) == ("assistant", "")
    [image] = choice["message"]["images"]
    assert look_at(image["image_url"]["url"]).size == (1024, 1024)
    cost = float(answer.headers["x-litellm-response-cost"])
    assert cost == pytest.approx(PRICES[name], abs=1e-9, rel=0)


def events_of(frames: Frames) -> list[str]:
    """What the chunks of a stream hold, in order, with the numbers of the choices."""
    events = []
    for chunk in frames.chunks:
        for choice in chunk["choices"]:
            delta, number = choice["delta"], choice["index"]
            told = {
                f"role {number}": "role" in delta,
                f"picture {number}": "images" in delta,
                f"refusal {number}": delta.get("refusal") is not None,
                "metadata": "provider_metadata" in chunk,
                f"{choice.get('finish_reason')} {number}": choice.get("finish_reason") is not None,
            }
            events += [event for event, is_there in told.items() if is_there]
        events += ["usage"] * (chunk.get("usage") is not None)
    return events


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
@pytest.mark.parametrize("with_usage", [False, True])
def test_a_stream_is_role_picture_metadata_finish_and_usage_when_asked_for(
    proxy: Proxy, name: str, with_usage: bool
) -> None:
    options = {"stream_options": {"include_usage": True}} if with_usage else {}
    frames = proxy.draw_streamed(name, "A lighthouse", **options)
    assert frames.done
    expected = ["role 0", "picture 0", "metadata", "stop 0"]
    assert events_of(frames) == ([*expected, "usage"] if with_usage else expected)
    [image] = frames.images
    assert (image["type"], image["index"]) == ("image_url", 0)
    assert look_at(image["image_url"]["url"]).size == (1024, 1024)
    if with_usage:
        cost = frames.chunks[-1]["usage"]["cost"]
        assert cost == pytest.approx(PRICES[name], abs=1e-9, rel=0)


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
def test_n_gives_as_many_choices_whole_and_streamed(proxy: Proxy, name: str) -> None:
    whole = proxy.draw(name, "A lighthouse", n=2, **WIRES[name].seed).json()["choices"]
    urls = [image["image_url"]["url"] for choice in whole for image in choice["message"]["images"]]
    assert [(choice["index"], choice["finish_reason"]) for choice in whole] == [(0, "stop"), (1, "stop")]
    assert len({look_at(url).sha256 for url in urls}) == 2
    options = {"stream_options": {"include_usage": True}}
    frames = proxy.draw_streamed(name, "A lighthouse", n=2, **options, **WIRES[name].seed)
    assert frames.done
    events = ["role 0", "picture 0", "role 1", "picture 1", "metadata", "stop 0", "stop 1", "usage"]
    assert events_of(frames) == events
    assert [image["image_url"]["url"] for image in frames.images] == urls
    cost = frames.chunks[-1]["usage"]["cost"]
    prices = {"bfl": 2 * 0.03, "openai": 3 * 5e-6 + 2 * 1756 * 30e-6, "imagen": 2 * 0.04}
    assert cost == pytest.approx(prices[name], abs=1e-9, rel=0)


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
@pytest.mark.parametrize("wish", ["refuse prompt", "refuse picture"])
def test_a_refusal_on_chat_is_an_answer(proxy: Proxy, name: str, wish: str) -> None:
    [choice] = proxy.draw(name, prompt(wish)).json()["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] == ""
    assert f" refused the {wish.partition(' ')[2]}: " in choice["message"]["refusal"]
    frames = proxy.draw_streamed(name, prompt(wish))
    assert (frames.status, frames.finish_reasons, frames.done) == (200, ["content_filter"], True)


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
def test_what_only_chat_models_have_is_a_notice(proxy: Proxy, name: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    fields = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 9, "stop": ["x"], "tools": [tool]}
    answer = proxy.draw(name, "A boat", **fields)
    told = answer.json()["provider_metadata"]["imagegen"]["notices"]
    assert {notice["field"] for notice in told} == {"tools[0]", "temperature", "top_p", "max_tokens", "stop"}
    header = answer.headers["x-imagegen-notices"].split("; ")
    assert set(header) == {f"{notice['field']}=unsupported" for notice in told}
    assert (
        proxy.draw_streamed(name, "A boat", **fields).headers["x-imagegen-notices"]
        == answer.headers["x-imagegen-notices"]
    )


@pytest.mark.parametrize("name", ["bfl", "openai", "imagen"])
def test_words_alone_are_not_to_be_had_from_a_model_that_only_draws(proxy: Proxy, name: str) -> None:
    answer = proxy.draw(name, "A boat", modalities=["text"])
    error = assert_error(answer, 400, "BadRequestError", "modalities: ['text'] is not allowed")
    assert error["param"] == "modalities"


# Pictures that pass LiteLLM by.

COMPARED = ["", "pictures 3", "refuse prompt", "empty", "404"]


@pytest.mark.parametrize("wish", COMPARED)
@pytest.mark.parametrize("name", WIRES)
def test_an_answer_is_the_same_whichever_way_its_pictures_go(proxy: Proxy, name: str, wish: str) -> None:
    if (name, wish) == ("bfl", "pictures 3"):
        pytest.skip("a job gives one picture")
    told = []
    for model in (name, f"{name}-off"):
        text = prompt(wish) if wish else "A lighthouse"
        body = {"model": model, "prompt": text, "style": "vivid", "size": "1024x1024", **WIRES[name].seed}
        answer = proxy.post_images("generations", body, accept_encoding="identity")
        shown = json.loads(answer.text.replace(f"'{model}'", "'...'").replace(f"={model}.", "=..."))
        told.append((answer.status_code, sorted(answer.headers), comparable(shown)))
    assert told[0] == told[1]


def test_an_edit_is_the_same_whichever_way_its_pictures_go(proxy: Proxy) -> None:
    for name in ("openai", "gemini"):
        told = []
        for model in (name, f"{name}-off"):
            answer = proxy.edit(RED_AND_BLUE, model=model, prompt="x", size="1024x1024", n="2")
            assert len(pictures(answer)) == 2
            names = sorted(header for header in answer.headers if header != "content-encoding")
            told.append((answer.status_code, names, comparable(answer.json())))
        (_, own, first), (_, litellms, second) = told
        assert first == second
        assert set(own) ^ set(litellms) <= {"vary", "content-length", "transfer-encoding"}


@pytest.mark.parametrize("operation", ["generations", "edits"])
def test_a_picture_on_its_own_way_is_not_compressed_by_litellm(proxy: Proxy, operation: str) -> None:
    """It passes inside of LiteLLM's compression; older ones do not compress at all."""
    body: dict[str, Any] = {"prompt": prompt("big 1")}
    if operation == "edits":
        body["images"] = [{"image_url": RED_URL}]
    own, litellms = (
        proxy.post_images(operation, {"model": model, **body}, accept_encoding="gzip")
        for model in ("openai", "openai-off")
    )
    assert sha256s(own) == sha256s(litellms)
    assert "content-encoding" not in own.headers
    assert litellms.headers.get("content-encoding", "gzip") == "gzip"
    assert int(own.headers["content-length"]) == len(own.content)


def test_requests_at_the_same_time_get_their_own_pictures(proxy: Proxy) -> None:
    prompts = [f"Boat number {number}" for number in range(8)]
    alone = [sha256s(proxy.generate("openai", text)) for text in prompts]
    assert len({sha256 for [sha256] in alone}) == 8
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: sha256s(proxy.generate("openai", text)), prompts))
    assert together == alone


# File formats.


@pytest.mark.parametrize(
    "model",
    [
        "sandbox/flux-kontext-pro",
        "sandbox/flux-pro-1.1",
        "sandbox/gemini-3-pro-image",
        "sandbox/imagen-4.0-generate-001",
        "sandbox/gpt-image-2",
    ],
)
def test_a_file_format_gives_a_file_of_it_with_the_same_pixels(proxy: Proxy, model: str) -> None:
    fields = {"seed": 7} if "flux" in model else {}
    original = opened(proxy.generate(model, "A lighthouse", **fields))
    for form in ("png", "jpeg", "webp"):
        answer = proxy.generate(model, "A lighthouse", output_format=form, **fields)
        [seen] = pictures(answer)
        assert (seen.format, answer.json()["output_format"]) == (form.upper(), form)
        [image] = answer.json()["provider_metadata"]["imagegen"]["images"]
        assert image["mime"] == f"image/{form}"
        picture = opened(answer)
        assert picture.size == original.size
        differs = ImageChops.difference(original, picture).convert("L")
        # A lossy format changes shades, not shapes.
        assert sum(differs.histogram()[64:]) < picture.width * picture.height / 100
        assert "output_format" not in answer.headers.get("x-imagegen-notices", "")


def test_a_smaller_quality_makes_a_smaller_file(proxy: Proxy) -> None:
    for name in ("gemini", "openai", "imagen"):
        small, large = (
            proxy.generate(name, "A lighthouse", output_format="jpeg", output_compression=quality)
            for quality in (20, 100)
        )
        assert len(small.content) < len(large.content) / 2
