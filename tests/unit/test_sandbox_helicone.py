"""The sandbox's Helicone AI Gateway, chat and Responses: what it draws, refuses, streams, and each fault."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from litellm_imagegen.sandbox import gateway_door, helicone, openai_responses

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
CHAT_PATHS, RESPONSES_PATHS = (CHAT, "/chat/completions"), (RESPONSES, "/responses")
KEY = {"authorization": "Bearer sk-helicone-any"}
PREVIEW, NEWEST = "gemini-3-pro-image-preview", "gemini-nano-banana-2.1"
MODEL = f"{PREVIEW}/google-ai-studio"
FOX = "a red fox in snow"
WIDE = {"aspect_ratio": "16:9", "image_size": "2K"}

APP = Starlette(
    routes=[*helicone.WIRE.routes(), *openai_responses.WIRE.routes(), *gateway_door.WIRE.routes()]
)
Result = TypeVar("Result")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def _post(path: str, body: Any, headers: Mapping[str, str] = KEY) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", timeout=10) as client:
            return await client.post(path, json=body, headers=headers)

    return _run(send())


def _chat(said: Any = FOX, *, path: str = CHAT, **fields: Any) -> httpx.Response:
    return _post(path, {"model": MODEL, "messages": [{"role": "user", "content": said}], **fields})


def _respond(said: Any = FOX, *, path: str = RESPONSES, **fields: Any) -> httpx.Response:
    return _post(path, {"model": MODEL, "input": said, **fields})


def _wish(fault: str) -> str:
    return f"a fox [sandbox: {fault}] asleep"


def _body(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text[:500]
    body: dict[str, Any] = reply.json()
    return body


def _opened(data_url: str) -> Image.Image:
    head, _, data = data_url.partition(";base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    picture.load()
    assert head == f"data:image/{(picture.format or '').lower()}"
    return picture


def _choice(reply: httpx.Response) -> dict[str, Any]:
    (choice,) = _body(reply)["choices"]
    assert isinstance(choice, dict)
    return choice


def _drawn_on_chat(reply: httpx.Response) -> list[tuple[int, int]]:
    parts = _choice(reply)["message"].get("images", [])
    assert all(part.keys() == {"type", "image_url"} for part in parts)
    return [_opened(part["image_url"]["url"]).size for part in parts]


def _content(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    (message,) = body["output"]
    content: list[dict[str, Any]] = message["content"]
    return content


def _drawn(content: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    return [_opened(part["image_url"]).size for part in content if part["type"] == "output_image"]


def _chunks(reply: httpx.Response, *, done: bool = True) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"] == "text/event-stream"
    events = reply.text.split("\n\n")
    assert events.pop() == ""
    assert (events[-1] == "data: [DONE]") is done
    return [json.loads(event.removeprefix("data: ")) for event in events[: -1 if done else None]]


def _events(reply: httpx.Response) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"].startswith("text/event-stream")
    blocks = reply.text.split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert event["type"] == name.removeprefix("event: ")
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def _refusal(reply: httpx.Response, status: int, kind: str) -> str:
    assert reply.status_code == status, reply.text[:300]
    error = reply.json()["error"]
    assert error.keys() == {"message", "type", "code"}
    assert (error["type"], error["code"]) == (kind, kind)
    message: str = error["message"]
    return message


def _data_url(size: tuple[int, int] = (200, 100), kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", size, "green").save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


# What is drawn


@pytest.mark.parametrize("path", CHAT_PATHS)
def test_chat_draws_what_image_generation_says(path: str) -> None:
    body = _body(_chat(path=path, image_generation=WIDE, max_tokens=8192))
    assert body.keys() == {"id", "object", "created", "model", "choices", "usage"}
    assert body["id"].startswith("chatcmpl-")
    assert (body["object"], body["model"]) == ("chat.completion", PREVIEW)
    (choice,) = body["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == "Here is the picture you asked for, 2752 by 1536 pixels."
    (part,) = choice["message"]["images"]
    picture = _opened(part["image_url"]["url"])
    assert (part["type"], picture.size, picture.format) == ("image_url", (2752, 1536), "JPEG")
    # 14 tokens of words, 180 of thoughts, 1120 of the picture.
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 1314, "total_tokens": 1319}


@pytest.mark.parametrize("path", RESPONSES_PATHS)
def test_responses_hold_one_message_with_words_and_a_picture(path: str) -> None:
    body = _body(_respond(path=path, image_generation=WIDE, max_output_tokens=8192))
    assert body.keys() == {"id", "object", "created_at", "status", "model", "output", "usage"}
    assert body["id"].startswith("resp_")
    assert (body["object"], body["status"], body["model"]) == ("response", "completed", PREVIEW)
    (message,) = body["output"]
    assert message["id"].startswith("msg_")
    assert (message["type"], message["status"], message["role"]) == ("message", "completed", "assistant")
    words, picture = message["content"]
    assert words == {
        "type": "output_text",
        "text": "Here is the picture you asked for, 2752 by 1536 pixels.",
        "annotations": [],
    }
    assert picture.keys() == {"type", "image_url"}
    assert _drawn([picture]) == [(2752, 1536)]
    assert body["usage"] == {"input_tokens": 5, "output_tokens": 1314, "total_tokens": 1319}


@pytest.mark.parametrize(
    ("model", "settings", "pixels"),
    [
        (PREVIEW, None, (1024, 1024)),
        ("gemini-3-pro-image/google-ai-studio", {"aspect_ratio": "21:9", "image_size": "1K"}, (1584, 672)),
        (f"{NEWEST}/google-ai-studio", {"aspect_ratio": "1:8", "image_size": "1K"}, (384, 3072)),
        ("gemini-2.5-flash-image/google-ai-studio", None, (1024, 1024)),
        (f"gpt-5/openai, {MODEL}", {"aspect_ratio": "2:3", "image_size": "1K"}, (848, 1264)),
    ],
)
def test_models_by_every_spelling(
    model: str, settings: dict[str, str] | None, pixels: tuple[int, int]
) -> None:
    fields: dict[str, Any] = {"model": model, **({} if settings is None else {"image_generation": settings})}
    assert _drawn(_content(_body(_respond(**fields)))) == [pixels]
    assert _drawn_on_chat(_chat(path="/chat/completions", **fields)) == [pixels]


def test_pictures_that_are_sent_give_their_shape() -> None:
    words = {"type": "input_text", "text": "make it blue"}
    shown = {"type": "input_image", "image_url": _data_url(), "detail": "high"}
    assert _drawn(_content(_body(_respond([{"role": "user", "content": [words, shown]}])))) == [(1376, 768)]
    parts = [
        {"type": "text", "text": "make it blue"},
        {"type": "image_url", "image_url": {"url": _data_url((100, 200), "WEBP")}},
    ]
    assert _drawn_on_chat(_chat(parts)) == [(768, 1376)]


def test_answers_can_be_sent_back_as_they_came() -> None:
    first = _body(_respond(image_generation={"aspect_ratio": "3:2", "image_size": "1K"}))
    again = [
        {"role": "system", "content": "You draw."},
        {"role": "user", "content": FOX},
        first["output"][0],
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "now at night"}]},
    ]
    second = _body(_respond(again))
    assert _drawn(_content(second)) == [(1264, 848)]
    # Four messages of 9, 17, 54 and 12 signs, at four signs a token, and the picture.
    assert second["usage"]["input_tokens"] == (9 + 17 + 54 + 12) // 4 + 560
    message = _choice(_chat())["message"]
    turns = [{"role": "user", "content": FOX}, message, {"role": "user", "content": "now at night"}]
    assert _drawn_on_chat(_chat(messages=turns)) == [(1024, 1024)]


def test_addresses_are_not_fetched_and_are_billed_as_pictures() -> None:
    shown = {"type": "input_image", "image_url": "https://example.com/fox.png"}
    body = _body(_respond([{"role": "user", "content": [shown]}]))
    assert _drawn(_content(body)) == [(1024, 1024)]
    assert body["usage"]["input_tokens"] == 1 + 560


# Streams


def test_chat_streams_each_picture_in_one_chunk() -> None:
    chunks = _chunks(_chat(stream=True, stream_options={"include_usage": True}))
    *answering, last = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in answering]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas).startswith("Here is the picture")
    (shown,) = [delta["images"] for delta in deltas if "images" in delta]
    assert [(part["type"], _opened(part["image_url"]["url"]).size) for part in shown] == [
        ("image_url", (1024, 1024))
    ]
    assert answering[-1]["choices"][0]["finish_reason"] == "stop"
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 1319)
    assert "usage" not in _chat(stream=True).text


def test_responses_stream_a_picture_as_a_part_that_is_done_at_once() -> None:
    events = _events(_respond(stream=True, image_generation={"aspect_ratio": "4:3", "image_size": "1K"}))
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress", "output_item.added"),
        *("content_part.added", "output_text.delta", "output_text.delta", "output_text.delta"),
        *("content_part.added", "content_part.done"),
        *("output_text.done", "content_part.done"),
        *("output_item.done", "completed"),
    ]
    created, _, item_added, words_added = events[:4]
    picture_added, picture_done, words_done, part_done, item_done, completed = events[-6:]
    assert (created["response"]["status"], created["response"]["output"]) == ("in_progress", [])
    message_id = item_added["item"]["id"]
    assert (item_added["item"]["status"], item_added["item"]["content"]) == ("in_progress", [])
    place = {"item_id": message_id, "output_index": 0}
    assert words_added.items() >= {**place, "content_index": 0}.items()
    assert picture_added.items() >= {**place, "content_index": 1}.items()
    assert picture_added["part"] == {"type": "output_image", "image_url": ""}
    assert picture_done.items() >= {**place, "content_index": 1}.items()
    assert _drawn([picture_done["part"]]) == [(1200, 896)]
    words = "".join(event["delta"] for event in events if event["type"].endswith("delta"))
    assert words == "Here is the picture you asked for, 1200 by 896 pixels." == words_done["text"]
    content = [part_done["part"], picture_done["part"]]
    assert item_done["item"]["content"] == content
    assert completed["response"]["status"] == "completed"
    assert _content(completed["response"]) == content
    assert completed["response"]["usage"]["total_tokens"] == 1319


def test_drafts_are_not_filtered() -> None:
    sizes = [(512, 512), (512, 512), (1024, 1024)]
    choice = _choice(_chat(_wish("drafts")))
    assert [_opened(part["image_url"]["url"]).size for part in choice["message"]["images"]] == sizes
    assert choice["message"]["reasoning"]
    assert _drawn(_content(_body(_respond(_wish("drafts"))))) == sizes
    events = _events(_respond(_wish("drafts"), stream=True))
    done = [event for event in events if event["type"] == "response.content_part.done"]
    parts = [event["part"] for event in sorted(done, key=lambda event: int(event["content_index"]))]
    assert parts == _content(events[-1]["response"])
    assert [part["type"] for part in parts] == ["output_image", "output_image", "output_text", "output_image"]


def test_several_pictures_with_their_words_in_one_part() -> None:
    content = _content(_body(_respond(_wish("pictures 2"))))
    assert [part["type"] for part in content] == ["output_text", "output_image", "output_image"]
    assert content[0]["text"] == "Picture 1 of 2:\n\nPicture 2 of 2:"
    events = _events(_respond(_wish("pictures 2"), stream=True))
    words = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert words == content[0]["text"]


# What is refused


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer invalid-1"}, {"helicone-auth": "Bearer x"}]
)
@pytest.mark.parametrize("path", [*CHAT_PATHS, *RESPONSES_PATHS])
def test_wrong_keys_are_refused(headers: dict[str, str], path: str) -> None:
    _refusal(_post(path, {"model": MODEL}, headers=headers), 401, "invalid_api_key")


@pytest.mark.parametrize(
    "settings",
    [
        {"aspect_ratio": "16:9"},
        {"image_size": "2K"},
        {},
        {"aspect_ratio": None, "image_size": "2K"},
        {"aspect_ratio": "7:5", "image_size": "2K"},
        {"aspect_ratio": "1:8", "image_size": "2K"},
        {"aspect_ratio": "16:9", "image_size": "2k"},
        {"aspect_ratio": "16:9", "image_size": "512"},
        {"aspect_ratio": 1, "image_size": "2K"},
        {"aspect_ratio": "16:9", "image_size": "2K", "quality": "high"},
        {"aspectRatio": "16:9", "imageSize": "2K"},
        "16:9",
    ],
)
def test_image_generation_needs_both_keys_with_values_of_the_model(settings: Any) -> None:
    for reply in (_chat(image_generation=settings), _respond(image_generation=settings)):
        assert "image_generation" in _refusal(reply, 400, "invalid_format")


@pytest.mark.parametrize(
    "fields",
    [
        {"input": []},
        {"input": ""},
        {"input": None},
        {"input": [{"role": "assistant", "content": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": "x"}}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png,x"}]}]},
        {"input": [{"type": "image_generation_call", "id": "ig_1"}]},
        {"tools": [{"type": "image_generation"}]},
        {"max_tokens": 100},
        {"max_output_tokens": 40_000},
        {"image_config": {"aspect_ratio": "1:1"}},
        {"previous_response_id": "resp_1"},
        {"stream": "yes"},
    ],
)
def test_responses_refuse_what_they_do_not_take(fields: dict[str, Any]) -> None:
    _refusal(_respond(**fields), 400, "invalid_format")


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "user", "content": ""}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": _data_url(kind="GIF")}}],
                }
            ]
        },
        {"image_config": {"aspect_ratio": "1:1"}},
        {"max_tokens": 40_000},
        {"modalities": ["video"]},
    ],
)
def test_chat_refuses_what_it_does_not_take(fields: dict[str, Any]) -> None:
    _refusal(_chat(**fields), 400, "invalid_format")


@pytest.mark.parametrize("model", ["gpt-5/openai", f"{PREVIEW}/vertex", "gemini-9,gemini-8/google-ai-studio"])
def test_models_that_are_not_there_are_refused(model: str) -> None:
    assert model in _refusal(_chat(model=model), 400, "invalid_model")
    assert model in _refusal(_respond(model=model), 400, "invalid_model")


def test_sizes_are_refused_on_a_model_without_them() -> None:
    settings = {"aspect_ratio": "16:9", "image_size": "1K"}
    reply = _chat(model="gemini-2.5-flash-image/google-ai-studio", image_generation=settings)
    _refusal(reply, 400, "invalid_format")


def test_other_models_of_the_shared_addresses_go_on_to_whose_they_are() -> None:
    tool = {"type": "image_generation", "size": "1024x640"}
    drawn = _body(_respond(model="gpt-5.4", tools=[tool]))
    assert [item["type"] for item in drawn["output"]] == ["message", "image_generation_call"]
    followed = _body(_respond("again", model="gpt-5.4", tools=[tool], previous_response_id=drawn["id"]))
    assert followed["previous_response_id"] == drawn["id"]
    unknown = _post(RESPONSES, {"input": "x"}).json()["error"]
    assert (unknown["param"], unknown["code"]) == ("model", "missing_required_parameter")
    vercel = _chat(model="google/gemini-3-pro-image", modalities=["nothing"]).json()["error"]
    assert vercel.keys() == {"message", "type", "param", "code"}


# Faults


@pytest.mark.parametrize(
    ("fault", "finish"),
    [
        ("refuse prompt", "stop"),
        ("block SAFETY", "stop"),
        ("refuse picture", "stop"),
        ("finish PROHIBITED_CONTENT", "stop"),
        ("no image", "stop"),
        ("finish SAFETY", "content_filter"),
        ("finish RECITATION", "content_filter"),
        ("max tokens", "length"),
    ],
)
def test_refusals_end_like_answers_with_nothing_in_them(fault: str, finish: str) -> None:
    empty = {"role": "assistant", "content": None}
    assert _choice(_chat(_wish(fault))) == {"index": 0, "message": empty, "finish_reason": finish}
    *_, last = _chunks(_chat(_wish(fault), stream=True))
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": finish}]
    body = _body(_respond(_wish(fault)))
    assert (body["status"], _content(body)) == ("completed", [])
    *_, item_done, completed = _events(_respond(_wish(fault), stream=True))
    assert item_done["item"]["content"] == []
    assert (completed["type"], _content(completed["response"])) == ("response.completed", [])


def test_words_without_a_picture() -> None:
    message = _choice(_chat(_wish("words only")))["message"]
    assert "images" not in message
    assert message["content"].startswith("I did not draw this yet.")
    (part,) = _content(_body(_respond(_wish("words only"))))
    assert part["text"] == message["content"]


@pytest.mark.parametrize(
    ("wished", "status", "kind"),
    [
        (400, 400, "invalid_format"),
        (401, 401, "invalid_api_key"),
        (402, 429, "request_failed"),
        (403, 403, "forbidden"),
        (404, 404, "request_failed"),
        (429, 429, "rate_limited"),
        (500, 500, "request_failed"),
        (503, 503, "request_failed"),
        (504, 504, "request_failed"),
    ],
)
def test_wished_errors_have_the_gateways_form(wished: int, status: int, kind: str) -> None:
    for reply in (_chat(_wish(str(wished))), _respond(_wish(str(wished)), stream=True)):
        _refusal(reply, status, kind)
        assert ("retry-after" in reply.headers) is (wished == 429)
    assert _chat(_wish(f"{wished} after 17")).headers["retry-after"] == "17"


def test_streams_that_break() -> None:
    for reply in (_chat(_wish("error mid-stream")), _respond(_wish("error mid-stream"))):
        _refusal(reply, 503, "request_failed")
    begun, error = _chunks(_chat(_wish("error mid-stream"), stream=True), done=False)
    assert begun["choices"][0]["delta"]["content"] == "Here is"
    assert error["error"]["type"] == "request_failed"
    *before, last = _events(_respond(_wish("error mid-stream"), stream=True))
    assert before[-1]["type"] == "response.output_text.delta"
    assert last.keys() == {"type", "sequence_number", "code", "message", "param"}
    assert (last["type"], last["code"]) == ("error", "request_failed")


def test_odd_replies() -> None:
    assert _chat(_wish("not json")).content == b"<this is not JSON>"
    assert _respond(_wish("not json"), stream=True).text == "data: <this is not JSON>\n\n"
    assert _respond(_wish("unknown shape")).json() == {"hello": "world"}
    assert _chat(_wish("html 502")).status_code == 502
    assert _body(_chat(_wish("empty")))["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "stop"}
    ]
    assert _content(_body(_respond(_wish("empty")))) == []
    assert "%%%" in _content(_body(_respond(_wish("bad base64"))))[1]["image_url"]
    padded = _respond(_wish("big 1"))
    assert len(padded.content) > 1_300_000
    assert _drawn(_content(_body(padded))) == [(1024, 1024)]
    assert "sandbox fault" in _refusal(_chat(_wish("explode")), 400, "invalid_format")


def _sent(path: str, body: Mapping[str, Any], fault: str) -> bytes:
    """What the app sends to its server, where a client of HTTP would only see a broken connection."""
    arriving = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if arriving:
            return arriving.pop()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**KEY, "content-type": "application/json", "x-sandbox": fault}
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    _run(asyncio.wait_for(APP(scope, receive, send), 10))
    assert sent[-1]["more_body"] is True
    return b"".join(message["body"] for message in sent[1:])


def test_cut_off_ends_within_the_picture() -> None:
    responses = _sent(RESPONSES, {"model": MODEL, "input": FOX, "stream": True}, "cut off")
    *_, last = responses.split(b"\n\n")
    assert last.startswith(b"event: response.content_part.done\ndata: ")
    assert b"data:image/jpeg;base64," in last
    messages = [{"role": "user", "content": FOX}]
    chat = _sent(CHAT, {"model": MODEL, "messages": messages, "stream": True}, "cut off")
    assert b'"images"' in chat.split(b"\n\n")[-1]
