"""The sandbox's OpenRouter: what its chat and its Image API draw, refuse, stream and bill, and each fault."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.unit.sandbox_calls import data_url, frames, joined, message, said, sandbox, seen, urls

CHAT, IMAGES = "/api/v1/chat/completions", "/api/v1/images"
FIRST, PRO, FLASH = (
    "google/gemini-2.5-flash-image",
    "google/gemini-3-pro-image",
    "google/gemini-3.1-flash-image",
)
FLUX, GPT, GPT_CHAT = "black-forest-labs/flux.2-pro", "openai/gpt-image-2", "openai/gpt-5-image"
SMALL = "1024x640"
OPENROUTER = sandbox("sk-or-v1-any", CHAT)


def _chat(words: Any = "a red fox", *pictures: str, model: str = FIRST, **fields: Any) -> httpx.Response:
    return OPENROUTER.post({"model": model, "messages": said(words, *pictures), **fields})


def _wished(fault: str, **fields: Any) -> httpx.Response:
    return _chat(f"a fox [sandbox: {fault}] asleep", **fields)


def _draw(
    prompt: str = "a red fox", model: str = FLUX, *, path: str = IMAGES, **fields: Any
) -> httpx.Response:
    return OPENROUTER.post({"model": model, "prompt": prompt, **fields}, path=path)


def _error(reply: httpx.Response, status: int) -> dict[str, Any]:
    assert reply.status_code == status, reply.text[:500]
    error: dict[str, Any] = reply.json()["error"]
    assert error["code"] == status
    assert error["message"]
    return error


def _drawn(reply: httpx.Response) -> list[tuple[str, tuple[int, int]]]:
    assert reply.status_code == 200, reply.text[:500]
    pictures = reply.json()["data"]
    found = [seen(picture["b64_json"]) for picture in pictures]
    assert [picture["media_type"] for picture in pictures] == [f"image/{kind.lower()}" for kind, _ in found]
    return found


# Chat: what it draws


@pytest.mark.parametrize(
    ("model", "config", "picture"),
    [
        (FIRST, {}, ("PNG", (1024, 1024))),
        (FIRST, {"aspect_ratio": "16:9"}, ("PNG", (1344, 768))),
        (PRO, {"aspect_ratio": "16:9"}, ("JPEG", (1376, 768))),
        (PRO, {"aspect_ratio": "21:9", "image_size": "2K"}, ("JPEG", (3168, 1344))),
        (FLASH, {"aspect_ratio": "1:4", "image_size": "0.5K"}, ("JPEG", (256, 1024))),
        (FLUX, {"aspect_ratio": "16:9"}, ("JPEG", (1360, 768))),
        ("bytedance-seed/seedream-4.5", {"aspect_ratio": "1:2", "image_size": "1K"}, ("JPEG", (720, 1456))),
        ("recraft/recraft-v4", {"aspect_ratio": "16:9", "strength": 0.5}, ("PNG", (1344, 768))),
        ("recraft/recraft-v4-pro", {"aspect_ratio": "3:2"}, ("PNG", (2560, 1664))),
        (GPT_CHAT, {"size": "1024x1536", "quality": "low"}, ("PNG", (1024, 1536))),
        (GPT_CHAT, {"aspect_ratio": "3:2", "output_format": "webp"}, ("WEBP", (1536, 1024))),
        ("openai/gpt-5.4-image-2", {"size": SMALL, "output_format": "jpeg"}, ("JPEG", (1024, 640))),
        # Open: what is not known, or not this model's, is ignored.
        (FIRST, {"quality": "no such", "new_key": [1, "two"], "size": "1x1"}, ("PNG", (1024, 1024))),
    ],
)
def test_the_picture_has_the_asked_shape(
    model: str, config: dict[str, Any], picture: tuple[str, tuple[int, int]]
) -> None:
    (url,) = urls(message(_chat(model=model, image_config=config)))
    assert seen(url) == picture


def test_a_whole_reply_tells_all_that_openrouter_tells() -> None:
    reply = _chat(model=PRO, modalities=["image", "text"], seed=7)
    body = reply.json()
    (choice,) = body["choices"]
    assert body["id"].startswith("gen-")
    assert reply.headers["x-generation-id"] == body["id"]
    assert (body["object"], body["model"], body["provider"]) == ("chat.completion", PRO, "Google")
    assert (choice["finish_reason"], choice["native_finish_reason"]) == ("stop", "STOP")
    assert choice["message"]["content"] == "Here is the picture you asked for, 1024 by 1024 pixels."
    assert choice["message"]["refusal"] is None
    (detail,) = choice["message"]["reasoning_details"]
    assert detail == {
        "type": "reasoning.encrypted",
        "data": detail["data"],
        "format": "google-gemini-v1",
        "index": 0,
    }


def test_tokens_and_cost_are_those_of_the_list() -> None:
    usage = _chat("four signs: 16..", model=PRO).json()["usage"]
    # 4 tokens at $2, 14 of words and 180 of thoughts at $12, 1120 of a picture at $120 a million.
    for_prompt, for_answer = 4 * 2e-6, (14 + 180) * 12e-6 + 1120 * 120e-6
    assert usage["prompt_tokens"] == 4
    assert usage["completion_tokens"] == 14 + 180 + 1120
    assert usage["total_tokens"] == 4 + 14 + 180 + 1120
    assert usage["completion_tokens_details"] == {
        "reasoning_tokens": 180,
        "image_tokens": 1120,
        "audio_tokens": 0,
    }
    assert usage["cost"] == pytest.approx(for_prompt + for_answer)
    assert usage["cost_details"]["upstream_inference_prompt_cost"] == pytest.approx(for_prompt)
    assert usage["cost_details"]["upstream_inference_completions_cost"] == pytest.approx(for_answer)
    assert usage["is_byok"] is False


def test_a_model_that_only_draws_has_a_price_a_picture_and_no_words() -> None:
    reply = _chat(model=FLUX, modalities=["image"])
    assert message(reply)["content"] == ""
    assert "reasoning_details" not in message(reply)
    assert reply.json()["usage"]["cost"] == 0.03
    assert reply.json()["usage"]["completion_tokens_details"]["image_tokens"] == 64 * 64


@pytest.mark.parametrize(("modalities", "pictures"), [(["text"], 0), (["image"], 1), (["image", "text"], 1)])
def test_modalities_say_what_the_answer_holds(modalities: list[str], pictures: int) -> None:
    found = message(_chat(modalities=modalities))
    assert len(urls(found)) == pictures
    assert bool(found["content"]) is ("text" in modalities)


def test_the_shape_follows_the_given_picture() -> None:
    wide, tall = data_url(size=(160, 90)), data_url("WEBP", (90, 160))
    assert seen(urls(message(_chat("turn it", wide, tall)))[0])[1] == (768, 1344)
    assert seen(urls(message(_chat("turn it", wide, tall, model=FLUX)))[0])[1] == (1360, 768)


def test_a_conversation_with_its_pictures_and_signatures_goes_on() -> None:
    first = message(_chat(model=PRO))
    history = [*said(), first, *said("now at night")]
    reply = OPENROUTER.post({"model": PRO, "messages": history})
    assert len(urls(message(reply))) == 1
    assert reply.json()["usage"]["prompt_tokens"] > 560, "the earlier picture is an input"


def test_the_documented_example_is_taken() -> None:
    body = {
        "model": "google/gemini-2.5-flash-image-preview",
        "messages": said("Create a picture of a nano banana dish in a fancy restaurant"),
        "modalities": ["image", "text"],
        "image_config": {"aspect_ratio": "16:9"},
    }
    headers = {**OPENROUTER.headers, "http-referer": "https://site.example", "x-title": "A site"}
    assert seen(urls(message(OPENROUTER.post(body, headers=headers)))[0])[1] == (1344, 768)


def test_a_background_may_be_transparent() -> None:
    config = {"background_mode": "transparent"}
    (url,) = urls(message(_chat(model="sourceful/riverflow-v2.5", image_config=config)))
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        assert picture.getchannel("A").getextrema() == (0, 255)


# Chat: streams


def test_a_stream_holds_the_same_picture_as_a_whole_reply() -> None:
    whole = message(_chat(model=PRO, image_config={"aspect_ratio": "2:3"}))
    comments, chunks = frames(_chat(model=PRO, image_config={"aspect_ratio": "2:3"}, stream=True))
    assert comments == ["OPENROUTER PROCESSING"]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    *deltas, last = chunks
    assert last["choices"] == []
    assert last["usage"]["cost"] > 0.13
    put_together = joined(deltas)
    assert put_together["finish_reason"] == "stop"
    assert deltas[-1]["choices"][0]["native_finish_reason"] == "STOP"
    assert {name: put_together[name] for name in ("role", "content", "images")} == {
        name: whole[name] for name in ("role", "content", "images")
    }
    assert put_together["reasoning_details"] == whole["reasoning_details"]
    assert sum(bool(chunk["choices"][0]["delta"].get("images")) for chunk in deltas) == 1


def test_thoughts_are_streamed_as_reasoning_unless_they_are_excluded() -> None:
    shown = joined(frames(_wished("drafts; pictures 2", model=PRO, stream=True))[1])
    assert shown["reasoning"].startswith("I think")
    assert len(urls(shown)) == 2
    assert [detail["type"] for detail in shown["reasoning_details"]] == [
        "reasoning.text",
        "reasoning.encrypted",
    ]
    hidden = message(_wished("drafts", model=PRO, reasoning={"exclude": True}))
    assert hidden["reasoning"] is None
    assert "reasoning_details" not in hidden


# Chat: what it refuses


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"image_config": {"aspect_ratio": "16:10"}}, "image_config.aspect_ratio"),
        ({"image_config": {"aspect_ratio": "1:8"}}, "image_config.aspect_ratio"),
        ({"image_config": {"image_size": "2K"}}, "image_config.image_size"),
        ({"image_config": {"image_size": "512"}, "model": FLASH}, "image_config.image_size"),
        ({"image_config": {"image_size": "2k"}, "model": PRO}, "image_config.image_size"),
        ({"image_config": {"mask": {"url": "x"}}}, "image_config.mask"),
        ({"image_config": {"flag": True}}, "image_config.flag"),
        ({"image_config": {"quality": "xhigh"}, "model": GPT_CHAT}, "image_config.quality"),
        ({"image_config": {"background": "transparent"}, "model": GPT_CHAT}, "image_config.background"),
        ({"image_config": {"size": "100x100"}, "model": GPT_CHAT}, "image_config.size"),
        ({"image_config": {"strength": 2}, "model": "recraft/recraft-v3"}, "image_config.strength"),
        ({"image_config": "16:9"}, "image_config"),
        ({"modalities": ["picture"]}, "modalities[0]"),
        ({"n": 2}, "n"),
        ({"imageConfig": {}}, "imageConfig"),
        ({"provider": {"first": ["google"]}}, "provider.first"),
        ({"session_id": "x" * 257}, "session_id"),
    ],
)
def test_what_is_not_legal_is_a_400_that_names_it(fields: dict[str, Any], named: str) -> None:
    error = _error(_chat(**fields), 400)
    assert f"'{named}'" in error["message"]
    assert error["metadata"] == {"error_type": "invalid_request"}


@pytest.mark.parametrize(
    ("fields", "message_", "code"),
    [
        (
            {"model": FLUX, "modalities": ["image", "text"]},
            "No endpoints found that support the requested output modalities: image, text",
            "no_endpoints",
        ),
        ({"modalities": ["image", "audio"]}, "image, audio", "no_endpoints"),
        ({"tools": [{"type": "function"}]}, "No endpoints found that support tool use.", "no_endpoints"),
        ({"model": "google/no-such"}, "No endpoints found for google/no-such.", "model_not_found"),
    ],
)
def test_what_nobody_serves_is_a_404(fields: dict[str, Any], message_: str, code: str) -> None:
    error = _error(_chat(**fields), 404)
    assert message_ in error["message"]
    assert error["availability"] == {"code": code, "retryable": False}


def test_more_pictures_than_a_model_takes_are_refused() -> None:
    assert "takes 3" in _error(_chat("mix", *[data_url()] * 4), 400)["message"]


@pytest.mark.parametrize("key", [None, "Bearer ", "Bearer sk-or-invalid", "Bearer invalid", "Basic abc"])
def test_a_caller_without_a_good_key_is_refused(key: str | None) -> None:
    headers = {} if key is None else {"authorization": key}
    body = {"model": FIRST, "messages": said()}
    for path in (CHAT, IMAGES):
        reply = OPENROUTER.post(body, path=path, headers=headers)
        _error(reply, 401)
        assert set(reply.json()) == {"error"}


# Chat: faults


def test_a_moderated_prompt_is_a_403_that_tells_why() -> None:
    error = _error(_wished("block SAFETY", model=PRO), 403)
    assert error["metadata"] == {
        "reasons": ["SAFETY"],
        "flagged_input": "a fox  asleep",
        "provider_name": "Google",
        "model_slug": PRO,
    }


@pytest.mark.parametrize(
    ("fault", "finish", "native"),
    [
        ("refuse picture", "content_filter", "IMAGE_SAFETY"),
        ("finish RECITATION", "content_filter", "RECITATION"),
        ("no image", "stop", "NO_IMAGE"),
        ("max tokens", "length", "MAX_TOKENS"),
        ("finish MALFORMED_RESPONSE", "error", "MALFORMED_RESPONSE"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_end_without_a_picture(fault: str, finish: str, native: str, stream: bool) -> None:
    reply = _wished(fault, stream=stream)
    if stream:
        *deltas, _ = frames(reply)[1]
        assert joined(deltas) == {"role": "assistant", "content": "", "finish_reason": finish}
        assert deltas[-1]["choices"][0]["native_finish_reason"] == native
    else:
        assert message(reply) == {"role": "assistant", "content": "", "refusal": None, "reasoning": None}
        (choice,) = reply.json()["choices"]
        assert (choice["finish_reason"], choice["native_finish_reason"]) == (finish, native)


def test_words_alone_words_beside_and_several_pictures() -> None:
    assert urls(message(_wished("words only"))) == []
    assert "wished" in message(_wished("words"))["content"]
    pictures = urls(message(_wished("pictures 3")))
    assert len(set(pictures)) == 3
    assert _wished("empty").json()["choices"] == []


def test_an_error_after_the_start_comes_with_status_200() -> None:
    whole = _wished("error mid-stream").json()
    assert set(whole) == {"error", "user_id"}
    assert (whole["error"]["code"], whole["error"]["message"]) == (502, "Provider returned error")
    assert whole["error"]["metadata"]["error_type"] == "provider_unavailable"
    comments, (first, last) = frames(_wished("error mid-stream", stream=True), done=False)
    assert comments == ["OPENROUTER PROCESSING"]
    assert first["choices"][0]["delta"]["content"] == "Here is"
    assert last["error"]["code"] == 502
    (choice,) = last["choices"]
    assert (choice["delta"], choice["finish_reason"]) == ({"content": ""}, "error")


@pytest.mark.parametrize("path", [CHAT, IMAGES])
@pytest.mark.parametrize(
    ("fault", "status", "metadata", "headers"),
    [
        ("400", 400, {"error_type": "invalid_request"}, {}),
        ("401", 401, None, {}),
        ("402", 402, None, {}),
        ("403", 403, {"error_type": "permission_denied"}, {}),
        ("404", 404, {"error_type": "not_found"}, {}),
        (
            "429 after 17",
            429,
            {"error_type": "rate_limit_exceeded", "retry_after_seconds": 17.0},
            {"retry-after": "17", "x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"},
        ),
        ("500", 500, {"error_type": "server", "provider_name": "Black Forest Labs"}, {}),
        ("503", 503, {"error_type": "provider_overloaded", "provider_name": "Black Forest Labs"}, {}),
        ("504", 504, {"error_type": "timeout", "provider_name": "Black Forest Labs"}, {}),
    ],
)
def test_error_replies(
    path: str, fault: str, status: int, metadata: dict[str, Any] | None, headers: dict[str, str]
) -> None:
    prompt = f"a fox [sandbox: {fault}]"
    body = {"model": FLUX, "messages": said(prompt)} if path == CHAT else {"model": FLUX, "prompt": prompt}
    reply = OPENROUTER.post({**body, "stream": True}, path=path)
    assert _error(reply, status).get("metadata") == metadata
    assert {name: reply.headers[name] for name in headers} == headers


def test_faults_of_the_connection() -> None:
    assert _wished("html 502").text.startswith("<!DOCTYPE html>")
    assert _wished("status 204").content == b""
    assert _wished("not json").text == "<this is not JSON>"
    assert _wished("unknown shape", stream=True).text == 'data: {"hello": "world"}\n\n'
    assert "%%%" in urls(message(_wished("bad base64")))[0]
    assert len(urls(message(_wished("big 1")))[0]) > 1_000_000
    assert _wished("encoded gzip").headers["content-encoding"] == "gzip"
    assert "Unknown sandbox fault" in _error(_wished("no such"), 400)["message"]


# The Image API


@pytest.mark.parametrize(
    ("fields", "picture"),
    [
        ({}, ("JPEG", (1024, 1024))),
        ({"aspect_ratio": "2.35:1", "output_format": "png"}, ("PNG", (1568, 672))),
        ({"size": "2K"}, ("JPEG", (2048, 2048))),
        ({"size": "2K", "resolution": "2K", "aspect_ratio": "16:9"}, ("JPEG", (2736, 1536))),
        ({"size": "1376x768", "aspect_ratio": "16:9", "resolution": "1K"}, ("JPEG", (1360, 768))),
        ({"model": FLASH, "resolution": "512", "aspect_ratio": "16:9"}, ("JPEG", (688, 384))),
        ({"model": PRO, "size": "2048x2048"}, ("JPEG", (2048, 2048))),
        ({"model": GPT, "size": SMALL, "quality": "low"}, ("PNG", (1024, 640))),
        ({"model": GPT, "size": "auto", "output_format": "webp"}, ("WEBP", (1024, 1024))),
        ({"model": "x-ai/grok-imagine-image-2.0", "aspect_ratio": "19.5:9"}, ("JPEG", (1504, 688))),
    ],
)
def test_the_image_api_draws_the_asked_shape(
    fields: dict[str, Any], picture: tuple[str, tuple[int, int]]
) -> None:
    assert _drawn(_draw(**fields)) == [picture]


def test_several_pictures_are_several_and_billed_each() -> None:
    reply = _draw(model="qwen/qwen-image-3", n=3, path=f"{IMAGES}/generations")
    assert _drawn(reply) == [("PNG", (1024, 1024))] * 3
    assert len({picture["b64_json"] for picture in reply.json()["data"]}) == 3
    assert reply.json()["usage"]["cost"] == pytest.approx(0.12)


def test_a_drawing_is_svg() -> None:
    (picture,) = _draw(model="recraft/recraft-v4-vector", aspect_ratio="3:2").json()["data"]
    assert picture["media_type"] == "image/svg+xml"
    assert base64.b64decode(picture["b64_json"]).startswith(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="1280"'
    )


def test_references_are_seen() -> None:
    references = [
        {"type": "image_url", "image_url": {"url": url}} for url in (data_url(size=(90, 160)), data_url())
    ]
    assert _drawn(_draw(input_references=references)) == [("JPEG", (768, 1360))]
    assert _draw(input_references=references).json()["data"] != _draw(aspect_ratio="9:16").json()["data"]
    assert "takes 1" in _error(_draw(model="recraft/recraft-v4", input_references=references), 400)["message"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"size": "2K", "resolution": "1K"}, "contradict"),
        ({"size": "1024x1024", "aspect_ratio": "16:9"}, "contradict"),
        ({"size": "1024x1024", "resolution": "2K"}, "contradict"),
        ({"size": "large"}, "'size'"),
        ({"size": "1000x1000", "model": GPT}, "'size'"),
        ({"aspect_ratio": "16:10"}, "'aspect_ratio'"),
        ({"aspect_ratio": "1:8", "model": PRO}, "'aspect_ratio'"),
        ({"resolution": "0.5K", "model": FLASH}, "'resolution'"),
        ({"resolution": "4K"}, "'resolution'"),
        ({"quality": "low"}, "'quality'"),
        ({"quality": "max", "model": GPT}, "'quality'"),
        ({"output_format": "gif"}, "'output_format'"),
        ({"output_format": "png", "model": PRO}, "'output_format'"),
        ({"background": "transparent", "model": GPT}, "'background'"),
        ({"n": 11, "model": GPT}, "'n'"),
        ({"n": 2}, "'n'"),
        ({"output_compression": 101}, "'output_compression'"),
        ({"input_references": [data_url()]}, "'input_references[0]'"),
        ({"response_format": "b64_json"}, "'response_format'"),
        ({"provider": {"options": [1]}}, "'provider.options'"),
    ],
)
def test_the_image_api_refuses(fields: dict[str, Any], words: str) -> None:
    assert words in _error(_draw(**fields), 400)["message"]


def test_a_chat_model_and_an_unknown_one_have_no_images() -> None:
    assert _error(_draw(model=GPT_CHAT), 404)["availability"]["code"] == "wrong_endpoint"
    assert _error(_draw(model="openai/no-such"), 404)["availability"]["code"] == "model_not_found"


def test_a_stream_of_the_image_api() -> None:
    prompt = "a fox [sandbox: drafts]"
    whole = _draw("a fox", model=FLASH, resolution="512").json()
    events = frames(_draw(prompt, model=FLASH, resolution="512", stream=True))[1]
    assert [event["type"].removeprefix("image_generation.") for event in events] == [
        "text_chunk",
        "partial_image",
        "partial_image",
        "text_chunk",
        "completed",
    ]
    assert [event.get("phase") for event in events if "text" in event] == ["reasoning", "content"]
    assert [event["partial_image_index"] for event in events[1:3]] == [0, 1]
    assert seen(events[1]["b64_json"]) == ("JPEG", (256, 256))
    assert events[-1]["b64_json"] == whole["data"][0]["b64_json"]
    assert events[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]


def test_only_the_last_picture_of_a_stream_tells_the_usage() -> None:
    events = frames(_draw(model=GPT, size=SMALL, n=2, stream=True))[1]
    assert [event["type"] for event in events] == ["image_generation.completed"] * 2
    assert "usage" not in events[0]
    assert events[1]["usage"]["cost"] == pytest.approx(0.106)


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("refuse picture", 400, "content_policy_violation"),
        ("finish SAFETY", 400, "content_policy_violation"),
        ("no image", 502, "provider_unavailable"),
        ("words only", 502, "provider_unavailable"),
        ("max tokens", 400, "max_tokens_exceeded"),
    ],
)
def test_an_image_that_is_not_made_is_an_error(fault: str, status: int, kind: str) -> None:
    prompt = f"a fox [sandbox: {fault}]"
    assert _error(_draw(prompt, model=GPT, size=SMALL), status)["metadata"]["error_type"] == kind
    events = frames(_draw(prompt, model=GPT, size=SMALL, stream=True))[1]
    assert [event["type"] for event in events] == ["error"]
    error = events[0]["error"]
    assert (error["code"], error["type"], error["param"]) == (str(status), kind, None)


def test_the_image_api_breaks_with_status_200() -> None:
    prompt = "a fox [sandbox: error mid-stream]"
    assert _draw(prompt).json()["error"]["code"] == 502
    assert [event["type"] for event in frames(_draw(prompt, stream=True))[1]] == ["error"]
    assert _draw("a fox [sandbox: empty]").json()["data"] == []
    assert _error(_draw("[sandbox: refuse prompt]"), 403)["metadata"]["reasons"] == ["PROHIBITED_CONTENT"]
    assert "streams" in _error(_draw("[sandbox: drafts]"), 400)["message"]


# The lists


def test_the_lists_of_models() -> None:
    by_default = {model["id"] for model in OPENROUTER.get("/api/v1/models").json()["data"]}
    drawing = {
        model["id"]: model
        for model in OPENROUTER.get("/api/v1/models?output_modalities=image").json()["data"]
    }
    assert PRO in by_default
    assert FLUX not in by_default
    assert {PRO, FLUX, GPT, GPT_CHAT} <= set(drawing)
    assert drawing[PRO]["architecture"]["modality"] == "text+image->text+image"
    assert drawing[FLUX]["architecture"]["output_modalities"] == ["image"]
    assert drawing[FIRST]["pricing"]["image_output"] == "3e-05"
    _error(OPENROUTER.get("/api/v1/models?output_modalities=smell"), 400)


def test_the_list_of_the_image_api_tells_what_each_model_takes() -> None:
    listed = {model["id"]: model for model in OPENROUTER.get(f"{IMAGES}/models").json()["data"]}
    assert GPT_CHAT not in listed
    assert listed[FLASH]["supported_parameters"]["resolution"]["values"] == ["1K", "512", "2K", "4K"]
    assert listed[GPT]["supported_parameters"]["n"] == {"type": "range", "min": 1, "max": 10}
    found = OPENROUTER.get(f"{IMAGES}/models/{FLUX}/endpoints").json()["data"]
    assert found["endpoints"][0]["pricing"] == [
        {"billable": "output_image", "unit": "image", "cost_usd": 0.03}
    ]
    _error(OPENROUTER.get(f"{IMAGES}/models/no/such/endpoints"), 404)
