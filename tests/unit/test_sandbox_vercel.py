"""The sandbox's Vercel AI Gateway, pictures and chat: what it draws, what it refuses, and each fault."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import httpx
import openai
import pytest
from PIL import Image
from starlette.applications import Starlette

from litellm_imagegen.sandbox import gateway_door, openai_images, vercel_images
from litellm_imagegen.sandbox.vercel_models import MODELS
from litellm_imagegen.sandbox.vercel_request import read_request

IMAGES, CHAT = "/v1/images/generations", "/v1/chat/completions"
KEY = {"authorization": "Bearer vck_any"}
FLUX, ULTRA, KONTEXT, FLUX_3 = (
    *("bfl/flux-2-pro", "bfl/flux-pro-1.1-ultra", "bfl/flux-kontext-pro", "bfl/flux-3-image"),
)
GPT_IMAGE, IMAGEN, GROK = (
    "openai/gpt-image-2",
    "google/imagen-4.0-generate-001",
    "spacexai/grok-imagine-image",
)
PRO, GPT_5 = "google/gemini-3-pro-image", "openai/gpt-5.4"

APP = Starlette(
    routes=[*vercel_images.WIRE.routes(), *openai_images.WIRE.routes(), *gateway_door.WIRE.routes()]
)
Result = TypeVar("Result")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def _post(
    path: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", timeout=10) as client:
            options = more or {"json": body}
            return await client.post(path, headers=KEY if headers is None else headers, **options)

    return _run(send())


def _generate(model: str = FLUX, /, **fields: Any) -> httpx.Response:
    return _post(IMAGES, {"model": model, "prompt": "a red fox in snow", **fields})


def _wished(fault: str, model: str = FLUX, /, **fields: Any) -> httpx.Response:
    return _generate(model, prompt=f"a fox [sandbox: {fault}] asleep", **fields)


def _chat(model: str = PRO, /, *, said: Any = "a red fox in snow", **fields: Any) -> httpx.Response:
    return _post(CHAT, {"model": model, "messages": [{"role": "user", "content": said}], **fields})


def _chat_wished(fault: str, model: str = PRO, /, **fields: Any) -> httpx.Response:
    return _chat(model, said=f"a fox [sandbox: {fault}] asleep", **fields)


def _body(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text[:500]
    body: dict[str, Any] = reply.json()
    return body


def _opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def _pictures(reply: httpx.Response) -> list[Image.Image]:
    return [_opened(base64.b64decode(entry["b64_json"], validate=True)) for entry in _body(reply)["data"]]


def _picture(reply: httpx.Response) -> Image.Image:
    (picture,) = _pictures(reply)
    return picture


def _of_data_url(part: Mapping[str, Any]) -> Image.Image:
    assert part.keys() == {"type", "image_url"}
    head, _, data = part["image_url"]["url"].partition(";base64,")
    picture = _opened(base64.b64decode(data, validate=True))
    assert head == f"data:image/{(picture.format or '').lower()}"
    return picture


def _message(reply: httpx.Response) -> dict[str, Any]:
    (choice,) = _body(reply)["choices"]
    message: dict[str, Any] = choice["message"]
    return message


def _shown(reply: httpx.Response) -> Image.Image:
    (part,) = _message(reply)["images"]
    return _of_data_url(part)


def _chunks(reply: httpx.Response, *, done: bool = True) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"] == "text/event-stream"
    events = reply.text.split("\n\n")
    assert events.pop() == ""
    assert (events[-1] == "data: [DONE]") is done
    return [json.loads(event.removeprefix("data: ")) for event in events[: -1 if done else None]]


def _refusal(reply: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert reply.status_code == status, reply.text[:300]
    error: dict[str, Any] = reply.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == kind
    assert error["message"]
    return error


def _bad_request(reply: httpx.Response) -> dict[str, Any]:
    return _refusal(reply, 400, "invalid_request_error")


def _data_url(size: tuple[int, int] = (80, 40), kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", size, "green").save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _for_bfl(**options: Any) -> dict[str, Any]:
    return {"providerOptions": {"blackForestLabs": options}}


# Pictures: what is drawn


@pytest.mark.parametrize(
    ("model", "fields", "pixels", "kind"),
    [
        (FLUX, {}, (1024, 1024), "JPEG"),
        (FLUX, {"size": "768x1152"}, (768, 1152), "JPEG"),
        (FLUX, {"size": "768x1152", **_for_bfl(width=512, height=256)}, (512, 256), "JPEG"),
        (FLUX, _for_bfl(outputFormat="png", height=1920), (1024, 1920), "PNG"),
        ("bfl/flux-pro-1.1", _for_bfl(width=256, height=1440), (256, 1440), "JPEG"),
        (KONTEXT, {"size": "1000x500"}, (1456, 720), "PNG"),
        (ULTRA, _for_bfl(aspectRatio="1:1", raw=True, outputFormat="png"), (2048, 2048), "PNG"),
        (FLUX_3, _for_bfl(aspectRatio="16:9", resolution="1k"), (1360, 768), "PNG"),
        ("openai/gpt-image-1.5", {"size": "1024x1536", "quality": "low"}, (1024, 1536), "PNG"),
        (
            GPT_IMAGE,
            {"size": "1024x640", "providerOptions": {"openai": {"outputFormat": "webp"}}},
            (1024, 640),
            "WEBP",
        ),
        (GPT_IMAGE, {"size": "auto"}, (1024, 1024), "PNG"),
        (IMAGEN, {"providerOptions": {"googleVertex": {"aspectRatio": "9:16"}}}, (768, 1408), "PNG"),
        (
            IMAGEN,
            {"providerOptions": {"vertex": {"sampleImageSize": "2K"}, "google": {"aspectRatio": "4:3"}}},
            (2560, 1792),
            "PNG",
        ),
        (GROK, {"size": "512x512", "providerOptions": {"xai": {"aspect_ratio": "2:1"}}}, (1456, 720), "JPEG"),
        (
            GROK,
            {"providerOptions": {"xai": {"resolution": "2k", "output_format": "png"}}},
            (2048, 2048),
            "PNG",
        ),
        ("bytedance/seedream-4.5", {}, (2048, 2048), "JPEG"),
        ("recraft/recraft-v4", {"size": "1344x768"}, (1344, 768), "PNG"),
        (
            "recraft/recraft-v4",
            {"providerOptions": {"recraft": {"aspectRatio": "9:16"}}},
            (768, 1344),
            "PNG",
        ),
        ("recraft/recraft-v4-pro", {}, (2048, 2048), "PNG"),
        (
            "prodia/flux-fast-schnell",
            {"providerOptions": {"prodia": {"width": 512, "height": 300}}},
            (512, 300),
            "PNG",
        ),
        (
            "minimax/minimax-h3-image",
            {"providerOptions": {"minimax": {"aspect_ratio": "3:1", "resolution": "1.5K"}}},
            (2656, 880),
            "PNG",
        ),
    ],
)
def test_picture_has_the_shape_and_the_format_that_were_asked_for(
    model: str, fields: dict[str, Any], pixels: tuple[int, int], kind: str
) -> None:
    picture = _picture(_generate(model, **fields))
    assert (picture.size, picture.format) == (pixels, kind)


@pytest.mark.parametrize("model", [name for name in MODELS if name != "bfl/flux-pro-1.0-fill"])
def test_every_listed_model_takes_a_prompt_alone(model: str) -> None:
    asked = read_request({"model": model, "prompt": "x"})
    assert (asked.model, asked.count) == (model, 1)


def test_several_pictures_differ_and_the_gateway_splits_what_a_provider_does_not_give_at_once() -> None:
    reply = _generate(n=3, **_for_bfl(seed=7, width=256, height=256))
    first = [entry["b64_json"] for entry in _body(reply)["data"]]
    again = _body(_generate(n=3, **_for_bfl(seed=7, width=256, height=256)))["data"]
    assert len(set(first)) == 3
    assert [entry["b64_json"] for entry in again] == first
    assert len(_pictures(_generate(IMAGEN, n=5))) == 5


def test_transparency_is_for_models_that_have_it() -> None:
    options = {"providerOptions": {"openai": {"background": "transparent"}}}
    picture = _picture(_generate("openai/gpt-image-2.5-flare", size="1024x640", **options))
    assert picture.mode == "RGBA"
    assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert _bad_request(_generate(GPT_IMAGE, **options))["code"] == "invalid_value"


def test_reference_pictures_are_shown_and_give_their_shape() -> None:
    with_input = _picture(_generate(**_for_bfl(inputImage=_data_url((320, 160)), outputFormat="png")))
    assert with_input.size == (320, 160)
    counts = {colour: count for count, colour in with_input.convert("RGB").getcolors(1 << 24) or ()}
    assert counts[(0, 128, 0)] > 1000
    pictures = {"inputImage": _data_url((640, 320)), "inputImage2": _data_url((256, 256))}
    assert _picture(_generate(FLUX_3, **_for_bfl(**pictures))).size == (1456, 720)
    fill = _for_bfl(inputImage=_data_url((256, 128)), mask=_data_url((256, 128)))
    assert _picture(_generate("bfl/flux-pro-1.0-fill", **fill)).size == (256, 128)


@pytest.mark.parametrize(
    ("model", "fields", "kinds"),
    [
        (FLUX, {}, ["JPEG"]),
        (FLUX, {"n": 3, "providerOptions": {"blackForestLabs": {"outputFormat": "jpeg"}}}, ["JPEG"] * 3),
        (
            FLUX,
            {"providerOptions": {"blackForestLabs": {"outputFormat": "jpeg", "safetyTolerance": 2}}},
            ["JPEG"],
        ),
        (
            "google/imagen-4.0-ultra-generate-001",
            {
                "n": 2,
                "providerOptions": {
                    "googleVertex": {"aspectRatio": "1:1", "safetyFilterLevel": "block_some"}
                },
            },
            ["PNG"] * 2,
        ),
    ],
)
def test_openais_client_draws_the_documented_requests(
    model: str, fields: dict[str, Any], kinds: list[str]
) -> None:
    async def call() -> openai.types.ImagesResponse:
        http_client = httpx.AsyncClient(transport=httpx.ASGITransport(APP))
        async with openai.AsyncOpenAI(
            api_key="x", base_url="http://sandbox/v1", http_client=http_client, max_retries=0
        ) as client:
            return await client.images.generate(
                model=model, prompt="a fox", response_format="b64_json", extra_body=fields
            )

    drawn = _run(call())
    pictures = [_opened(base64.b64decode(image.b64_json or "")) for image in drawn.data or ()]
    assert [(picture.format, picture.size) for picture in pictures] == [
        (kind, (1024, 1024)) for kind in kinds
    ]


# Pictures: what is told


def test_reply_tells_of_the_provider_and_of_the_gateway() -> None:
    body = _body(_generate(n=2, response_format="b64_json", user="me", **_for_bfl(seed=5)))
    assert body.keys() == {"created", "data", "provider_metadata"}
    assert all(entry.keys() == {"b64_json"} for entry in body["data"])
    told = body["provider_metadata"]
    assert [image["seed"] for image in told["blackForestLabs"]["images"]] == [5, 6]
    assert told["blackForestLabs"]["images"][0].keys() == {
        *("seed", "start_time", "end_time", "duration", "cost", "inputMegapixels", "outputMegapixels"),
    }
    assert told["gateway"]["cost"] == "0.06"
    assert told["gateway"]["generationId"].startswith("gen_")
    assert told["gateway"]["routing"]["resolvedProviderApiModelId"] == "flux-2-pro"


@pytest.mark.parametrize(
    ("model", "fields", "cost"),
    [
        ("openai/gpt-image-2", {"quality": "low"}, "0.005905"),
        (
            "openai/gpt-image-2",
            {"quality": "high", "providerOptions": {"openai": {"quality": "low"}}},
            "0.005905",
        ),
        ("bfl/flux-2-pro", {"size": "1024x2048"}, "0.045"),
        ("meta/muse-image-1.0", {"n": 3}, "0.03"),
        ("spacexai/grok-imagine-image-2.0", {}, "0.06"),
        ("spacexai/grok-imagine-image-2.0", {"providerOptions": {"xai": {"quality": "low"}}}, "0.04"),
        ("google/imagen-4.0-ultra-generate-001", {"n": 2}, "0.12"),
        ("bytedance/seedream-4.0", {}, None),
    ],
)
def test_cost_is_a_string_and_follows_the_list_price(
    model: str, fields: dict[str, Any], cost: str | None
) -> None:
    assert _body(_generate(model, **fields))["provider_metadata"]["gateway"].get("cost") == cost


def test_tokens_are_told_where_the_provider_counts_them() -> None:
    usage = _body(_generate("openai/gpt-image-1.5", n=2, quality="medium"))["usage"]
    assert usage["output_tokens"] == 2 * 1056
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert "usage" not in _body(_generate())


def test_rewritten_prompts_are_told() -> None:
    body = _body(_generate(IMAGEN))
    revised = body["data"][0]["revised_prompt"]
    assert revised.startswith("a red fox in snow, ")
    assert body["provider_metadata"]["googleVertex"]["images"] == [{"revisedPrompt": revised}]


# Pictures: what is refused


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer invalid-key"}, {"authorization": "Basic x"}]
)
@pytest.mark.parametrize(("path", "model"), [(IMAGES, FLUX), (CHAT, PRO)])
def test_wrong_keys_are_refused(headers: dict[str, str], path: str, model: str) -> None:
    reply = _post(path, {"model": model}, headers=headers)
    _refusal(reply, 401, "authentication_error")
    assert "generationId" not in reply.json()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": True}, "stream"),
        ({"response_format": "url"}, "response_format"),
        ({"size": "1:1"}, "size"),
        ({"size": "0x10"}, "size"),
        ({"n": 0}, "n"),
        ({"n": "2"}, "n"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"provider_options": {}}, "provider_options"),
        ({"providerOptions": []}, "providerOptions"),
        ({"providerOptions": {"openai": 1}}, "providerOptions.openai"),
        (_for_bfl(width=255), "providerOptions.blackForestLabs.width"),
        (_for_bfl(height=1921), "providerOptions.blackForestLabs.height"),
        (_for_bfl(safetyTolerance=7), "providerOptions.blackForestLabs.safetyTolerance"),
        (_for_bfl(outputFormat="webp"), "providerOptions.blackForestLabs.outputFormat"),
        (_for_bfl(raw="yes"), "providerOptions.blackForestLabs.raw"),
        ({"providerOptions": {"gateway": {"has": ["magic"]}}}, "providerOptions.gateway.has[0]"),
        ({"providerOptions": {"gateway": {"sort": "name"}}}, "providerOptions.gateway.sort"),
        (
            {"providerOptions": {"gateway": {"headquarters": ["US", "!CN"]}}},
            "providerOptions.gateway.headquarters",
        ),
    ],
)
def test_fields_that_the_gateway_does_not_take_are_named(fields: dict[str, Any], param: str) -> None:
    assert _bad_request(_generate(**fields))["param"] == param


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        (FLUX, _for_bfl(width=1000), "body.width: This must be a multiple of 16."),
        (FLUX, _for_bfl(steps=20), "body.steps: This model has no such field."),
        (FLUX, _for_bfl(inputImage="no picture"), "body.input_image: The picture cannot be used"),
        (FLUX, _for_bfl(safetyTolerance=6), "body.safety_tolerance: This must be at most 5."),
        (KONTEXT, _for_bfl(width=512), "body.width: This model has no such field."),
        (FLUX_3, {"size": "1376x768"}, "body.aspect_ratio: This must be one of"),
        (GPT_IMAGE, {"size": "1000x1000"}, "Invalid value for 'size'"),
        (GPT_IMAGE, {"quality": "max"}, "Invalid value for 'quality'"),
        (GPT_IMAGE, {"providerOptions": {"openai": {"style": "vivid"}}}, "Unknown parameter: 'style'."),
        (
            IMAGEN,
            {"providerOptions": {"vertex": {"aspectRatio": "2:1"}}},
            "parameters.aspect_ratio: Invalid value",
        ),
        (GROK, {"providerOptions": {"xai": {"aspect_ratio": "7:5"}}}, "Invalid value for 'aspect_ratio'"),
        ("spacexai/grok-imagine-image-2.0", {"providerOptions": {"xai": {"quality": "high"}}}, "'quality'"),
        ("recraft/recraft-v4", {"size": "1000x1000"}, "Invalid value for 'size'"),
        ("bytedance/seedream-4.0", {"size": "512x512"}, "Invalid value for 'size'"),
        ("minimax/minimax-h3-image", {"size": "2048x512"}, "Invalid value for 'size'"),
        ("meta/muse-image-1.0", {"providerOptions": {"meta": {"aspect_ratio": "wide"}}}, "'aspect_ratio'"),
        (
            "prodia/flux-fast-schnell",
            {"providerOptions": {"prodia": {"aspect_ratio": "8:1"}}},
            "each edge must have 256 to 1920 pixels",
        ),
        ("meta/muse-image-1.0", {"providerOptions": {"meta": {"resolution": "9k"}}}, "'resolution'"),
        ("bfl/flux-pro-1.0-fill", {}, "body.image: This field is required."),
    ],
)
def test_what_the_provider_does_not_take_comes_with_its_own_sentence(
    model: str, fields: dict[str, Any], said: str
) -> None:
    reply = _generate(model, **fields)
    assert said in _bad_request(reply)["message"]
    assert reply.json()["generationId"].startswith("gen_")


@pytest.mark.parametrize(
    "options",
    [
        {"blackForestLabs": {"novelKey": 1, "webhookUrl": "https://x.example", "pollIntervalMillis": 100}},
        {"openai": {"quality": "of another vendor"}, "fal": {"guidanceScale": 99}},
        {
            "gateway": {
                "only": ["bfl"],
                "order": ["bfl"],
                "tags": ["a"],
                "has": ["vision", "quantization:fp8"],
            }
        },
        {"gateway": {"sort": "cost", "zeroDataRetention": True, "serviceTier": "flex", "unknown": 1}},
        {"gateway": None, "blackForestLabs": None},
    ],
)
def test_options_that_change_nothing_are_let_through(options: dict[str, Any]) -> None:
    assert _picture(_generate(providerOptions=options)).size == (1024, 1024)


@pytest.mark.parametrize("model", [PRO, GPT_5, "anthropic/claude-opus-5"])
def test_language_models_draw_on_chat_only(model: str) -> None:
    assert _bad_request(_generate(model))["param"] == "model"


@pytest.mark.parametrize("path", [IMAGES, CHAT])
def test_models_that_are_not_listed_are_not_found(path: str) -> None:
    body = {"model": "bfl/flux-9", "prompt": "x", "messages": [{"role": "user", "content": "x"}]}
    body.pop("messages" if path == IMAGES else "prompt")
    error = _refusal(_post(path, body), 404, "model_not_found")
    assert error["param"] == {"modelId": "bfl/flux-9"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"model": "gpt-image-1.5", "prompt": "x", "size": "1024x1024"}', 200),
        (b'{"model": "flux", "prompt": "x"}', 404),
        (b'{"model": "/flux", "prompt": "x"}', 404),
        (b'{"model": 7}', 400),
        (b'["bfl/flux-2-pro"]', 400),
        (b'{"model": "bfl/flux-2-pro"', 400),
        (b"", 400),
    ],
)
def test_bodies_without_a_model_of_the_gateway_go_on_to_openai(content: bytes, status: int) -> None:
    reply = _post(IMAGES, headers={**KEY, "content-type": "application/json"}, content=content)
    assert reply.status_code == status
    # OpenAI gives every reply an id, the gateway gives none.
    assert reply.headers["x-request-id"].startswith("req_")
    assert "x-request-id" not in _generate().headers


def test_body_is_json_and_says_so() -> None:
    reply = _post(
        IMAGES, headers={**KEY, "content-type": "text/plain"}, content=b'{"model": "bfl/flux-2-pro"}'
    )
    assert _bad_request(reply)["code"] == "unsupported_content_type"


# Pictures: faults


@pytest.mark.parametrize(
    ("status", "kind", "param"),
    [
        (400, "invalid_request_error", None),
        (401, "authentication_error", None),
        (402, "insufficient_funds", None),
        (403, "forbidden", {"ruleId": "sandbox-rule"}),
        (404, "model_not_found", {"modelId": FLUX}),
        (429, "rate_limit_exceeded", None),
        (500, "internal_server_error", None),
        (503, "internal_server_error", None),
        (504, "timeout", None),
    ],
)
def test_wished_errors_have_the_gateways_form(status: int, kind: str, param: Any) -> None:
    reply = _wished(str(status))
    assert _refusal(reply, status, kind)["param"] == param
    assert ("generationId" in reply.json()) is (status != 401)
    assert ("retry-after" in reply.headers) is (status == 429)
    assert _wished(f"{status} after 17").headers["retry-after"] == "17"
    assert _refusal(_chat_wished(str(status)), status, kind)["code"] is None


@pytest.mark.parametrize(
    ("model", "prompt", "picture", "code"),
    [
        (FLUX, "Request Moderated", "Content Moderated", None),
        (GPT_IMAGE, "stage 'input'", "stage 'output'", "moderation_blocked"),
        (IMAGEN, "sensitive words", "filtered out", None),
        (GROK, "content policy", "content policy", None),
    ],
)
def test_refusals_come_as_the_providers_sentence(
    model: str, prompt: str, picture: str, code: str | None
) -> None:
    for fault, said in (("refuse prompt", prompt), ("block SAFETY", prompt), ("refuse picture", picture)):
        error = _bad_request(_wished(fault, model))
        assert said in error["message"]
        assert error["code"] == code


def test_faults_of_a_picture_and_of_a_reply() -> None:
    small = _for_bfl(width=256, height=256, outputFormat="png")
    assert len(_pictures(_wished("pictures 3", **small))) == 3
    for fault in ("empty", "no image"):
        body = _body(_wished(fault, **small))
        assert body["data"] == []
        assert body["provider_metadata"]["blackForestLabs"] == {"images": []}
    assert "%%%" in _body(_wished("bad base64", **small))["data"][0]["b64_json"]
    padded = _wished("big 1", **small)
    assert len(padded.content) > 1_300_000
    assert _picture(padded).size == (256, 256)
    _refusal(_wished("error mid-stream"), 424, "failed_dependency")
    page = _wished("html 502")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert _wished("status 504").content == b""
    assert _wished("not json").content == b"<this is not JSON>"
    assert _wished("unknown shape").json() == {"hello": "world"}
    assert _wished("encoded gzip", **small).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("fault", ["drafts", "words only", "words", "max tokens", "finish X", "explode"])
def test_faults_that_pictures_do_not_have_are_said_to(fault: str) -> None:
    assert "sandbox fault" in _bad_request(_wished(fault))["message"]


def test_header_wins_over_words_in_the_prompt() -> None:
    body = {"model": FLUX, "prompt": "x [sandbox: 503]"}
    assert _post(IMAGES, body, headers={**KEY, "x-sandbox": "429"}).status_code == 429


def _messages(fault: str, *, leave_at_once: bool = False) -> list[dict[str, Any]]:
    body = json.dumps({"model": FLUX, "prompt": "x", **_for_bfl(width=256, height=256)}).encode()
    # In two parts, so that what was looked at has to be put together again.
    arriving = [
        {"type": "http.request", "body": body[:20], "more_body": True},
        {"type": "http.request", "body": body[20:], "more_body": False},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if arriving:
            return arriving.pop(0)
        if not leave_at_once:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    headers = [
        (b"authorization", b"Bearer x"),
        (b"x-sandbox", fault.encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": IMAGES,
        "headers": headers,
        "query_string": b"",
        "root_path": "",
    }
    _run(APP(scope, receive, send))
    return sent


def test_cut_off_leaves_the_body_unfinished() -> None:
    head, *bodies = _messages("cut off")
    declared = int(dict(head["headers"])[b"content-length"])
    assert 0.4 < sum(len(message["body"]) for message in bodies) / declared < 0.6
    assert bodies[-1]["more_body"] is True


@pytest.mark.parametrize("fault", ["never", "slow 60"])
def test_handler_ends_without_a_reply_when_the_client_goes_away(fault: str) -> None:
    assert _messages(fault, leave_at_once=True) == []


# Chat


@pytest.mark.parametrize("vendor", ["google", "vertex", "googleVertex"])
def test_chat_draws_the_ratio_and_the_size_of_googles_options(vendor: str) -> None:
    options = {vendor: {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}}}
    body = _body(_chat(modalities=["text", "image"], providerOptions=options))
    assert (body["object"], body["model"]) == ("chat.completion", PRO)
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"].keys() == {"role", "content", "images"}
    (part,) = choice["message"]["images"]
    assert (_of_data_url(part).size, _of_data_url(part).format) == ((2752, 1536), "JPEG")
    assert choice["message"]["content"] == "Here is the picture you asked for, 2752 by 1536 pixels."
    # 5 tokens in, 14 for words, 180 for thoughts, 1120 for the picture: at 2, 12 and 120 dollars a million.
    assert body["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 1314,
        "total_tokens": 1319,
        "cost": 0.136738,
        "market_cost": 0.136738,
        "is_byok": False,
    }


def test_chat_without_options_draws_a_square_and_follows_the_last_picture() -> None:
    assert _shown(_chat()).size == (1024, 1024)
    said = [
        {"type": "text", "text": "make it blue"},
        {"type": "image_url", "image_url": {"url": _data_url((200, 100))}},
    ]
    assert _shown(_chat("google/gemini-2.5-flash-image", said=said)).size == (1344, 768)


@pytest.mark.parametrize(
    "model",
    [
        "gemini-2.5-flash-image",
        "gemini-3.1-flash-image",
        "gemini-3.1-flash-image-lite",
        "gemini-nano-banana-2.1",
    ],
)
def test_every_listed_model_of_google_draws_on_chat(model: str) -> None:
    assert _shown(_chat(f"google/{model}")).size == (1024, 1024)


def test_modalities_say_whether_there_are_words_and_pictures() -> None:
    assert _message(_chat(modalities=["image"]))["content"] == ""
    assert "images" not in _message(_chat(modalities=["text"]))
    own = {"google": {"responseModalities": ["IMAGE"]}}
    assert _message(_chat(modalities=["text", "image"], providerOptions=own))["content"] == ""


def test_options_of_vertex_change_the_file() -> None:
    output = {"imageOutputOptions": {"mimeType": "image/png"}, "personGeneration": "ALLOW_ADULT"}
    assert _shown(_chat(providerOptions={"vertex": {"imageConfig": output}})).format == "PNG"


def test_thoughts_are_told_as_reasoning_and_drafts_are_not_shown() -> None:
    options = {"google": {"thinkingConfig": {"includeThoughts": True}}}
    assert _message(_chat(providerOptions=options))["reasoning"]
    drafted = _message(_chat_wished("drafts"))
    assert drafted["reasoning"]
    assert [_of_data_url(part).size for part in drafted["images"]] == [(1024, 1024)]


def test_gpt_5_draws_with_its_tool_when_pictures_are_among_the_modalities() -> None:
    options = {"openai": {"quality": "low", "outputFormat": "webp", "reasoningEffort": "low"}}
    reply = _chat(GPT_5, modalities=["text", "image"], providerOptions=options)
    assert (_shown(reply).size, _shown(reply).format) == ((1024, 1024), "WEBP")
    # 5 tokens and 14 of words at 1.25 and 10 dollars a million, 196 of the picture at 30.
    assert _body(reply)["usage"]["cost"] == 0.00602625
    sized = {"openai": {"size": "1536x1024"}}
    assert _shown(_chat(GPT_5, modalities=["image"], providerOptions=sized)).size == (1536, 1024)
    assert "images" not in _message(_chat(GPT_5))


def test_stream_sends_words_in_deltas_and_each_picture_whole() -> None:
    chunks = _chunks(_chat(stream=True, stream_options={"include_usage": True}))
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    *answering, usage = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in answering]
    assert deltas[0] == {"role": "assistant", "content": ""}
    words = "".join(delta.get("content", "") for delta in deltas)
    assert words == "Here is the picture you asked for, 1024 by 1024 pixels."
    (pictures,) = [delta for delta in deltas if "images" in delta]
    assert pictures.keys() == {"images"}
    assert _of_data_url(pictures["images"][0]).size == (1024, 1024)
    assert [chunk["choices"][0]["finish_reason"] for chunk in answering[-2:]] == [None, "stop"]
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == 1314


@pytest.mark.parametrize("model", [FLUX, GPT_IMAGE, IMAGEN])
def test_models_that_only_draw_are_no_language_models(model: str) -> None:
    error = _bad_request(_chat(model))
    assert "not a language model" in error["message"]


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        (PRO, {"providerOptions": {"google": {"imageConfig": {"aspectRatio": "1:8"}}}}, "aspect_ratio"),
        (PRO, {"providerOptions": {"google": {"imageConfig": {"imageSize": "512"}}}}, "image_size"),
        (PRO, {"providerOptions": {"google": {"imageConfig": {"size": "1K"}}}}, 'Unknown name "size"'),
        (PRO, {"providerOptions": {"google": {"imageConfig": "16:9"}}}, "needs an object"),
        (PRO, {"providerOptions": {"google": {"safetySettings": [{"category": "X"}]}}}, "safety_settings[0]"),
        (PRO, {"providerOptions": {"google": {"responseModalities": ["image"]}}}, "responseModalities[0]"),
        (PRO, {"providerOptions": {"google": {"cachedContent": "cachedContents/1"}}}, "CachedContent"),
        (
            PRO,
            {"providerOptions": {"google": {"thinkingConfig": {"thinkingLevel": "medium"}}}},
            "thinking_level",
        ),
        (
            PRO,
            {
                "providerOptions": {
                    "vertex": {"imageConfig": {"imageOutputOptions": {"mimeType": "image/gif"}}}
                }
            },
            "mime_type",
        ),
        (
            "google/gemini-2.5-flash-image",
            {"providerOptions": {"google": {"imageConfig": {"imageSize": "1K"}}}},
            "size",
        ),
        (PRO, {"max_tokens": 40_000}, "max_output_tokens"),
        (PRO, {"seed": 2**31}, "generation_config.seed"),
        (PRO, {"image_config": {"aspect_ratio": "1:1"}}, "Unknown parameter: 'image_config'."),
        (PRO, {"modalities": ["video"]}, "modalities[0]"),
        (GPT_5, {"providerOptions": {"openai": {"quality": "max"}}}, "'quality'"),
        (GPT_5, {"providerOptions": {"openai": {"background": "transparent"}}}, "'background'"),
        (GPT_5, {"providerOptions": {"gateway": {"has": ["magic"]}}}, "gateway.has[0]"),
    ],
)
def test_chat_refuses_what_the_model_does_not_take(model: str, fields: dict[str, Any], said: str) -> None:
    assert said in _bad_request(_chat(model, **fields))["message"]


@pytest.mark.parametrize(
    ("fault", "finish"),
    [
        ("refuse prompt", "content_filter"),
        ("block OTHER", "content_filter"),
        ("refuse picture", "content_filter"),
        ("finish PROHIBITED_CONTENT", "content_filter"),
        ("no image", "stop"),
        ("max tokens", "length"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_blocked_chat_ends_without_pictures(fault: str, finish: str, *, stream: bool) -> None:
    reply = _chat_wished(fault, stream=stream)
    if stream:
        last = _chunks(reply)[-1]
        assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": finish}]
        assert "images" not in reply.text
    else:
        (choice,) = _body(reply)["choices"]
        assert choice == {
            "index": 0,
            "message": {"role": "assistant", "content": ""},
            "finish_reason": finish,
        }


@pytest.mark.parametrize("fault", ["refuse prompt", "refuse picture"])
def test_openais_refusals_are_errors_on_chat(fault: str) -> None:
    error = _bad_request(_chat_wished(fault, GPT_5, modalities=["image"]))
    assert error["code"] == "moderation_blocked"


def test_stream_that_breaks_ends_with_an_error() -> None:
    begun, error = _chunks(_chat_wished("error mid-stream", stream=True), done=False)
    assert begun["choices"][0]["delta"] == {"role": "assistant", "content": "Here is"}
    assert error["error"]["type"] == "failed_dependency"
    _refusal(_chat_wished("error mid-stream"), 424, "failed_dependency")


def test_other_faults_of_chat() -> None:
    assert len(_message(_chat_wished("pictures 2"))["images"]) == 2
    assert "images" not in _message(_chat_wished("words only"))
    assert "wished for them" in _message(_chat_wished("words"))["content"]
    assert _body(_chat_wished("empty"))["choices"] == []
    assert _chat_wished("not json", stream=True).text == "data: <this is not JSON>\n\n"
    assert _chat_wished("unknown shape").json() == {"hello": "world"}
    assert "%%%" in _message(_chat_wished("bad base64"))["images"][0]["image_url"]["url"]
