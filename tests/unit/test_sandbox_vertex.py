"""The sandbox's Gemini wire on Vertex AI: who may call, what it has beyond the Gemini API, how it answers."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.unit.sandbox_calls import data_url, sandbox, seen

PRO, FIRST = "gemini-3-pro-image", "gemini-2.5-flash-image"
PROJECT = "/v1/projects/a-project/locations/global/publishers/google/models"
EXPRESS = "/v1/publishers/google/models"
STUDIO = "/v1beta/models"
VERTEX = sandbox("ya29.any", f"{PROJECT}/{PRO}:generateContent")
KEY = {"x-goog-api-key": "any"}


def _body(words: str = "a red fox", config: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    body = {"contents": [{"role": "user", "parts": [{"text": words}]}], **fields}
    return body | ({"generationConfig": {"imageConfig": config}} if config is not None else {})


def _ask(
    body: dict[str, Any] | None = None,
    *,
    model: str = PRO,
    models: str = PROJECT,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return VERTEX.post(body or _body(), path=f"{models}/{model}:generateContent", headers=headers)


def _drawn(reply: httpx.Response) -> tuple[str, tuple[int, int]]:
    assert reply.status_code == 200, reply.text[:300]
    picture = reply.json()["candidates"][0]["content"]["parts"][-1]["inlineData"]
    found = seen(picture["data"])
    assert picture["mimeType"] == f"image/{found[0].lower()}"
    return found


def _fields(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 400, reply.text[:300]
    (detail,) = reply.json()["error"]["details"]
    return [violation["field"] for violation in detail["fieldViolations"]]


@pytest.mark.parametrize(
    "models", [PROJECT, PROJECT.replace("/v1/", "/v1beta1/"), PROJECT.replace("global", "us")]
)
def test_a_bearer_token_opens_a_project(models: str) -> None:
    reply = _ask(_body(config={"aspectRatio": "16:9", "imageSize": "2K"}), models=models)
    assert _drawn(reply) == ("PNG", (2752, 1536))


@pytest.mark.parametrize("version", ["/v1", "/v1beta1"])
def test_an_api_key_opens_express_mode(version: str) -> None:
    models = EXPRESS.replace("/v1", version)
    assert _drawn(_ask(models=models, model=FIRST, headers=KEY)) == ("PNG", (1024, 1024))
    in_query = VERTEX.post(_body(), path=f"{models}/{FIRST}:generateContent?key=any", headers={})
    assert _drawn(in_query) == ("PNG", (1024, 1024))


def test_a_reply_is_vertexs() -> None:
    body = _ask(model=FIRST).json()
    assert body["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert datetime.fromisoformat(body["createTime"]).tzinfo is not None
    assert "index" not in body["candidates"][0]
    studio = _ask(model=FIRST, models=STUDIO, headers=KEY).json()
    assert studio["candidates"][0]["index"] == 0
    assert "createTime" not in studio
    assert "trafficType" not in studio["usageMetadata"]


def test_a_stream_is_vertexs() -> None:
    reply = VERTEX.post(_body(), path=f"{PROJECT}/{FIRST}:streamGenerateContent?alt=sse")
    events = [json.loads(event.removeprefix("data: ")) for event in reply.text.split("\r\n\r\n") if event]
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    assert all(event["usageMetadata"]["trafficType"] == "ON_DEMAND" for event in events)


def test_the_file_format_is_the_callers() -> None:
    options = {"mimeType": "image/jpeg"}
    sizes = {}
    for quality in (5, None, 95):
        chosen = options if quality is None else {**options, "compressionQuality": quality}
        reply = _ask(_body(config={"imageOutputOptions": chosen}))
        assert _drawn(reply) == ("JPEG", (1024, 1024))
        data = reply.json()["candidates"][0]["content"]["parts"][-1]["inlineData"]["data"]
        sizes[quality] = len(base64.b64decode(data))
    assert sizes[5] < sizes[None] < sizes[95]
    assert _drawn(_ask(_body(config={"imageOutputOptions": {"mimeType": "image/png"}})))[0] == "PNG"


VERTEX_ONLY: list[tuple[dict[str, Any], str]] = [
    (_body(config={"personGeneration": "ALLOW_ADULT"}), "generation_config.image_config.person_generation"),
    (
        _body(config={"prominentPeople": "BLOCK_PROMINENT_PEOPLE"}),
        "generation_config.image_config.prominent_people",
    ),
    (
        _body(config={"imageOutputOptions": {"mimeType": "image/png"}}),
        "generation_config.image_config.image_output_options",
    ),
    (
        _body(
            safetySettings=[
                {"category": "HARM_CATEGORY_IMAGE_HATE", "threshold": "BLOCK_NONE", "method": "SEVERITY"}
            ]
        ),
        "safety_settings[0].category",
    ),
    (_body(labels={"team": "a"}), "labels"),
    (_body(modelArmorConfig={"promptTemplateName": "t"}), "modelArmorConfig"),
    (
        {
            "contents": [
                {"role": "user", "parts": [{"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a"}}]}
            ]
        },
        "contents[0].parts[0].file_data.file_uri",
    ),
]


@pytest.mark.parametrize(("body", "field"), VERTEX_ONLY)
def test_fields_that_vertex_alone_has(body: dict[str, Any], field: str) -> None:
    assert _ask(body).status_code == 200
    assert field in _fields(_ask(body, models=STUDIO, headers=KEY))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contents": [{"parts": [{"text": "a fox"}]}]}, "contents[0].role"),
        (
            _body(config={"personGeneration": "allow_adult"}),
            "generation_config.image_config.person_generation",
        ),
        (
            _body(config={"imageOutputOptions": {"mimeType": "image/webp"}}),
            "generation_config.image_config.image_output_options.mime_type",
        ),
        (
            _body(config={"imageOutputOptions": {"compressionQuality": 101}}),
            "generation_config.image_config.image_output_options.compression_quality",
        ),
        (
            _body(config={"outputMimeType": "image/png"}),
            "generation_config.image_config.output_mime_type",
        ),
        (
            _body(
                modelArmorConfig={},
                safetySettings=[{"category": "HARM_CATEGORY_JAILBREAK", "threshold": "OFF"}],
            ),
            "model_armor_config",
        ),
    ],
)
def test_what_vertex_refuses(body: dict[str, Any], field: str) -> None:
    assert _fields(_ask(body)) == [field]


def test_the_oldest_model_takes_fewer_kinds_of_pictures_on_vertex() -> None:
    part = {
        "inlineData": {"mimeType": "image/heic", "data": base64.b64encode(b"\0\0\0\x18ftypheic").decode()}
    }
    body = {"contents": [{"role": "user", "parts": [part]}]}
    assert _ask(body).status_code == 200
    assert _fields(_ask(body, model=FIRST)) == ["contents[0].parts[0].inline_data.mime_type"]
    png = {"inlineData": {"mimeType": "image/png", "data": data_url(size=(160, 90)).partition(",")[2]}}
    assert _drawn(_ask({"contents": [{"role": "user", "parts": [png]}]}, model=FIRST))[1] == (1344, 768)


@pytest.mark.parametrize(
    ("models", "headers", "status", "reason"),
    [
        (PROJECT, {}, 401, "CREDENTIALS_MISSING"),
        (PROJECT, KEY, 401, "CREDENTIALS_MISSING"),
        (PROJECT, {"authorization": "Bearer invalid"}, 401, "ACCESS_TOKEN_EXPIRED"),
        (EXPRESS, {}, 401, "CREDENTIALS_MISSING"),
        (EXPRESS, {"x-goog-api-key": "invalid"}, 400, "API_KEY_INVALID"),
    ],
)
def test_who_may_call(models: str, headers: dict[str, str], status: int, reason: str) -> None:
    reply = _ask(models=models, headers=headers)
    assert reply.status_code == status
    (detail,) = reply.json()["error"]["details"]
    assert detail["reason"] == reason
    assert detail["metadata"] == {"service": "aiplatform.googleapis.com"}


def test_a_model_that_is_gone_and_a_key_in_the_query_are_refused() -> None:
    gone = _ask(model="gemini-3-pro-image-preview")
    assert gone.status_code == 404
    assert "projects/a-project/locations/global/publishers/google" in gone.json()["error"]["message"]
    assert VERTEX.post(_body(), path=f"{PROJECT}/{PRO}:generateContent?key=any").status_code == 400


def test_a_quota_has_no_details_and_a_blocked_prompt_a_message() -> None:
    quota = _ask(_body("[sandbox: 429]"))
    assert quota.status_code == 429
    assert set(quota.json()["error"]) == {"code", "message", "status"}
    assert "retry-after" not in quota.headers
    later = _ask(_body("[sandbox: 429 after 3]"))
    assert [detail["retryDelay"] for detail in later.json()["error"]["details"]] == ["3s"]
    blocked = _ask(_body("[sandbox: refuse prompt]")).json()["promptFeedback"]
    assert blocked["blockReason"] == "PROHIBITED_CONTENT"
    assert blocked["blockReasonMessage"]
