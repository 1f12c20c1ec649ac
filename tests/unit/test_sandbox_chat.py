"""What the sandbox's gateways on chat have in common: how messages are read, and the door they share."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.unit.sandbox_calls import data_url, message, said, sandbox, urls

PRO = "google/gemini-3-pro-image"
# OpenRouter takes every kind of picture and shows addresses.
GATEWAY = sandbox("sk-or-any", "/api/v1/chat/completions")
DOOR = sandbox("sk-nex-any", "/v1/chat/completions")
PICTURE = {"type": "image_url", "image_url": {"url": data_url()}}
NO_PICTURE = f"data:image/png;base64,{base64.b64encode(b'no picture').decode()}"


def _sent(messages: Any, **fields: Any) -> httpx.Response:
    return GATEWAY.post({"model": PRO, "messages": messages, "modalities": ["text"], **fields})


def _refused(reply: httpx.Response, words: str) -> None:
    assert reply.status_code == 400, reply.text[:300]
    assert words in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be brief."}, *said()],
        [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, *said()],
        [{"role": "user", "content": "a fox", "name": "ann"}],
        [{"role": "user", "content": [PICTURE]}],
        [*said(), {"role": "assistant", "content": None, "images": [PICTURE | {"index": 0}]}, *said("more")],
        [
            *said(),
            {"role": "assistant", "content": [{"type": "text", "text": "Here."}, PICTURE]},
            *said("more"),
        ],
        [
            *said(),
            {"role": "assistant", "content": "Which?", "tool_calls": [{"id": "1"}]},
            {"role": "tool", "tool_call_id": "1", "content": "red"},
        ],
    ],
)
def test_conversations_that_are_taken(messages: list[dict[str, Any]]) -> None:
    assert message(_sent(messages))["content"].startswith("Words only")


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 100, "max_completion_tokens": 100},
        {"temperature": 2, "top_p": 0.5, "top_k": 40, "seed": -1},
        {"stop": "END"},
        {"stop": ["END", "STOP"], "user": "ann"},
        {"stream": False, "stream_options": {"include_usage": True}},
        {"frequency_penalty": -2, "presence_penalty": 2, "temperature": None},
    ],
)
def test_the_common_fields_are_taken(fields: dict[str, Any]) -> None:
    assert _sent(said(), **fields).status_code == 200


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("a fox", "'messages'"),
        ([], "'messages'"),
        (["a fox"], "'messages[0]'"),
        ([{"content": "a fox"}], "'messages[0].role'"),
        ([{"role": "model", "content": "a fox"}], "'messages[0].role'"),
        ([{"role": "user"}], "'messages[0].content'"),
        ([{"role": "user", "content": "a fox", "parts": []}], "'messages[0].parts'"),
        ([{"role": "user", "content": " "}], "neither words nor a picture"),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}],
            "'messages[0].content[0]'",
        ),
        ([{"role": "user", "content": [{"type": "text"}]}], "'messages[0].content[0].text'"),
        ([{"role": "system", "content": [PICTURE]}, *said()], "'messages[0].content[0]'"),
        ([*said(), {"role": "assistant", "content": "Here."}], "'messages'"),
        ([{"role": "system", "content": "Be brief."}], "'messages'"),
        ([*said(), {"role": "tool", "content": "red"}], "'messages[1].tool_call_id'"),
        ([*said(), {"role": "assistant", "images": ["x"]}, *said()], "'messages[1].images[0]'"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": data_url()}]}],
            "'messages[0].content[0].image_url'",
        ),
    ],
)
def test_messages_that_are_refused(messages: Any, words: str) -> None:
    _refused(_sent(messages), words)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_kinds_of_pictures_that_are_taken(kind: str) -> None:
    assert _sent(said("look", data_url(kind))).status_code == 200


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must not be empty"),
        ("file:///etc/passwd", "needs an http address"),
        ("data:image/png,abc", "must be base64"),
        ("data:image/png;base64,a-b_", "Base64 decoding failed"),
        (data_url()[:-1], "Base64 decoding failed"),
        (NO_PICTURE, "no picture of an accepted kind"),
        (data_url("BMP"), "media type 'image/bmp'"),
        (data_url("TIFF").replace("image/tiff", "image/png"), "no picture of an accepted kind"),
        ("data:application/pdf;base64,AAAA", "media type 'application/pdf'"),
    ],
)
def test_pictures_that_are_refused(url: str, words: str) -> None:
    _refused(_sent(said("look", url)), words)


def test_the_bytes_of_a_picture_are_trusted_and_not_its_declared_type() -> None:
    assert _sent(said("look", data_url("JPEG").replace("image/jpeg", "image/png"))).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_is_not_fetched_and_counts_as_a_picture(scheme: str) -> None:
    plain = _sent(said("look")).json()["usage"]["prompt_tokens"]
    with_address = _sent(said("look", f"{scheme}://203.0.113.1/a.png")).json()["usage"]["prompt_tokens"]
    assert with_address == plain + 560


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stream": "true"}, "'stream'"),
        ({"temperature": 2.5}, "'temperature'"),
        ({"max_tokens": 0}, "'max_tokens'"),
        ({"seed": 1.5}, "'seed'"),
        ({"stop": [1]}, "'stop[0]'"),
        ({"stop": ["a"] * 5}, "'stop'"),
        ({"stream_options": {"usage": True}}, "'stream_options.usage'"),
        ({"size": "1024x1024"}, "'size'"),
    ],
)
def test_common_fields_that_are_refused(fields: dict[str, Any], words: str) -> None:
    _refused(_sent(said(), **fields), words)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"model": NaN}', b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    for sender in (GATEWAY, DOOR):
        headers = {**sender.headers, "content-type": "application/json"}
        assert sender.call("POST", sender.path, headers=headers, content=body).status_code == 400


def test_the_header_with_wishes_wins_over_the_prompt() -> None:
    headers = {**GATEWAY.headers, "x-sandbox": "words only"}
    body = {"model": PRO, "messages": said("a fox [sandbox: 500]")}
    assert urls(message(GATEWAY.post(body, headers=headers))) == []


def test_wishes_are_those_of_the_last_user_message() -> None:
    history = [*said("[sandbox: 500]"), {"role": "assistant", "content": "no"}, *said("again")]
    assert _sent(history).status_code == 200


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "no-such-model", None, 7])
def test_a_bare_name_and_none_are_aiones(model: Any) -> None:
    refused = DOOR.post({"model": model, "messages": said()}, headers={"authorization": "Bearer sk-other"})
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"
