"""The sandbox's OpenAI Responses API: what its tool draws, what is refused, its events, and each fault."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import openai
import pytest
from PIL import Image
from starlette.applications import Starlette

from litellm_imagegen.sandbox.faults import WORDS
from litellm_imagegen.sandbox.input_pictures import InputPicture
from litellm_imagegen.sandbox.openai_inputs import Given
from litellm_imagegen.sandbox.openai_mainline import MAINLINE
from litellm_imagegen.sandbox.openai_responses import WIRE
from litellm_imagegen.sandbox.openai_responses_memory import ResponseMemory, Said

THINKING, QUICK = "gpt-5", "gpt-5.4"
KEY = {"authorization": "Bearer sk-any"}
SMALL = {"type": "image_generation", "size": "1024x640"}
SHOWN = {"model": THINKING, "reasoning": {"summary": "auto"}}
FOX = "a red fox in snow"
RECORDED = "openai-responses.image-generation-tool.jpeg.json"
DIRECTORY = Path(__file__).parents[2] / os.environ.get("IMAGEGEN_RECORDED", "../shared/recorded")

APP = Starlette(routes=list(WIRE.routes()))
Result = TypeVar("Result")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def _http_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://sandbox", timeout=10)


def _post(body: Any, headers: Mapping[str, str] = KEY) -> httpx.Response:
    async def send() -> httpx.Response:
        async with _http_client() as client:
            return await client.post("/v1/responses", headers=headers, json=body)

    return _run(send())


def _create(tool: Mapping[str, Any] | None = None, /, *, said: Any = FOX, **fields: Any) -> httpx.Response:
    return _post({"model": QUICK, "input": said, "tools": [{**SMALL, **(tool or {})}], **fields})


def _wished(fault: str, tool: Mapping[str, Any] | None = None, /, **fields: Any) -> httpx.Response:
    return _create(tool, said=f"a fox [sandbox: {fault}] asleep", **fields)


def _body(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text[:500]
    body: dict[str, Any] = reply.json()
    return body


def _types(body: Mapping[str, Any]) -> list[str]:
    return [item["type"] for item in body["output"]]


def _calls(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for item in body["output"] if item["type"] == "image_generation_call"]


def _call(body: Mapping[str, Any]) -> dict[str, Any]:
    (call,) = _calls(body)
    return call


def _texts(body: Mapping[str, Any]) -> list[str]:
    return [part["text"] for item in body["output"] for part in item.get("content", ())]


def _decoded(text: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    picture.load()
    return picture


def _picture(reply: httpx.Response) -> Image.Image:
    return _decoded(_call(_body(reply))["result"])


def _data_url(size: tuple[int, int] = (64, 64), color: Any = (0, 255, 0), mode: str = "RGB") -> str:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _mask_url(size: tuple[int, int], hole: tuple[int, int, int, int]) -> str:
    file = io.BytesIO()
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), hole)
    mask.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def _text(words: str) -> dict[str, Any]:
    return {"type": "input_text", "text": words}


def _image(address: str, **more: Any) -> dict[str, Any]:
    return {"type": "input_image", "image_url": address, **more}


def _error(reply: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = reply.json()["error"]
    return error


def _refused(reply: httpx.Response, code: str | None, param: str | None) -> None:
    assert reply.status_code == 400, reply.text[:300]
    error = _error(reply)
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert error["message"]


def _events(reply: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"].startswith("text/event-stream")
    blocks = reply.text.split("\n\n")
    assert blocks.pop() == ""
    found = []
    for block in blocks:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    assert [body.get("sequence_number") for _, body in found] == list(range(len(found)))
    assert all(body["type"] == name for name, body in found)
    return found


def _names(events: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name.removeprefix("response.") for name, _ in events]


def _colours(picture: Image.Image) -> set[Any]:
    return {colour for _, colour in picture.convert("RGB").getcolors(picture.width * picture.height) or ()}


# What it draws


def test_words_come_before_the_picture_and_the_call_tells_what_was_drawn() -> None:
    body = _body(_create())
    assert _types(body) == ["message", "image_generation_call"]
    assert _texts(body) == ["Here is the picture you asked for, 1024 by 640 pixels."]
    call = _call(body)
    assert call["id"].startswith("ig_")
    assert call["status"] == "completed"
    assert (call["action"], call["size"], call["quality"]) == ("generate", "1024x640", "medium")
    assert (call["output_format"], call["background"]) == ("png", "opaque")
    assert FOX in call["revised_prompt"]
    picture = _decoded(call["result"])
    assert (picture.format, picture.size) == ("PNG", (1024, 640))


@pytest.mark.parametrize(("output_format", "kind"), [("jpeg", "JPEG"), ("webp", "WEBP")])
def test_picture_is_as_the_tool_says(output_format: str, kind: str) -> None:
    tool = {"size": "1536x1024", "output_format": output_format, "output_compression": 30, "quality": "low"}
    reply = _create({**tool, "model": "gpt-image-1.5", "moderation": "low"})
    assert (_picture(reply).format, _picture(reply).size) == (kind, (1536, 1024))
    assert _call(_body(reply))["quality"] == "low"


def test_transparent_background_is_transparent() -> None:
    reply = _create({"model": "gpt-image-2.5-flare", "background": "transparent"})
    corner = _picture(reply).getpixel((0, 0))
    assert isinstance(corner, tuple)
    assert corner[3] == 0


def test_thinking_comes_first_on_models_that_think() -> None:
    body = _body(_create(**SHOWN, include=["reasoning.encrypted_content"]))
    assert _types(body) == ["reasoning", "message", "image_generation_call"]
    thinking = body["output"][0]
    assert thinking["id"].startswith("rs_")
    assert thinking["summary"][0]["type"] == "summary_text"
    assert thinking["encrypted_content"]
    assert body["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    plain = _body(_create(model=THINKING))["output"][0]
    assert plain == {"id": plain["id"], "type": "reasoning", "summary": []}
    assert _types(_body(_create(reasoning={"effort": "high"})))[0] == "reasoning"


@pytest.mark.parametrize(
    "choice",
    [
        "required",
        {"type": "image_generation"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "image_generation"}]},
    ],
)
def test_model_that_must_draw_says_nothing_after_it(choice: Any) -> None:
    body = _body(_create(tool_choice=choice))
    assert (_types(body), _texts(body)) == (["image_generation_call", "message"], [""])
    assert body["tool_choice"] == choice


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tools": None},
        {"tool_choice": "none"},
        {"tools": [SMALL, {"type": "web_search"}], "tool_choice": {"type": "web_search"}},
    ],
)
def test_words_only_where_the_tool_is_not_there_or_not_chosen(fields: dict[str, Any]) -> None:
    body = _body(_create(**fields))
    assert _types(body) == ["message"]
    assert FOX in _texts(body)[0]
    assert body["tool_usage"] == {}


def test_reply_echoes_the_request_with_its_defaults() -> None:
    fields = {
        "instructions": "be kind",
        "max_output_tokens": 500,
        "metadata": {"who": "me"},
        "user": "u",
        "safety_identifier": "s",
        "store": False,
        "temperature": 0.5,
        "top_p": 0.5,
        "truncation": "auto",
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "service_tier": "auto",
        "text": {"verbosity": "low"},
    }
    body = _body(_create({"action": "generate"}, **fields))
    told = {**fields, "service_tier": "default", "text": {"format": {"type": "text"}, "verbosity": "low"}}
    assert {name: body[name] for name in told} == told
    assert (body["object"], body["status"], body["model"]) == ("response", "completed", "gpt-5.4-2026-03-05")
    assert body["tools"] == [
        {
            "type": "image_generation",
            "action": "generate",
            "background": "auto",
            "model": "gpt-image-2",
            "moderation": "auto",
            "n": 1,
            "output_compression": 100,
            "output_format": "png",
            "quality": "auto",
            "size": "1024x640",
        }
    ]


def test_tokens_of_pictures_are_told_apart() -> None:
    body = _body(_create({"size": "1024x1024", "quality": "high"}))
    usage, drawn = body["usage"], body["tool_usage"]["image_gen"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] < 100
    assert drawn["output_tokens"] == drawn["output_tokens_details"]["image_tokens"] == 7024
    assert drawn["total_tokens"] == drawn["input_tokens"] + drawn["output_tokens"]


def test_reply_has_all_that_a_recorded_one_has() -> None:
    if not (DIRECTORY / RECORDED).is_file():
        pytest.skip(f"no {RECORDED} where IMAGEGEN_RECORDED points")
    (exchange,) = json.loads((DIRECTORY / RECORDED).read_bytes())
    recorded = exchange["response"]["body"]
    body = _body(_post(exchange["request"]["body"]))
    assert recorded.keys() <= body.keys()
    assert _types(body) == _types(recorded)
    for item, expected in zip(body["output"], recorded["output"], strict=True):
        assert expected.keys() <= item.keys()
        assert item["id"].partition("_")[0] == expected["id"].partition("_")[0]
    assert recorded["tools"][0].items() <= body["tools"][0].items()
    for name in ("model", "reasoning", "text", "tool_choice", "temperature", "truncation", "error"):
        assert body[name] == recorded[name]


# Pictures of the conversation


def test_picture_of_a_message_is_edited() -> None:
    reply = _create({"size": "auto"}, said=[_user(_text(FOX), _image(_data_url((1200, 800)), detail="high"))])
    assert _picture(reply).size == (1200, 800)
    assert (0, 255, 0) in _colours(_picture(reply))
    assert _call(_body(reply))["action"] == "edit"
    assert _body(reply)["tool_usage"]["image_gen"]["input_tokens_details"]["image_tokens"] > 0


def test_action_decides_whether_pictures_are_used() -> None:
    said = [_user(_text(FOX), _image(_data_url()))]
    reply = _create({"action": "generate"}, said=said)
    assert (0, 255, 0) not in _colours(_picture(reply))
    assert _call(_body(reply))["action"] == "generate"
    assert _create({"action": "edit"}, said=said).status_code == 200
    _refused(_create({"action": "edit"}), None, "tools")


def test_mask_keeps_what_is_opaque() -> None:
    said = [_user(_text(FOX), _image(_data_url((1024, 640), (1, 200, 3))))]
    mask = {"input_image_mask": {"image_url": _mask_url((1024, 640), (512, 0, 1024, 640))}}
    picture = _picture(_create(mask, said=said)).convert("RGB")
    assert picture.crop((0, 0, 512, 640)).getcolors() == [(512 * 640, (1, 200, 3))]
    assert (1, 200, 3) not in _colours(picture.crop((512, 0, 1024, 640)))
    _refused(_create(mask), "invalid_value", "tools")
    small = {"input_image_mask": {"image_url": _mask_url((10, 10), (0, 0, 5, 5))}}
    _refused(_create(small, said=said), "invalid_image_file", "tools[0].input_image_mask.image_url")


def test_items_of_all_kinds_are_taken() -> None:
    items = [
        {"type": "message", "role": "developer", "content": "draw well"},
        _user(_text("a cat"), _image("https://example.com/a.png"), {"type": "input_file", "file_id": "f"}),
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Here:", "annotations": [], "logprobs": []}],
        },
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {
            "type": "image_generation_call",
            "id": "ig_elsewhere",
            "status": "completed",
            "result": _data_url((1200, 800)).partition(",")[2],
            "revised_prompt": "a cat",
            "size": "1200x800",
        },
        _user(_text("now at night"), {"type": "input_image", "file_id": "file-1", "detail": "low"}),
    ]
    body = _body(_create({"size": "auto"}, said=items))
    assert "now at night" in _call(body)["revised_prompt"]
    assert _decoded(_call(_body(_create({"size": "auto"}, said=items[:-1])))["result"]).size == (1200, 800)


def test_conversation_goes_on_from_a_previous_response() -> None:
    first = _body(_create({"size": "1536x1024"}, said=[_user(_text(FOX), _image(_data_url()))]))
    second = _body(_create({"size": "auto"}, said="now at night", previous_response_id=first["id"]))
    assert _decoded(_call(second)["result"]).size == (1536, 1024)
    assert (_call(second)["action"], second["previous_response_id"]) == ("edit", first["id"])
    assert (0, 255, 0) in _colours(_decoded(_call(second)["result"]))
    third = _body(_create(said="again", previous_response_id=second["id"]))
    assert third["usage"]["input_tokens"] > second["usage"]["input_tokens"]


def test_streamed_response_is_remembered_too() -> None:
    last = _events(_create({"size": "1536x1024"}, stream=True))[-1][1]["response"]
    again = _create({"size": "auto"}, said="at night", previous_response_id=last["id"])
    assert _picture(again).size == (1536, 1024)


@pytest.mark.parametrize("response_id", ["resp_0", None])
def test_previous_response_that_is_not_kept_is_not_found(response_id: str | None) -> None:
    named = response_id or _body(_create(store=False))["id"]
    reply = _create(previous_response_id=named)
    _refused(reply, "previous_response_not_found", "previous_response_id")
    assert named in _error(reply)["message"]
    _refused(_create(previous_response_id="msg_1"), "invalid_value", "previous_response_id")


def test_drawn_picture_is_named_by_its_id() -> None:
    call = _call(_body(_create({"size": "1536x1024"})))
    items: list[Any] = [{"type": "image_generation_call", "id": call["id"]}, _user(_text("at night"))]
    assert _picture(_create({"size": "auto"}, said=items)).size == (1536, 1024)
    items[0] = {"type": "item_reference", "id": call["id"]}
    assert _picture(_create({"size": "auto"}, said=items)).size == (1536, 1024)


@pytest.mark.parametrize("kind", ["image_generation_call", "item_reference"])
def test_unknown_id_is_not_found(kind: str) -> None:
    stored = _call(_body(_create(store=False)))["id"]
    for item_id in ("ig_nowhere", stored):
        reply = _create(said=[{"type": kind, "id": item_id}, _user(_text("at night"))])
        assert (reply.status_code, _error(reply)["param"], _error(reply)["code"]) == (404, "input", None)
        assert item_id in _error(reply)["message"]


def test_picture_of_a_thinking_model_needs_its_thinking() -> None:
    thinking, _, call = _body(_create(model=THINKING))["output"]
    sent = {"type": "image_generation_call", "id": call["id"], "result": call["result"]}
    again = _user(_text("at night"))
    for item in (sent, {"type": "image_generation_call", "id": call["id"]}):
        reply = _create(model=THINKING, said=[item, again])
        _refused(reply, None, "input")
        assert thinking["id"] in _error(reply)["message"]
        assert _create(model=THINKING, said=[thinking, item, again]).status_code == 200
    assert _create(model=THINKING, said=[{**sent, "id": "ig_other"}, again]).status_code == 200


def test_memory_forgets_the_oldest() -> None:
    memory = ResponseMemory()
    heavy = Given(param="input", shown=InputPicture(label="png"), data=bytes(40_000_000))
    for number in range(3):
        said = Said(role="assistant", pictures=(heavy,), item_id=f"ig_{number}")
        memory.add(f"resp_{number}", [said])
    assert [memory.conversation(f"resp_{number}") is None for number in range(3)] == [True, True, False]
    assert (memory.item("ig_1"), memory.item("ig_2")) == (None, said)
    for number in range(300):
        memory.add(f"resp_more_{number}", [Said(role="user", text="x")])
    assert memory.conversation("resp_2") is None
    assert memory.conversation("resp_more_44") is not None
    assert memory.conversation("resp_more_43") is None


# What it refuses


@pytest.mark.parametrize("field", ["n", "size", "seed", "modalities", "image_config", "stop"])
def test_unknown_fields_are_refused(field: str) -> None:
    reply = _create(**{field: 1})
    _refused(reply, "unknown_parameter", field)
    assert _error(reply)["message"] == f"Unknown parameter: '{field}'."
    if field != "size":
        _refused(_create({field: 1}), "unknown_parameter", f"tools[0].{field}")


@pytest.mark.parametrize("field", ["max_tokens", "messages", "response_format", "reasoning_effort"])
def test_fields_of_chat_are_refused_with_their_name_here(field: str) -> None:
    _refused(_create(**{field: 1}), "unsupported_parameter", field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "1000x1000"),
        ("size", "big"),
        ("quality", "max"),
        ("background", "transparent"),
        ("background", "white"),
        ("output_format", "gif"),
        ("output_compression", 101),
        ("output_compression", 50),
        ("moderation", "off"),
        ("partial_images", 4),
        ("partial_images", "1"),
        ("action", "draw"),
        ("model", "gpt-image-1"),
        ("model", "gpt-5"),
        ("input_image_mask", "https://example.com/a.png"),
        ("input_image_mask", {}),
    ],
)
def test_invalid_values_of_the_tool_are_refused(field: str, value: Any) -> None:
    _refused(_create({field: value}), "invalid_value", f"tools[0].{field}")


def test_input_fidelity_is_for_the_first_generation() -> None:
    first = {"model": "gpt-image-1.5", "size": "auto", "input_fidelity": "high"}
    assert _create(first).status_code == 200
    _refused(_create({"input_fidelity": "high"}), "unknown_parameter", "tools[0].input_fidelity")
    _refused(_create({**first, "input_fidelity": "best"}), "invalid_value", "tools[0].input_fidelity")
    unset = {"input_fidelity": None, "partial_images": 0, "output_compression": 100}
    assert _create(unset).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stream", "true"),
        ("max_output_tokens", 15),
        ("temperature", 3),
        ("temperature", "1"),
        ("top_p", 1.1),
        ("top_logprobs", 21),
        ("metadata", {str(number): "x" for number in range(17)}),
        ("metadata", "x"),
        ("safety_identifier", "x" * 65),
        ("truncation", "on"),
        ("service_tier", "gold"),
        ("stream_options", {"include_obfuscation": False}),
        ("reasoning", "high"),
        ("tools", {}),
        ("tools", [SMALL, SMALL]),
        ("tool_choice", "any"),
        ("tool_choice", {"type": "paint"}),
        ("input", 5),
        ("model", 5),
    ],
)
def test_invalid_values_are_refused(field: str, value: Any) -> None:
    _refused(_post({"model": QUICK, "input": FOX, "tools": [SMALL], field: value}), "invalid_value", field)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "paint"}]}, "tools[0]"),
        ({"include": ["pictures"]}, "include[0]"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"reasoning": {"effort": "minimal"}}, "reasoning.effort"),
        ({"model": "gpt-5.1", "reasoning": {"effort": "xhigh"}}, "reasoning.effort"),
    ],
)
def test_invalid_values_within_fields_are_refused(fields: dict[str, Any], param: str) -> None:
    _refused(_create(**fields), "invalid_value", param)


@pytest.mark.parametrize(
    ("items", "code", "param"),
    [
        (["x"], "invalid_value", "input[0]"),
        ([{"type": "painting"}], "invalid_value", "input[0]"),
        ([{"id": "x"}], "missing_required_parameter", "input[0].type"),
        ([{"role": "tool", "content": "x"}], "invalid_value", "input[0].role"),
        ([{"role": "user"}], "missing_required_parameter", "input[0].content"),
        ([{"role": "user", "content": [], "name": "x"}], "unknown_parameter", "input[0].name"),
        ([_user({"type": "text", "text": "x"})], "invalid_value", "input[0].content[0]"),
        ([_user({"type": "input_text"})], "missing_required_parameter", "input[0].content[0].text"),
        ([_user({**_text("x"), "size": 1})], "unknown_parameter", "input[0].content[0].size"),
        (
            [{"role": "assistant", "content": [_image("https://x.org/a.png")]}],
            "invalid_value",
            "input[0].content[0]",
        ),
        ([_user(_image("x"))], "invalid_value", "input[0].content[0].image_url"),
        ([_user(_image("https://x.org", detail="best"))], "invalid_value", "input[0].content[0].detail"),
        ([_user({"type": "input_image"})], "invalid_value", "input[0].content[0]"),
        ([_user({"type": "input_file"})], "missing_required_parameter", "input[0].content[0].file_id"),
        (
            [_user(_image("data:image/png;base64,AAAA"))],
            "invalid_image_file",
            "input[0].content[0].image_url",
        ),
        ([{"type": "image_generation_call"}], "missing_required_parameter", "input[0].id"),
        (
            [{"type": "image_generation_call", "id": "ig_1", "action": "edit"}],
            "unknown_parameter",
            "input[0].action",
        ),
        (
            [{"type": "image_generation_call", "id": "ig_1", "result": "@"}],
            "invalid_value",
            "input[0].result",
        ),
        (
            [{"type": "image_generation_call", "id": "ig_1", "result": "AAAA"}],
            "invalid_image_file",
            "input[0].result",
        ),
        ([{"type": "reasoning", "id": "rs_1"}], "missing_required_parameter", "input[0].summary"),
    ],
)
def test_items_are_checked(items: Any, code: str, param: str) -> None:
    _refused(_create(said=items), code, param)


def test_input_and_model_are_required() -> None:
    _refused(_post({"model": QUICK}), "missing_required_parameter", "input")
    _refused(_post({"input": FOX}), "missing_required_parameter", "model")
    _refused(_create(tools=[{}]), "missing_required_parameter", "tools[0].type")


@pytest.mark.parametrize("model", ["gpt-image-2", "gpt-99", "gpt-4", "dall-e-3"])
def test_models_without_the_tool_are_unknown(model: str) -> None:
    _refused(_create(model=model), "model_not_found", "model")


@pytest.mark.parametrize("model", list(MAINLINE))
def test_every_model_and_snapshot_draws(model: str) -> None:
    for name in (model, *MAINLINE[model].snapshots):
        body = _body(_post({"model": name, "input": FOX, "tools": [{**SMALL, "quality": "low"}]}))
        assert body["model"] == MAINLINE[model].told_name
        assert _call(body)["status"] == "completed"


@pytest.mark.parametrize("field", ["temperature", "top_p", "top_logprobs"])
def test_models_that_think_take_no_temperature(field: str) -> None:
    _refused(_create(model=THINKING, **{field: 1}), None, field)
    _refused(_create(reasoning={"effort": "low"}, **{field: 1}), None, field)
    assert _create(**{field: 1}).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"), [("background", True), ("conversation", "conv_1"), ("prompt", {"id": "pmpt_1"})]
)
def test_what_the_sandbox_has_not_is_refused(field: str, value: Any) -> None:
    _refused(_create(**{field: value}), "unsupported_parameter", field)
    assert _create(background=False).status_code == 200


@pytest.mark.parametrize(
    ("tools", "choice"),
    [
        ([], "required"),
        ([], {"type": "image_generation"}),
        ([SMALL], {"type": "web_search"}),
        ([SMALL], {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}),
    ],
)
def test_choice_needs_its_tool(tools: Any, choice: Any) -> None:
    _refused(_create(tools=tools, tool_choice=choice), None, "tool_choice")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer invalid-1"}, {"api-key": "k"}])
def test_missing_and_invalid_keys_are_401(headers: Mapping[str, str]) -> None:
    reply = _post({}, headers)
    assert (reply.status_code, _error(reply)["code"]) == (401, "invalid_api_key")
    assert reply.headers["x-request-id"]


# Streams


MESSAGE = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]


def test_stream_tells_words_partials_and_the_picture_in_order() -> None:
    reply = _create({"partial_images": 2}, stream=True)
    events = _events(reply)
    assert _names(events) == [
        "created",
        "in_progress",
        *MESSAGE,
        "output_item.added",
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "image_generation_call.partial_image",
        "image_generation_call.partial_image",
        "image_generation_call.completed",
        "output_item.done",
        "completed",
    ]
    assert reply.text.startswith('event: response.created\ndata: {"type": "response.created"')
    first, last = events[0][1]["response"], events[-1][1]["response"]
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert (first["id"], last["status"]) == (last["id"], "completed")
    done = [body["item"] for name, body in events if name == "response.output_item.done"]
    assert done == last["output"]
    added = [body["item"] for name, body in events if name == "response.output_item.added"]
    assert [item["id"] for item in added] == [item["id"] for item in done]
    assert {item["status"] for item in added} == {"in_progress"}
    assert added[1]["result"] is None
    words = "".join(body["delta"] for _, body in events if "delta" in body)
    assert [words] == _texts(last)
    assert all(body["item_id"] == done[body["output_index"]]["id"] for _, body in events if "item_id" in body)
    whole = _body(_create())
    assert _call(last)["result"] == _call(whole)["result"]
    drawn = [body["tool_usage"]["image_gen"]["output_tokens"] for body in (last, whole)]
    assert drawn[0] == drawn[1] + 200


def test_partials_are_unfinished_pictures_of_the_same_size() -> None:
    events = _events(_create({"partial_images": 3, "output_format": "jpeg"}, stream=True))
    partials = [body for _, body in events if "partial_image_b64" in body]
    assert [body["partial_image_index"] for body in partials] == [0, 1, 2]
    told = {"background": "opaque", "output_format": "jpeg", "quality": "medium", "size": "1024x640"}
    assert all(told.items() <= body.items() for body in partials)
    pictures = [_decoded(body["partial_image_b64"]) for body in partials]
    assert {(picture.format, picture.size) for picture in pictures} == {("JPEG", (1024, 640))}
    assert len({body["partial_image_b64"] for body in partials}) == 3
    final = _decoded(_call(events[-1][1]["response"])["result"])
    for picture, grey in ((pictures[0], True), (final, False)):
        pixel = picture.getpixel((1000, 300))
        assert isinstance(pixel, tuple)
        assert (max(pixel) - min(pixel) < 10) is grey


def test_stream_tells_thinking_and_no_deltas_of_no_words() -> None:
    events = _events(_create(**SHOWN, tool_choice="required", stream=True))
    assert _names(events)[2:8] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert _names(events)[-6:] == [
        "output_item.added",
        "content_part.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


# The faults


def test_refused_prompt_is_an_error_or_the_end_of_a_stream() -> None:
    reply = _wished("refuse prompt")
    assert (reply.status_code, _error(reply)["type"]) == (400, "image_generation_user_error")
    assert (_error(reply)["code"], _error(reply)["moderation_details"]["moderation_stage"]) == (
        "moderation_blocked",
        "input",
    )
    events = _events(_wished("block ANY", stream=True))
    assert _names(events) == ["created", "in_progress", "failed"]
    response = events[-1][1]["response"]
    assert (response["status"], response["output"], response["usage"]) == ("failed", [], None)
    assert response["error"]["code"] == "moderation_blocked"
    assert response["error"].keys() == {"code", "message"}


def test_refused_picture_is_a_response_that_failed() -> None:
    body = _body(_wished("refuse picture"))
    assert (body["status"], body["error"]["code"], body["usage"]) == ("failed", "moderation_blocked", None)
    assert (_call(body)["status"], _call(body)["result"]) == ("failed", None)
    events = _events(_wished("refuse picture", stream=True))
    assert _names(events) == [
        "created",
        "in_progress",
        "output_item.added",
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "output_item.done",
        "failed",
    ]
    assert events[-1][1]["response"]["error"] == body["error"]
    _refused(_create(previous_response_id=body["id"]), "previous_response_not_found", "previous_response_id")


def test_model_may_refuse_in_words() -> None:
    body = _body(_wished("finish refusal"))
    ((part),) = body["output"][0]["content"]
    assert (body["status"], part["type"]) == ("completed", "refusal")
    events = _events(_wished("finish refusal", stream=True))
    assert "refusal.delta" in _names(events)
    assert "".join(body["delta"] for _, body in events if "delta" in body) == part["refusal"]
    assert [body["refusal"] for name, body in events if name == "response.refusal.done"] == [part["refusal"]]


def test_words_only_is_a_question() -> None:
    body = _body(_wished("words only"))
    assert (_types(body), body["status"]) == (["message"], "completed")
    assert _texts(body)[0].count("?") == 1
    assert _types(_body(_wished("words"))) == ["message", "image_generation_call", "message"]


@pytest.mark.parametrize(
    ("fault", "reason"), [("max tokens", "max_output_tokens"), ("finish content_filter", "content_filter")]
)
def test_response_may_be_incomplete(fault: str, reason: str) -> None:
    body = _body(_wished(fault))
    assert (body["status"], body["output"]) == ("incomplete", [])
    assert body["incomplete_details"] == {"reason": reason}
    assert body["usage"] is not None
    events = _events(_wished(fault, stream=True))
    assert _names(events) == ["created", "in_progress", "incomplete"]
    assert len(_calls(_body(_wished(f"{fault}; pictures 2")))) == 2


def test_few_tokens_end_before_the_picture() -> None:
    body = _body(_create(model=THINKING, max_output_tokens=16))
    assert (body["status"], _types(body)) == ("incomplete", ["reasoning"])
    assert body["incomplete_details"] == {"reason": "max_output_tokens"}
    assert _body(_create(model=THINKING, max_output_tokens=1000))["status"] == "completed"


def test_call_may_fail_without_a_word() -> None:
    body = _body(_wished("no image"))
    assert (body["status"], body["error"]) == ("completed", None)
    assert (_call(body)["status"], _call(body)["result"]) == ("failed", None)
    names = _names(_events(_wished("no image", stream=True)))
    assert "image_generation_call.completed" not in names


def test_reply_may_be_empty() -> None:
    body = _body(_wished("empty"))
    assert (body["status"], body["output"]) == ("completed", [])
    assert _names(_events(_wished("empty", stream=True))) == ["created", "in_progress", "completed"]


def test_number_of_pictures_may_be_wrong() -> None:
    body = _body(_wished("pictures 3"))
    assert _types(body) == ["message", "image_generation_call"] * 3
    assert len({call["result"] for call in _calls(body)}) == 3
    assert _texts(body)[2] == "Picture 3 of 3:"
    names = _names(_events(_wished("pictures 2", stream=True)))
    assert names.count("image_generation_call.completed") == 2


def test_drafts_are_thoughts_and_partials_that_nobody_asked_for() -> None:
    events = _events(_wished("drafts", stream=True))
    assert [body["partial_image_index"] for _, body in events if "partial_image_b64" in body] == [0, 1]
    assert "reasoning_summary_text.delta" in _names(events)
    assert _types(_body(_wished("drafts"))) == ["reasoning", "message", "image_generation_call"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500, 503, 504])
@pytest.mark.parametrize("stream", [False, True])
def test_error_codes_have_openais_bodies(status: int, stream: bool) -> None:
    reply = _wished(f"{status} after 17", stream=stream)
    assert (reply.status_code, reply.headers["retry-after"]) == (status, "17")
    assert set(_error(reply)) == {"message", "type", "param", "code"}


def test_pages_of_something_before_the_provider() -> None:
    assert _wished("html 502").text.startswith("<!DOCTYPE html>")
    assert (_wished("status 529").status_code, _wished("status 529").content) == (529, b"")


def test_replies_of_no_known_shape() -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        _wished("not json").json()
    assert _wished("unknown shape").json() == {"hello": "world"}
    for fault, data in (("not json", "<this is not JSON>"), ("unknown shape", '{"hello": "world"}')):
        assert _wished(fault, stream=True).text == f"event: response.completed\ndata: {data}\n\n"


def test_bad_base64_is_junk_and_is_not_remembered() -> None:
    body = _body(_wished("bad base64"))
    with pytest.raises(ValueError, match="base64"):
        _decoded(_call(body)["result"])
    again = _create({"size": "auto"}, said="at night", previous_response_id=body["id"])
    assert _call(_body(again))["action"] == "generate"


def test_big_pictures_still_decode() -> None:
    call = _call(_body(_wished("big 2")))
    assert 2_000_000 < len(base64.b64decode(call["result"])) < 4_000_000
    assert _decoded(call["result"]).size == (1024, 640)


def test_error_in_the_middle_of_a_stream() -> None:
    events = _events(_wished("error mid-stream", {"partial_images": 1}, stream=True))
    assert _names(events)[-4:] == [
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "image_generation_call.partial_image",
        "error",
    ]
    error = events[-1][1]
    assert error.keys() == {"type", "code", "message", "param", "sequence_number"}
    assert (error["type"], error["code"], error["param"]) == ("error", "overloaded", None)
    assert _names(_events(_wished("error mid-stream", tools=[], stream=True)))[-1] == "error"
    assert _wished("error mid-stream").status_code == 503


def test_unknown_faults_are_named() -> None:
    reply = _wished("explode")
    assert reply.status_code == 400
    assert all(word.syntax in _error(reply)["message"] for word in WORDS)


def test_only_the_last_words_of_the_user_wish_and_the_header_wins() -> None:
    items = [_user(_text("[sandbox: 500]")), {"role": "assistant", "content": "[sandbox: 503]"}]
    assert _create(said=[*items, _user(_text(FOX))]).status_code == 200
    assert _post({"model": QUICK, "input": "[sandbox: 500]"}, {**KEY, "x-sandbox": "429"}).status_code == 429
    assert _post({"model": QUICK, "input": "[sandbox: 500]"}, {**KEY, "x-sandbox": ""}).status_code == 200


def _messages(fault: str, *, stream: bool, leave_at_once: bool = False) -> list[dict[str, Any]]:
    """What the app sends to its server, where a client of HTTP would only see a broken connection."""
    raw = json.dumps({"model": QUICK, "input": "x", "tools": [SMALL], "stream": stream}).encode()
    incoming = [{"type": "http.request", "body": raw, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        if not leave_at_once:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**KEY, "content-type": "application/json", "x-sandbox": fault}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/responses",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    _run(asyncio.wait_for(APP(scope, receive, send), 10))
    return sent


@pytest.mark.parametrize("stream", [False, True])
def test_cut_off_ends_in_the_middle_of_the_picture(stream: bool) -> None:
    _, *bodies = _messages("cut off", stream=stream)
    received = b"".join(message["body"] for message in bodies)
    assert bodies[-1]["more_body"] is True
    assert received.count(b'"result": "iVBOR') == 1
    assert b'"revised_prompt"' not in received.partition(b'"result": "iVBOR')[2]


@pytest.mark.parametrize("fault", ["never", "slow 60"])
def test_handler_ends_without_a_reply_when_the_client_goes_away(fault: str) -> None:
    assert _messages(fault, stream=True, leave_at_once=True) == []


def test_stall_comes_after_the_first_event() -> None:
    _, *bodies = _messages("stall 60", stream=True, leave_at_once=True)
    assert b"".join(message["body"] for message in bodies).count(b"event: ") == 1


# The official client


def _official() -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key="sk-any", base_url="http://sandbox/v1", http_client=_http_client(), max_retries=0
    )


def test_official_client_creates_and_goes_on() -> None:
    async def talk() -> None:
        async with _official() as client:
            first = await client.responses.create(
                model=THINKING, input=FOX, tools=[{"type": "image_generation", "size": "1024x640"}]
            )
            assert first.output_text.startswith("Here is the picture")
            call = first.output[-1]
            assert call.type == "image_generation_call"
            assert _decoded(call.result or "").size == (1024, 640)
            assert first.usage is not None
            second = await client.responses.create(
                model=THINKING,
                input="at night",
                previous_response_id=first.id,
                tools=[{"type": "image_generation"}],
            )
            assert second.status == "completed"

    _run(talk())


def test_official_client_streams() -> None:
    async def talk() -> None:
        async with _official() as client:
            stream = await client.responses.create(
                model=QUICK,
                input=FOX,
                stream=True,
                tools=[{"type": "image_generation", "size": "1024x640", "partial_images": 2}],
            )
            events = [event async for event in stream]
            partials = [
                event for event in events if event.type == "response.image_generation_call.partial_image"
            ]
            assert [partial.partial_image_index for partial in partials] == [0, 1]
            assert _decoded(partials[0].partial_image_b64).size == (1024, 640)
            last = events[-1]
            assert last.type == "response.completed"
            assert last.response.output[-1].type == "image_generation_call"
            assert last.response.output_text

    _run(talk())


def test_official_client_reads_failures() -> None:
    async def talk() -> None:
        async with _official() as client:

            async def ask(fault: str, **fields: Any) -> Any:
                return await client.responses.create(
                    model=QUICK, input=f"[sandbox: {fault}]", tools=[{"type": "image_generation"}], **fields
                )

            with pytest.raises(openai.BadRequestError) as refused:
                await ask("refuse prompt")
            assert refused.value.code == "moderation_blocked"
            assert (await ask("refuse picture")).status == "failed"
            for fault, last in (
                ("refuse prompt", "response.failed"),
                ("max tokens", "response.incomplete"),
                ("error mid-stream", "error"),
            ):
                events = [event async for event in await ask(fault, stream=True)]
                assert events[-1].type == last

    _run(talk())
