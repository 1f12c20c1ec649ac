"""The sandbox's AIone: its chat behind the gateways' door, its Gemini form, its list of models."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.sandbox_calls import data_url, message, said, sandbox, seen

PRO, PRO_2K, PRO_4K = (f"gemini-3-pro-image-preview{ending}" for ending in ("", "-2k", "-4k"))
FIRST, FLASH = "gemini-2.5-flash-image", "gemini-3.1-flash-image-preview"
AIONE = sandbox("sk-nex-any", "/v1/chat/completions")


def _chat(words: Any = "a red fox", *pictures: str, model: str = PRO, **fields: Any) -> httpx.Response:
    return AIONE.post({"model": model, "messages": said(words, *pictures), **fields})


def _native(model: str = PRO, *, headers: dict[str, str] | None = None, **config: Any) -> httpx.Response:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "a red fox"}]}],
        "generationConfig": {"imageConfig": config},
    }
    return AIONE.post(body, path=f"/v1beta/models/{model}:generateContent", headers=headers)


def _parts(reply: httpx.Response) -> tuple[str, str]:
    """Words and picture of a reply that holds both."""
    words, picture = message(reply)["content"]
    assert (words["type"], picture["type"]) == ("text", "image_url")
    return words["text"], picture["image_url"]["url"]


def _error(reply: httpx.Response, status: int) -> tuple[str, str | None]:
    assert reply.status_code == status, reply.text[:300]
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "code"}
    return error["type"], error["code"]


@pytest.mark.parametrize(
    ("model", "fields", "picture"),
    [
        (PRO, {}, ("JPEG", (1024, 1024))),
        (PRO, {"aspect_ratio": "16:9", "image_size": "2K"}, ("JPEG", (2752, 1536))),
        (PRO_2K, {"aspect_ratio": "3:2"}, ("JPEG", (2528, 1696))),
        (PRO_2K, {"image_size": "2K"}, ("JPEG", (2048, 2048))),
        (PRO_4K, {"aspect_ratio": "9:16"}, ("JPEG", (3072, 5504))),
        (FIRST, {"aspect_ratio": "21:9"}, ("PNG", (1536, 672))),
        (FLASH, {"aspect_ratio": "1:8", "image_size": "512"}, ("JPEG", (192, 1536))),
    ],
)
def test_the_picture_has_the_asked_shape(
    model: str, fields: dict[str, Any], picture: tuple[str, tuple[int, int]]
) -> None:
    assert seen(_parts(_chat(model=model, **fields))[1]) == picture


def test_a_reply_is_a_completion_whose_content_is_an_array() -> None:
    reply = _chat("four signs: 16..", data_url(size=(90, 160)), max_tokens=4096)
    words, picture = _parts(reply)
    assert words == "Here is the picture you asked for, 768 by 1376 pixels."
    assert seen(picture) == ("JPEG", (768, 1376))
    body = reply.json()
    assert body["id"].startswith("chatcmpl-")
    assert (body["object"], body["model"]) == ("chat.completion", PRO)
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 564, "completion_tokens": 1314, "total_tokens": 1878}


def test_an_address_is_not_seen() -> None:
    plain, with_address = _chat("look"), _chat("look", "https://203.0.113.1/wide.png")
    assert _parts(plain) == _parts(with_address)
    assert plain.json()["usage"] == with_address.json()["usage"]


def test_a_seed_goes_no_further() -> None:
    assert _parts(_chat(seed=1)) == _parts(_chat(seed=2))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"stream": True}, "invalid_request"),
        ({"aspect_ratio": "1:8"}, "invalid_value"),
        ({"aspect_ratio": "wide"}, "invalid_value"),
        ({"image_size": "512"}, "invalid_value"),
        ({"image_size": "2k"}, "invalid_value"),
        ({"image_size": "4K", "model": PRO_2K}, "invalid_value"),
        ({"image_size": "2K", "model": PRO_4K}, "invalid_value"),
        ({"image_size": "1K", "model": FIRST}, "invalid_value"),
        ({"image_config": {}}, "unknown_parameter"),
        ({"modalities": ["image"]}, "unknown_parameter"),
        ({"messages": said("look", data_url("GIF"))}, "unsupported_image_format"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], kind: str) -> None:
    reply = AIONE.post({"model": PRO, "messages": said(), **fields})
    assert _error(reply, 400) == ("invalid_request_error", kind)


def test_stream_may_be_false() -> None:
    assert _chat(stream=False).status_code == 200


@pytest.mark.parametrize("model", ["gemini-3-pro-image", "Gemini-3-Pro-Image-Preview", "gpt-image-2"])
def test_other_models_are_not_there(model: str) -> None:
    assert _error(_chat(model=model), 404) == ("invalid_request_error", "model_not_found")


@pytest.mark.parametrize("key", ["", "Bearer sk-or-any", "Bearer sk-nex-invalid-1", "Basic sk-nex-any"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    body = {"model": PRO, "messages": said()}
    reply = AIONE.post(body, headers={"authorization": key} if key else {})
    assert _error(reply, 401) == ("authentication_error", "invalid_api_key")


@pytest.mark.parametrize(
    ("fault", "finish", "content"),
    [
        ("refuse prompt", "content_filter", []),
        ("refuse picture", "content_filter", ""),
        ("finish PROHIBITED_CONTENT", "content_filter", ""),
        ("no image", "stop", ""),
        ("max tokens", "length", ""),
    ],
)
def test_an_end_without_a_picture(fault: str, finish: str, content: Any) -> None:
    reply = _chat(f"a fox [sandbox: {fault}]")
    assert message(reply)["content"] == content
    assert reply.json()["choices"][0]["finish_reason"] == finish


def test_words_alone_are_a_string_and_several_pictures_one_array() -> None:
    assert isinstance(message(_chat("a fox [sandbox: words only]"))["content"], str)
    parts = message(_chat("a fox [sandbox: pictures 2; words]"))["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text", "image_url", "text"]
    assert _chat("a fox [sandbox: empty]").json()["choices"] == []


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("400", 400, ("invalid_request_error", "invalid_request")),
        ("401", 401, ("authentication_error", "invalid_api_key")),
        ("403", 403, ("permission_error", "model_not_allowed")),
        ("404", 404, ("invalid_request_error", "model_not_found")),
        ("429 after 9", 429, ("rate_limit_error", "rate_limit_exceeded")),
        ("500", 500, ("server_error", "internal_error")),
        ("503", 503, ("server_error", "upstream_unavailable")),
        ("error mid-stream", 502, ("server_error", "upstream_error")),
    ],
)
def test_error_replies(fault: str, status: int, error: tuple[str, str]) -> None:
    reply = _chat(f"a fox [sandbox: {fault}]")
    assert _error(reply, status) == error
    assert reply.headers.get("retry-after") == ("9" if status == 429 else None)


# The Gemini form


@pytest.mark.parametrize(
    ("model", "config", "size"),
    [
        (PRO, {"aspectRatio": "16:9"}, (1376, 768)),
        (PRO_2K, {}, (2048, 2048)),
        (FLASH, {"imageSize": "512"}, (512, 512)),
    ],
)
def test_the_gemini_form_takes_a_bearer_key_and_aiones_names(
    model: str, config: dict[str, Any], size: tuple[int, int]
) -> None:
    reply = _native(model, **config)
    assert reply.status_code == 200, reply.text[:300]
    assert reply.json()["modelVersion"] == model
    picture = reply.json()["candidates"][0]["content"]["parts"][-1]["inlineData"]
    assert seen(picture["data"])[1] == size


def test_the_gemini_form_streams() -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "a red fox"}]}]}
    reply = AIONE.post(body, path=f"/v1beta/models/{PRO}:streamGenerateContent?alt=sse")
    events = [json.loads(event.removeprefix("data: ")) for event in reply.text.split("\r\n\r\n") if event]
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"


def test_the_gemini_form_refuses() -> None:
    assert _native(PRO_2K, imageSize="4K").status_code == 400
    assert _native("gemini-3-pro-image").status_code == 404
    invalid = _native(headers={"authorization": "Bearer sk-nex-invalid"})
    assert _error(invalid, 401) == ("authentication_error", "invalid_api_key")
    # A bearer key of another form is none to the Gemini API, and AIone's names are not Google's.
    assert (
        _native(headers={"authorization": "Bearer sk-any"}).json()["error"]["status"] == "PERMISSION_DENIED"
    )
    assert _native(headers={"x-goog-api-key": "sk-nex-any"}).status_code == 404


# The lists


def test_the_lists_of_models() -> None:
    names = [model["id"] for model in AIONE.get("/v1/models").json()["data"]]
    assert names == [PRO, PRO_2K, PRO_4K, FIRST, FLASH]
    native = AIONE.get("/v1beta/models").json()["models"]
    assert [model["name"] for model in native] == [f"models/{name}" for name in names]
    others = AIONE.get("/v1/models", headers={"authorization": "Bearer sk-any"}).json()["data"]
    assert PRO not in [model["id"] for model in others], "OpenAI has the same address"
    invalid = AIONE.get("/v1/models", headers={"authorization": "Bearer sk-nex-invalid"})
    assert _error(invalid, 401) == ("authentication_error", "invalid_api_key")
