"""The sandbox, over real sockets: what it draws, what it refuses, and each fault one may wish for."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from litellm_imagegen.sandbox import server
from litellm_imagegen.sandbox.faults import WORDS, UnknownFaultError, read_wishes

FIRST = "gemini-2.5-flash-image"
PRO = "gemini-3-pro-image"
FLASH = "gemini-3.1-flash-image"
LITE = "gemini-3.1-flash-lite-image"
NEWEST = "gemini-nano-banana-2.1"
MODELS = (FIRST, PRO, FLASH, LITE, NEWEST)

PIXELS_FIRST = (
    "1:1 1024x1024 2:3 832x1248 3:2 1248x832 3:4 864x1184 4:3 1184x864 4:5 896x1152 5:4 1152x896 "
    "9:16 768x1344 16:9 1344x768 21:9 1536x672"
)
PIXELS_1K = (
    "1:1 1024x1024 2:3 848x1264 3:2 1264x848 3:4 896x1200 4:3 1200x896 4:5 928x1152 5:4 1152x928 "
    "9:16 768x1376 16:9 1376x768 21:9 1584x672"
)
PIXELS_1K_EXTREME = "1:4 512x2048 1:8 384x3072 4:1 2048x512 8:1 3072x384"
PIXELS_512 = (
    "1:1 512x512 1:4 256x1024 1:8 192x1536 2:3 424x632 3:2 632x424 3:4 448x600 4:1 1024x256 4:3 600x448 "
    "4:5 464x576 5:4 576x464 8:1 1536x192 9:16 384x688 16:9 688x384 21:9 792x168"
)


def _rows(model: str, size: str | None, table: str) -> list[tuple[str, str, str | None, tuple[int, int]]]:
    words = table.split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return [(model, ratio, size, (int(p.split("x")[0]), int(p.split("x")[1]))) for ratio, p in pairs]


PIXEL_ROWS = [
    *_rows(FIRST, None, PIXELS_FIRST),
    *_rows(PRO, "1K", PIXELS_1K),
    *_rows(FLASH, "512", PIXELS_512),
    *[
        row
        for model in (FLASH, LITE, NEWEST)
        for row in _rows(model, "1K", PIXELS_1K + " " + PIXELS_1K_EXTREME)
    ],
    (PRO, "16:9", "4K", (5504, 3072)),
    (NEWEST, "1:8", "4K", (1536, 12288)),
    (NEWEST, "21:9", "2K", (3168, 1344)),
    (FLASH, "4:5", "2K", (1856, 2304)),
]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    headers = {"x-goog-api-key": "any key", "accept-encoding": "identity"}
    with httpx.Client(base_url=server.base_url(), headers=headers, timeout=10, trust_env=False) as opened:
        yield opened


def _body(prompt: str = "a red fox in snow", **config: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
    return body | ({"generationConfig": config} if config else {})


def _post(client: httpx.Client, body: Any, model: str = FLASH, **options: Any) -> httpx.Response:
    return client.post(f"/v1beta/models/{model}:generateContent", json=body, **options)


def _small(prompt: str = "a red fox in snow", **config: Any) -> dict[str, Any]:
    return _body(prompt, imageConfig={"imageSize": "512"}, **config)


def _stream(client: httpx.Client, body: Any, model: str = FLASH) -> list[dict[str, Any]]:
    reply = client.post(f"/v1beta/models/{model}:streamGenerateContent?alt=sse", json=body)
    assert reply.status_code == 200
    events = reply.text.split("\r\n\r\n")
    assert events.pop() == ""
    assert all(event.startswith("data: ") and "\n" not in event for event in events)
    return [json.loads(event.removeprefix("data: ")) for event in events]


def _parts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["candidates"][0]["content"]["parts"]
    return found


def _pictures(parts: list[dict[str, Any]]) -> list[bytes]:
    return [
        base64.b64decode(part["inlineData"]["data"], validate=True) for part in parts if "inlineData" in part
    ]


def _picture(reply: httpx.Response) -> Image.Image:
    assert reply.status_code == 200, reply.text[:500]
    (data,) = _pictures(_parts(reply.json()))
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def _file(kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> str:
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


def _inline(data: str | None = None, mime_type: str = "image/png") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime_type, "data": _file() if data is None else data}}


def _with_parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": "join these"}, *parts]}]}


def _user_part(part: dict[str, Any]) -> dict[str, Any]:
    return {"contents": [{"parts": [part]}]}


# What it draws


@pytest.mark.parametrize(("model", "ratio", "size", "pixels"), PIXEL_ROWS)
def test_picture_has_exactly_the_pixels_of_its_ratio_and_size(
    client: httpx.Client, model: str, ratio: str, size: str | None, pixels: tuple[int, int]
) -> None:
    config = {"aspectRatio": ratio} | ({"imageSize": size} if size else {})
    picture = _picture(_post(client, _body(imageConfig=config), model))
    assert picture.size == pixels
    assert picture.format == ("PNG" if model == FIRST else "JPEG")


@pytest.mark.parametrize("model", MODELS)
def test_default_is_a_square_of_1k_with_text_before_it(client: httpx.Client, model: str) -> None:
    reply = _post(client, _body(), model)
    assert _picture(reply).size == (1024, 1024)
    parts = _parts(reply.json())
    assert [set(part) & {"text", "inlineData"} for part in parts] == [{"text"}, {"inlineData"}]
    assert [("thoughtSignature" in part) for part in parts] == [model != FIRST] * 2


def test_same_request_gives_the_same_picture_and_another_seed_another(client: httpx.Client) -> None:
    seeds: list[dict[str, Any]] = [{"seed": 1}, {"seed": 1}, {"seed": 2}, {}]
    first, again, other, none = (
        _pictures(_parts(_post(client, _small(**config)).json()))[0] for config in seeds
    )
    assert first == again
    assert len({first, other, none}) == 3


def test_a_wished_fault_does_not_change_the_picture(client: httpx.Client) -> None:
    plain = _pictures(_parts(_post(client, _small("a fox")).json()))
    wished = _pictures(_parts(_post(client, _small("a fox [sandbox: words]")).json()))
    assert plain == wished


def test_ratio_follows_the_last_input_picture(client: httpx.Client) -> None:
    body = _with_parts(_inline(_file(size=(90, 160))), _inline(_file("JPEG", (320, 180)), "image/jpeg"))
    assert _picture(_post(client, body)).size == (1376, 768)


def test_turned_photo_counts_as_it_is_shown(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = _with_parts(_inline(_file("JPEG", (320, 180), exif=exif), "image/jpeg"))
    assert _picture(_post(client, body)).size == (768, 1376)


def test_input_pictures_are_shown_in_the_picture(client: httpx.Client) -> None:
    red, blue = (io.BytesIO() for _ in range(2))
    Image.new("RGB", (100, 100), "#ff0000").save(red, "PNG")
    Image.new("RGB", (100, 100), "#0000ff").save(blue, "PNG")
    parts = [_inline(base64.b64encode(file.getvalue()).decode()) for file in (red, blue)]
    picture = _picture(_post(client, _with_parts(*parts), FIRST)).convert("RGB")
    counted = {colour: count for count, colour in picture.getcolors(2**24) or []}
    assert counted[(255, 0, 0)] > 10_000
    assert counted[(0, 0, 255)] > 10_000


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_every_kind_of_png_is_taken(client: httpx.Client, mode: str) -> None:
    assert _post(client, _with_parts(_inline(_file(mode=mode)))).status_code == 200


def test_cmyk_jpeg_webp_heic_and_addresses_are_taken(client: httpx.Client) -> None:
    heic = base64.b64encode(b"\0\0\0\x18ftypheic" + bytes(40)).decode()
    body = _with_parts(
        _inline(_file("JPEG", mode="CMYK"), "image/jpeg"),
        _inline(_file("WEBP"), "image/webp"),
        _inline(heic, "image/heic"),
        {"fileData": {"fileUri": "https://example.invalid/cat.png", "mimeType": "image/png"}},
    )
    assert _post(client, body).status_code == 200


@pytest.mark.parametrize(
    "prompt", ["x" * 5000, "word " * 3000, "\ud800 lone", "猫 \0 \u202e שלום", "\n\n.\n", "[sandbox:]"]
)
def test_odd_prompts_are_drawn(client: httpx.Client, prompt: str) -> None:
    body = json.dumps(_body(prompt, imageConfig={"imageSize": "512", "aspectRatio": "1:8"}))
    reply = client.post(f"/v1beta/models/{FLASH}:generateContent", content=body.encode("ascii"))
    assert _picture(reply).size == (192, 1536)


@pytest.mark.parametrize(
    ("model", "size", "picture_tokens", "input_tokens"),
    [
        (FIRST, None, 1290, 1290),
        (PRO, "2K", 1120, 560),
        (FLASH, "512", 747, 1120),
        (LITE, "1K", 1120, 1120),
        (NEWEST, "2K", 1680, 1120),
    ],
)
def test_usage_adds_up(
    client: httpx.Client, model: str, size: str | None, picture_tokens: int, input_tokens: int
) -> None:
    config = {"generationConfig": {"imageConfig": {"imageSize": size}}} if size else {}
    answer = _post(client, _with_parts(_inline(), _inline()) | config, model).json()
    usage = answer["usageMetadata"]
    details = {detail["modality"]: detail["tokenCount"] for detail in usage["promptTokensDetails"]}
    assert details == {"TEXT": 3, "IMAGE": 2 * input_tokens}
    assert usage["promptTokenCount"] == sum(details.values())
    assert usage["candidatesTokensDetails"] == [{"modality": "IMAGE", "tokenCount": picture_tokens}]
    assert usage["candidatesTokenCount"] > picture_tokens
    assert ("thoughtsTokenCount" in usage) == (model != FIRST)
    thoughts = usage.get("thoughtsTokenCount", 0)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + usage["candidatesTokenCount"] + thoughts
    assert answer["modelVersion"] == model
    assert answer["responseId"]


def test_modalities_choose_between_words_and_pictures(client: httpx.Client) -> None:
    kinds = {
        wanted: [
            next(iter(set(part) & {"text", "inlineData"})) for part in _parts(_post(client, body).json())
        ]
        for wanted, body in (
            ("image", _small(responseModalities=["IMAGE"])),
            ("text", _small(responseModalities=["text"])),
            ("both", _small(responseModalities=["TEXT", "IMAGE"])),
        )
    }
    assert kinds == {"image": ["inlineData"], "text": ["text"], "both": ["text", "inlineData"]}


def test_thoughts_are_included_when_asked_for(client: httpx.Client) -> None:
    parts = _parts(
        _post(client, _small(thinkingConfig={"includeThoughts": True, "thinkingLevel": "HIGH"})).json()
    )
    assert [part.get("thought", False) for part in parts] == [True, False, False]
    assert ["thoughtSignature" in part for part in parts] == [False, True, True]


def test_search_brings_grounding_metadata(client: httpx.Client) -> None:
    tools: dict[str, Any] = {
        "tools": [{"googleSearch": {"searchTypes": {"webSearch": {}, "imageSearch": {}}}}]
    }
    metadata = _post(client, _small() | tools).json()["candidates"][0]["groundingMetadata"]
    assert [next(iter(chunk)) for chunk in metadata["groundingChunks"]] == ["web", "image"]


def test_a_later_turn_with_the_signed_answer_is_taken(client: httpx.Client) -> None:
    answer = _post(client, _small()).json()["candidates"][0]["content"]
    body = _small("now at night")
    body["contents"] = [{"role": "user", "parts": [{"text": "a fox"}]}, answer, *body["contents"]]
    reply = _post(client, body)
    assert _picture(reply).size == (512, 512)
    assert [row["modality"] for row in reply.json()["usageMetadata"]["promptTokensDetails"]] == [
        "TEXT",
        "IMAGE",
    ]


def test_everything_optional_is_taken_in_both_spellings(client: httpx.Client) -> None:
    body = {
        "contents": [
            {"parts": [{"text": "fox"}, {"inline_data": {"mime_type": "image/png", "data": _file()}}]}
        ],
        "system_instruction": {"role": "system", "parts": [{"text": "be brief"}]},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "generation_config": {
            "response_modalities": ["image"],
            "image_config": {"aspect_ratio": "4:3", "image_size": "512"},
            "thinking_config": {"thinking_level": "minimal"},
            "temperature": 2,
            "topP": 0.5,
            "top_k": 40,
            "seed": -5,
            "max_output_tokens": 32768,
            "stop_sequences": ["a", "b", "c", "d", "e"],
            "candidate_count": 1,
            "media_resolution": "MEDIA_RESOLUTION_LOW",
        },
        "serviceTier": "priority",
        "store": False,
        "toolConfig": None,
    }
    reply = _post(client, body)
    assert _picture(reply).size == (600, 448)
    assert reply.json()["usageMetadata"]["serviceTier"] == "priority"


# What it refuses

CONFIG_REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    (FLASH, {"imageConfig": {"imageSize": "1k"}}, "generation_config.image_config.image_size"),
    (FLASH, {"imageConfig": {"imageSize": "512px"}}, "generation_config.image_config.image_size"),
    (FLASH, {"imageConfig": {"imageSize": 512}}, "generation_config.image_config.image_size"),
    (FIRST, {"imageConfig": {"imageSize": "1K"}}, "generation_config.image_config.image_size"),
    (PRO, {"imageConfig": {"imageSize": "512"}}, "generation_config.image_config.image_size"),
    (NEWEST, {"imageConfig": {"imageSize": "512"}}, "generation_config.image_config.image_size"),
    (LITE, {"imageConfig": {"imageSize": "2K"}}, "generation_config.image_config.image_size"),
    (FIRST, {"imageConfig": {"aspectRatio": "1:4"}}, "generation_config.image_config.aspect_ratio"),
    (PRO, {"imageConfig": {"aspectRatio": "8:1"}}, "generation_config.image_config.aspect_ratio"),
    (FLASH, {"imageConfig": {"aspectRatio": "9:21"}}, "generation_config.image_config.aspect_ratio"),
    (FLASH, {"imageConfig": {"aspectRatio": ""}}, "generation_config.image_config.aspect_ratio"),
    (FLASH, {"imageConfig": {"size": "1K"}}, "generation_config.image_config.size"),
    (FLASH, {"imageConfig": "1K"}, "generation_config.image_config"),
    *[
        (FLASH, {"imageConfig": {name: value}}, f"generation_config.image_config.{spelling}")
        for name, value, spelling in (
            ("personGeneration", "ALLOW_ALL", "person_generation"),
            ("prominentPeople", "BLOCK_PROMINENT_PEOPLE", "prominent_people"),
            ("outputMimeType", "image/png", "output_mime_type"),
            ("outputCompressionQuality", 75, "output_compression_quality"),
            ("imageOutputOptions", {"mimeType": "image/png"}, "image_output_options"),
        )
    ],
    (FLASH, {"candidateCount": 2}, "generation_config.candidate_count"),
    (FLASH, {"temperature": 2.1}, "generation_config.temperature"),
    (FLASH, {"temperature": "1"}, "generation_config.temperature"),
    (FLASH, {"topP": -0.1}, "generation_config.top_p"),
    (FLASH, {"topK": 0}, "generation_config.top_k"),
    (FLASH, {"seed": 2**31}, "generation_config.seed"),
    (FLASH, {"seed": 1.5}, "generation_config.seed"),
    (FLASH, {"seed": True}, "generation_config.seed"),
    (FLASH, {"maxOutputTokens": 32769}, "generation_config.max_output_tokens"),
    (LITE, {"maxOutputTokens": 4097}, "generation_config.max_output_tokens"),
    (FLASH, {"maxOutputTokens": 0}, "generation_config.max_output_tokens"),
    (FLASH, {"stopSequences": list("abcdef")}, "generation_config.stop_sequences"),
    (FLASH, {"responseModalities": []}, "generation_config.response_modalities"),
    (FLASH, {"responseModalities": ["AUDIO"]}, "generation_config.response_modalities[0]"),
    (FLASH, {"responseFormat": []}, "generation_config.response_format"),
    (FLASH, {"responseMimeType": "application/json"}, "generation_config.response_mime_type"),
    (
        FLASH,
        {"thinkingConfig": {"thinkingLevel": "medium"}},
        "generation_config.thinking_config.thinking_level",
    ),
    (
        PRO,
        {"thinkingConfig": {"thinkingLevel": "minimal"}},
        "generation_config.thinking_config.thinking_level",
    ),
    (FLASH, {"thinkingConfig": {"thinkingBudget": 0}}, "generation_config.thinking_config.thinking_budget"),
    (FIRST, {"thinkingConfig": {"includeThoughts": True}}, "generation_config.thinking_config"),
    (FLASH, {"n": 2}, "generation_config.n"),
]

PART = {"text": "a fox"}
BODY_REFUSALS = [
    (FLASH, {}, "contents"),
    (FLASH, {"contents": []}, "contents"),
    (FLASH, {"contents": {"parts": [PART]}}, "contents"),
    (FLASH, {"contents": [{"parts": []}]}, "contents[0].parts"),
    (FLASH, {"contents": [{"parts": [{"text": " "}]}]}, "contents"),
    (FLASH, {"contents": [{"role": "assistant", "parts": [PART]}]}, "contents[0].role"),
    (FLASH, {"contents": [{"role": "model", "parts": [PART]}]}, "contents"),
    (FLASH, _body() | {"prompt": "x"}, "prompt"),
    (FLASH, _body() | {"model": FLASH}, "model"),
    (FLASH, _user_part({}), "contents[0].parts[0]"),
    (FLASH, _user_part({"text": "x", **_inline()}), "contents[0].parts[0]"),
    (FLASH, _user_part({"text": 3}), "contents[0].parts[0].text"),
    (FLASH, _user_part({"type": "text", "text": "x"}), "contents[0].parts[0].type"),
    (FLASH, _user_part({"functionCall": {}}), "contents[0].parts[0].function_call"),
    (FLASH, _user_part({"text": "x", "thoughtSignature": "?"}), "contents[0].parts[0].thought_signature"),
    (FLASH, _user_part(_inline("no base64!")), "contents[0].parts[0].inline_data.data"),
    (FLASH, _user_part(_inline(_file()[:-1])), "contents[0].parts[0].inline_data.data"),
    (FLASH, _user_part(_inline("")), "contents[0].parts[0].inline_data.data"),
    (FLASH, _user_part(_inline("data:image/png;base64," + _file())), "contents[0].parts[0].inline_data.data"),
    (
        FLASH,
        _user_part(_inline(base64.b64encode(b"<svg/>").decode())),
        "contents[0].parts[0].inline_data.data",
    ),
    (FLASH, _user_part(_inline(_file("GIF"))), "contents[0].parts[0].inline_data.data"),
    (FLASH, _user_part(_inline(_file("GIF"), "image/gif")), "contents[0].parts[0].inline_data.mime_type"),
    (FLASH, _user_part({"inlineData": {"data": _file()}}), "contents[0].parts[0].inline_data.mime_type"),
    (FLASH, _user_part({"fileData": {"fileUri": "gs://a/b"}}), "contents[0].parts[0].file_data.file_uri"),
    (FLASH, _user_part({"fileData": {"fileUri": "http://a/b"}}), "contents[0].parts[0].file_data.file_uri"),
    (FIRST, _with_parts(*[_inline()] * 4), "contents"),
    (PRO, _with_parts(*[_inline()] * 15), "contents"),
    (FIRST, _body() | {"tools": [{"googleSearch": {}}]}, "tools[0].google_search"),
    (LITE, _body() | {"tools": [{"googleSearch": {}}]}, "tools[0].google_search"),
    (
        PRO,
        _body() | {"tools": [{"googleSearch": {"searchTypes": {"imageSearch": {}}}}]},
        "tools[0].google_search.search_types",
    ),
    (FLASH, _body() | {"tools": [{"functionDeclarations": []}]}, "tools[0].function_declarations"),
    (
        FLASH,
        _body() | {"safetySettings": [{"category": "HARM_CATEGORY_JAILBREAK", "threshold": "OFF"}]},
        "safety_settings[0].category",
    ),
    (
        FLASH,
        _body() | {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "NONE"}]},
        "safety_settings[0].threshold",
    ),
    (
        FLASH,
        _body() | {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT"}]},
        "safety_settings[0].threshold",
    ),
    (FLASH, _body() | {"serviceTier": "fast"}, "service_tier"),
]


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [*((model, _body(**config), field) for model, config, field in CONFIG_REFUSALS), *BODY_REFUSALS],
)
def test_refused_field_is_named(client: httpx.Client, model: str, body: dict[str, Any], field: str) -> None:
    reply = _post(client, body, model)
    assert reply.status_code == 400, reply.text[:300]
    error = reply.json()["error"]
    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert field in [found["field"] for found in error["details"][0]["fieldViolations"]]
    assert field in error["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"3", b'{"a": NaN}', b"\xff\xfe", b"[" * 200_000, b'{"contents": "\xc3"}']
)
def test_body_that_is_no_json_object_is_refused(client: httpx.Client, body: bytes) -> None:
    reply = client.post(f"/v1beta/models/{FLASH}:generateContent", content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "model", [PRO + "-preview", FLASH + "-preview", "nano-banana-pro-preview", "gemini-2.5-pro"]
)
def test_model_that_is_not_live_is_not_found(client: httpx.Client, model: str) -> None:
    reply = _post(client, _body(), model)
    assert reply.status_code == 404
    assert reply.json()["error"]["status"] == "NOT_FOUND"
    assert f"models/{model}" in reply.json()["error"]["message"]


def test_model_name_of_odd_form_and_unknown_parameters_are_refused(client: httpx.Client) -> None:
    assert _post(client, _body(), "gemini%20pro").status_code == 400
    assert _post(client, _body(), FLASH, params={"foo": "1"}).status_code == 400


def test_key_is_needed_in_header_or_query(client: httpx.Client) -> None:
    path = f"{server.base_url()}/v1/models/{FLASH}:generateContent"
    missing = httpx.post(path, json=_small(), trust_env=False)
    assert (missing.status_code, missing.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert httpx.post(path, params={"key": "k"}, json=_small(), trust_env=False).status_code == 200
    invalid = httpx.post(path, headers={"x-goog-api-key": "invalid-1"}, json=_small(), trust_env=False)
    assert invalid.status_code == 400
    assert invalid.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_models_are_listed(client: httpx.Client) -> None:
    for version in ("v1beta", "v1"):
        models = client.get(f"/{version}/models").json()["models"]
        assert {model["name"] for model in models} == {f"models/{model}" for model in MODELS}
        assert all("generateContent" in model["supportedGenerationMethods"] for model in models)
    assert client.get(f"/v1beta/models/{LITE}").json()["outputTokenLimit"] == 4096
    assert client.get("/v1beta/models", headers={"x-sandbox": "503"}).status_code == 503


def test_front_page_tells_wires_and_fault_words(client: httpx.Client) -> None:
    about = client.get("/").json()
    assert set(about["faults"]) == {word.syntax for word in WORDS}
    assert about["wires"]


# The stream


def test_stream_sends_text_in_deltas_each_picture_whole_and_the_reason_last(client: httpx.Client) -> None:
    events = _stream(client, _small())
    kinds = [next(iter(set(_parts(event)[0]) & {"text", "inlineData"})) for event in events]
    assert kinds == ["text", "text", "text", "inlineData", "text"]
    assert [event["candidates"][0].get("finishReason") for event in events] == [None] * 4 + ["STOP"]
    totals = [event["usageMetadata"]["totalTokenCount"] for event in events]
    assert totals == sorted(totals)
    assert len({event["responseId"] for event in events}) == 1
    plain = _post(client, _small()).json()
    joined = "".join(_parts(event)[0].get("text", "") for event in events)
    assert joined == _parts(plain)[0]["text"]
    assert _pictures(_parts(events[3])) == _pictures(_parts(plain))
    assert events[-1]["usageMetadata"] == plain["usageMetadata"]
    assert _parts(events[0])[0]["thoughtSignature"] == _parts(plain)[0]["thoughtSignature"]


def test_stream_has_the_event_stream_type_and_no_done(client: httpx.Client) -> None:
    reply = client.post(f"/v1beta/models/{FLASH}:streamGenerateContent?alt=sse", json=_small())
    assert reply.headers["content-type"] == "text/event-stream"
    assert "[DONE]" not in reply.text
    assert "event:" not in reply.text


def test_stream_without_sse_is_one_array_in_pieces(client: httpx.Client) -> None:
    path = f"/v1beta/models/{FLASH}:streamGenerateContent"
    with client.stream("POST", path, json=_small()) as reply:
        pieces = list(reply.iter_raw())
    events = json.loads(b"".join(pieces))
    assert len(pieces) > 1
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    refused = client.post(path, json={})
    assert refused.status_code == 400
    assert refused.json()[0]["error"]["status"] == "INVALID_ARGUMENT"


def test_refusals_are_one_event_of_a_stream(client: httpx.Client) -> None:
    (blocked,) = _stream(client, _small("x [sandbox: refuse prompt]"))
    assert blocked["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"
    (refused,) = _stream(client, _small("x [sandbox: refuse picture]"))
    assert refused["candidates"][0]["finishReason"] == "IMAGE_SAFETY"
    assert _stream(client, _small("x [sandbox: empty]")) == [{"candidates": []}]


# The faults: turns of the model


def _wished(client: httpx.Client, fault: str, **config: Any) -> httpx.Response:
    return _post(client, _small(f"a fox [sandbox: {fault}] asleep", **config))


@pytest.mark.parametrize(
    ("fault", "reason"), [("refuse prompt", "PROHIBITED_CONTENT"), ("block OTHER", "OTHER")]
)
def test_blocked_prompt_has_no_candidates(client: httpx.Client, fault: str, reason: str) -> None:
    answer = _wished(client, fault).json()
    assert answer["promptFeedback"] == {"blockReason": reason}
    assert "candidates" not in answer
    assert answer["usageMetadata"]["totalTokenCount"] == answer["usageMetadata"]["promptTokenCount"]


def test_refused_picture_has_a_message_and_no_content(client: httpx.Client) -> None:
    candidate = _wished(client, "refuse picture").json()["candidates"][0]
    assert candidate["finishReason"] == "IMAGE_SAFETY"
    assert candidate["finishMessage"]
    assert "content" not in candidate


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("no image", "NO_IMAGE"), ("max tokens", "MAX_TOKENS"), ("finish Brand_NEW", "Brand_NEW")],
)
def test_end_without_parts(client: httpx.Client, fault: str, reason: str) -> None:
    candidate = _wished(client, fault).json()["candidates"][0]
    assert candidate["finishReason"] == reason
    assert "parts" not in candidate["content"]
    with_words = _wished(client, f"{fault}; words").json()
    assert [set(part) for part in _parts(with_words)] == [{"text", "thoughtSignature"}]
    assert with_words["candidates"][0]["finishReason"] == reason
    assert len(_pictures(_parts(_wished(client, f"{fault}; pictures 2").json()))) == 2


def test_words_only_and_words(client: httpx.Client) -> None:
    only = _wished(client, "words only").json()
    assert only["candidates"][0]["finishReason"] == "STOP"
    assert ["text" in part for part in _parts(only)] == [True]
    added = _parts(_wished(client, "words", responseModalities=["IMAGE"]).json())
    assert ["text" in part for part in added] == [False, True]


def test_empty_has_no_candidates(client: httpx.Client) -> None:
    assert _wished(client, "empty").json() == {"candidates": []}


def test_drafts_are_thoughts_and_differ_from_the_final_picture(client: httpx.Client) -> None:
    parts = _parts(_wished(client, "drafts").json())
    kinds = [("text" if "text" in part else "picture", part.get("thought", False)) for part in parts]
    assert kinds == [
        ("text", True),
        ("picture", True),
        ("picture", True),
        ("text", False),
        ("picture", False),
    ]
    pictures = _pictures(parts)
    assert len(set(pictures)) == 3
    assert [Image.open(io.BytesIO(data)).size for data in pictures] == [(256, 256), (256, 256), (512, 512)]


def test_several_pictures_interleave_with_words(client: httpx.Client) -> None:
    parts = _parts(_wished(client, "pictures 3").json())
    assert ["text" in part for part in parts] == [True, False] * 3
    assert len(set(_pictures(parts))) == 3
    usage = _wished(client, "pictures 3").json()["usageMetadata"]
    assert usage["candidatesTokensDetails"][0]["tokenCount"] == 3 * 747


def test_bad_base64_is_junk(client: httpx.Client) -> None:
    data = _parts(_wished(client, "bad base64").json())[1]["inlineData"]["data"]
    with pytest.raises(ValueError, match="base64"):
        base64.b64decode(data, validate=True)


@pytest.mark.parametrize("model", [FIRST, FLASH])
def test_big_picture_still_decodes(client: httpx.Client, model: str) -> None:
    (data,) = _pictures(_parts(_post(client, _body("x [sandbox: big 3]"), model).json()))
    assert 3_000_000 < len(data) < 4_000_000
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.size == (1024, 1024)
    assert _post(client, _with_parts(_inline(base64.b64encode(data).decode())), FIRST).status_code == 200


# The faults: errors

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.mark.parametrize("code", STATUSES)
def test_error_codes_have_googles_bodies(client: httpx.Client, code: int) -> None:
    reply = _wished(client, str(code))
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["status"]) == (code, code, STATUSES[code])
    assert error["message"]


def test_quota_error_tells_when_to_come_back(client: httpx.Client) -> None:
    reply = _wished(client, "429 after 17")
    details = {detail["@type"].rsplit(".", 1)[1]: detail for detail in reply.json()["error"]["details"]}
    assert reply.headers["retry-after"] == "17"
    assert details["RetryInfo"]["retryDelay"] == "17s"
    assert set(details) == {"QuotaFailure", "Help", "RetryInfo"}
    assert "retry-after" in _wished(client, "429").headers


def test_pages_of_something_before_the_provider(client: httpx.Client) -> None:
    html = _wished(client, "html 502")
    assert (html.status_code, html.headers["content-type"][:9]) == (502, "text/html")
    assert html.text.startswith("<!DOCTYPE html>")
    bare = _wished(client, "status 529")
    assert (bare.status_code, bare.content) == (529, b"")


def test_replies_of_no_known_shape(client: httpx.Client) -> None:
    broken = _wished(client, "not json")
    assert broken.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        broken.json()
    assert _wished(client, "unknown shape").json() == {"hello": "world"}
    assert _stream(client, _small("[sandbox: unknown shape]")) == [{"hello": "world"}]


def test_error_in_the_middle_of_a_stream(client: httpx.Client) -> None:
    delta, error = _stream(client, _small("[sandbox: error mid-stream]"))
    assert _parts(delta)[0]["text"]
    assert (error["error"]["code"], error["error"]["status"]) == (503, "UNAVAILABLE")
    assert _wished(client, "error mid-stream").status_code == 503


def test_unknown_fault_is_named_and_the_known_are_listed(client: httpx.Client) -> None:
    for fault in ("explode", "pictures 0", "pictures 11", "slow 9999", "slow -1", "429 after", "418"):
        reply = _wished(client, fault)
        assert reply.status_code == 400
    message = _wished(client, "explode").json()["error"]["message"]
    assert "'explode'" in message
    assert all(word.syntax in message for word in WORDS)


def test_header_wins_over_words_in_the_prompt(client: httpx.Client) -> None:
    body = _small("a fox [sandbox: 503]")
    assert _post(client, body, headers={"x-sandbox": "429"}).status_code == 429
    assert _post(client, body, headers={"x-sandbox": ""}).status_code == 200


def test_only_the_last_user_content_wishes(client: httpx.Client) -> None:
    body = _small("now at night")
    earlier = [
        {"role": "user", "parts": [{"text": "[sandbox: 500]"}]},
        {"role": "model", "parts": [{"text": "[sandbox: 503]"}]},
    ]
    assert _post(client, body | {"contents": [*earlier, *body["contents"]]}).status_code == 200


def test_wishes_are_read_loosely_and_joined() -> None:
    wishes = read_wishes(texts=["x [Sandbox:  Slow 1.5 ;WORDS]", "[sandbox: pictures 2]"], header=None)
    assert (wishes.slow, wishes.words, wishes.pictures) == (1.5, True, 2)
    with pytest.raises(UnknownFaultError, match="Known are"):
        read_wishes(texts=[], header="nonsense")


# The faults: the connection


def test_slow_waits_before_the_head(client: httpx.Client) -> None:
    started = time.monotonic()
    with client.stream("POST", f"/v1beta/models/{FLASH}:generateContent", json=_small("[sandbox: slow 0.2]")):
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_stall_waits_after_a_beginning(client: httpx.Client, method: str) -> None:
    body = _small("[sandbox: stall 0.2]")
    with client.stream("POST", f"/v1beta/models/{FLASH}:{method}", json=body) as reply:
        arrived = [(time.monotonic(), piece) for piece in reply.iter_raw()]
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(arrived)]
    assert max(gaps) >= 0.15
    assert b"STOP" in b"".join(piece for _, piece in arrived)
    if "alt=sse" in method:
        assert gaps[0] == max(gaps)
        assert arrived[0][1].endswith(b"\r\n\r\n")


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_cut_off_closes_in_the_middle_of_the_picture(client: httpx.Client, method: str) -> None:
    pieces: list[bytes] = []
    body = _small("[sandbox: cut off]")
    with client.stream("POST", f"/v1beta/models/{FLASH}:{method}", json=body) as reply:
        declared = int(reply.headers.get("content-length", 0))
        with pytest.raises(httpx.RemoteProtocolError):
            pieces.extend(reply.iter_raw())
    received = b"".join(pieces)
    assert b'"inlineData"' in received
    assert b"finishReason" not in received
    assert declared == 0 or 0.4 < len(received) / declared < 0.6


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent?alt=sse"])
def test_gzip_is_sent_though_identity_was_asked_for(client: httpx.Client, method: str) -> None:
    reply = client.post(f"/v1beta/models/{FLASH}:{method}", json=_small("[sandbox: encoded gzip]"))
    assert reply.headers["content-encoding"] == "gzip"
    assert "inlineData" in reply.text


def _open_requests(client: httpx.Client) -> int:
    count: int = client.get("/").json()["open_requests"]
    return count


@pytest.mark.parametrize("fault", ["never", "slow 60", "stall 60"])
def test_handler_ends_when_the_client_goes_away(client: httpx.Client, fault: str) -> None:
    before = _open_requests(client)
    with pytest.raises(httpx.ReadTimeout):
        _post(client, _small(f"[sandbox: {fault}]"), timeout=0.2)
    deadline = time.monotonic() + 2
    while _open_requests(client) > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _open_requests(client) == before


# The server


def test_one_server_per_process_whichever_thread_asks() -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(server.base_url())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {server.base_url()}
    assert server.base_url().startswith("http://127.0.0.1:")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_child_starts_its_own(client: httpx.Client) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            url = server.base_url()
            status = httpx.get(url + "/", trust_env=False, timeout=5).status_code
            os.write(writing, f"{url} {status}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        child_url, answered = pipe.read().decode().split()
    os.waitpid(child, 0)
    assert answered == "200"
    assert child_url != server.base_url()
    assert client.get("/").status_code == 200


def test_foreground_server_serves_until_interrupted() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from litellm_imagegen.sandbox.server import serve; serve('127.0.0.1', {port})"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, timeout=5, trust_env=False) as patient:
            assert patient.get(f"http://127.0.0.1:{port}/").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0


def test_cached_content_is_not_there(client: httpx.Client) -> None:
    reply = _post(client, _body() | {"cachedContent": "cachedContents/1"})
    assert (reply.status_code, reply.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_server_is_silent(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, client: httpx.Client
) -> None:
    with caplog.at_level(0):
        _post(client, _small("[sandbox: 500]"))
        with pytest.raises(httpx.RemoteProtocolError):
            _post(client, _small("[sandbox: cut off]"))
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_open_paint_jobs_do_not_block_other_requests(client: httpx.Client) -> None:
    body = _body(imageConfig={"imageSize": "4K", "aspectRatio": "16:9"})
    drawing = threading.Thread(
        target=lambda: httpx.post(
            f"{server.base_url()}/v1beta/models/{PRO}:generateContent",
            json=body,
            params={"key": "k"},
            trust_env=False,
        )
    )
    drawing.start()
    started = time.monotonic()
    assert client.get("/").status_code == 200
    assert time.monotonic() - started < 1
    drawing.join()
