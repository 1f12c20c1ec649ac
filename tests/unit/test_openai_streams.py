"""What OpenAI's streams hold that a fixture cannot show: large pictures, odd bodies, events one by one."""

from typing import Any

import orjson
import pytest

from litellm_imagegen.canonical import EndDelta, Finish, Name, PartialDelta, PictureDelta, TextDelta, Usage
from litellm_imagegen.codec import Call, Codec, Reply
from litellm_imagegen.dialects import parse_images, parse_responses
from litellm_imagegen.errors import BadReply, InvalidParameter, ProviderFailed
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers import PROVIDERS
from tests.unit.helpers import Said, ScriptedTransport, base64_of, carry_out, picture_bytes, plan_of

OPENAI = PROVIDERS["openai"]
SMALL = base64_of(picture_bytes())
LARGE = base64_of(picture_bytes("BMP", (300, 300)))  # longer than what a parser gets to see
DRAWN = {"type": "image_generation_call", "status": "completed", "output_format": "png", "result": SMALL}


def _picture_plan(**more: Any) -> Plan:
    body = {"prompt": "a red dot", "stream": True, "partial_images": 2, **more}
    return plan_of(body, model="gpt-image-2", provider=OPENAI, parse=parse_images)


def _response_plan(**more: Any) -> Plan:
    body = {"input": "a red dot", "stream": True, **more}
    return plan_of(body, model="gpt-5", provider=OPENAI, parse=parse_responses)


def _codec(plan: Plan) -> Codec:
    return OPENAI.wire(plan.model).codec


def _events(plan: Plan, *events: Any) -> list[Any]:
    codec = _codec(plan)
    texts = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
    return [delta for text in texts for delta in codec.decode_event(plan, IncomingJson.of(text))]


def test_large_pictures_are_passed_on_as_they_came() -> None:
    partial = {"type": "image_edit.partial_image", "partial_image_index": 1, "b64_json": LARGE}
    on_the_way, whole, end = _events(
        _picture_plan(), partial, {"type": "image_edit.completed", "b64_json": LARGE}
    )
    assert isinstance(on_the_way, PartialDelta)
    assert isinstance(whole, PictureDelta)
    assert on_the_way.number == 1
    assert on_the_way.picture.blob.base64 == whole.picture.blob.base64 == LARGE.encode()
    assert end == EndDelta(finish=Finish.STOP)


def test_large_pictures_of_a_response_are_passed_on_as_they_came() -> None:
    partial = {
        "type": "response.image_generation_call.partial_image",
        "partial_image_index": 2,
        "partial_image_b64": LARGE,
    }
    done = {"type": "response.output_item.done", "item": {**DRAWN, "result": LARGE}}
    completed = {"type": "response.completed", "response": {"output": [{**DRAWN, "result": LARGE}]}}
    on_the_way, whole, facts, end = _events(_response_plan(), partial, done, completed)
    assert isinstance(on_the_way, PartialDelta)
    assert isinstance(whole, PictureDelta)
    assert on_the_way.number == 2
    assert on_the_way.picture.blob.base64 == whole.picture.blob.base64 == LARGE.encode()
    assert facts == EndDelta(facts={"output_format": "png"})
    assert end == EndDelta(finish=Finish.STOP)


def test_long_words_come_whole() -> None:
    words = "a red dot " * 8_000
    plan = _response_plan()
    (delta,) = _events(plan, {"type": "response.output_text.delta", "delta": words})
    assert delta == TextDelta(text=words)
    body = IncomingJson.of(
        orjson.dumps({"output": [{"type": "message", "content": [{"type": "output_text", "text": words}]}]})
    )
    reply = Reply(call=Call(), status=200, headers={}, body=body)
    assert tuple(_codec(plan).decode(plan, reply)) == (TextDelta(text=words), EndDelta(finish=Finish.STOP))


@pytest.mark.parametrize("plan", [_picture_plan(), _response_plan()], ids=["images", "responses"])
@pytest.mark.parametrize(
    "event",
    [
        b"[DONE]",
        b" [DONE]\n",
        {},
        {"type": None},
        {"type": ["response.completed"]},
        {"type": "response.created", "response": {"output": [DRAWN], "error": None}},
        {"type": "response.image_generation_call.completed", "item_id": "ig_1"},
        {"type": "response.output_text.done", "text": "once more"},
        {"type": "response.output_text.delta", "delta": ""},
        {"type": "response.output_item.added", "item": DRAWN},
        {"type": "response.output_item.done", "item": {"type": "message", "content": [{"text": "more"}]}},
        {"type": "response.output_item.done", "item": {**DRAWN, "result": None}},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": None},
        {"type": "image_generation.partial_image", "b64_json": 5},
        {"type": "keepalive", "sequence_number": 4},
    ],
)
def test_events_that_tell_nothing_new_are_passed_over(plan: Plan, event: Any) -> None:
    assert _events(plan, event) == []


@pytest.mark.parametrize("plan", [_picture_plan(), _response_plan()], ids=["images", "responses"])
def test_an_event_that_is_no_json_is_a_bad_reply(plan: Plan) -> None:
    with pytest.raises(BadReply, match="not JSON"):
        _events(plan, b"[DONE")


@pytest.mark.parametrize("plan", [_picture_plan(), _response_plan()], ids=["images", "responses"])
def test_one_json_body_in_the_place_of_events_is_read(plan: Plan) -> None:
    body = {"created": 1, "data": [{"b64_json": SMALL}], "status": "completed", "output": [DRAWN]}
    _, result = carry_out(plan, ScriptedTransport(Said.json(body)))
    assert len(result.pictures) == 1


@pytest.mark.parametrize("plan", [_picture_plan(), _response_plan()], ids=["images", "responses"])
@pytest.mark.parametrize(
    "error", [{"code": "server_error"}, {"code": "500"}, {"type": "server_error", "code": None}]
)
def test_an_error_after_a_picture_on_the_way_is_that_error(plan: Plan, error: dict[str, Any]) -> None:
    events = (
        {"type": "image_generation.partial_image", "b64_json": SMALL},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": SMALL},
        {"type": "error", "error": {"message": "Something broke.", **error}},
    )
    with pytest.raises(ProviderFailed, match="openai: Something broke"):
        carry_out(plan, ScriptedTransport(Said.events(*events)))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("number", [0, None])
def test_without_pictures_on_the_way_an_images_call_comes_whole(stream: bool, number: int | None) -> None:
    plan = _picture_plan(stream=stream, partial_images=number)
    call = _codec(plan).encode(plan)
    assert not call.streams
    assert call.body == {"model": "gpt-image-2", "prompt": "a red dot"}


def test_partial_images_go_with_a_stream_alone() -> None:
    plan = _response_plan(tools=[{"type": "image_generation", "partial_images": 3}])
    assert plan.values[Name.PARTIAL_IMAGES] == 3
    codec = _codec(plan)
    body = codec.encode(plan).body
    assert body is not None
    assert body["tools"] == [{"type": "image_generation", "partial_images": 3}]
    body = codec.encode(plan.model_copy(update={"stream": False})).body
    assert body is not None
    assert body["tools"] == [{"type": "image_generation"}]


@pytest.mark.parametrize(
    ("usage", "drawing", "counted"),
    [
        (None, None, None),
        ("odd", {"image_gen": 5}, None),
        ({"input_tokens": 5, "output_tokens": True}, None, Usage(prompt_tokens=5, total_tokens=5)),
        (
            None,
            {"image_gen": {"input_tokens": 5, "output_tokens": 7}},
            Usage(
                prompt_tokens=5,
                completion_tokens=7,
                total_tokens=12,
                completion_image_tokens=7,
                completion_text_tokens=0,
            ),
        ),
        (
            {"input_tokens": 5, "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 3}},
            {"image_gen": {"output_tokens": 7, "output_tokens_details": {"image_tokens": 6}}},
            Usage(
                prompt_tokens=5,
                completion_tokens=11,
                total_tokens=16,
                reasoning_tokens=3,
                completion_image_tokens=6,
                completion_text_tokens=2,
            ),
        ),
    ],
)
def test_tokens_of_both_models_are_counted(usage: Any, drawing: Any, counted: Usage | None) -> None:
    response = {"output": [DRAWN], "usage": usage, "tool_usage": drawing}
    (end,) = _events(_response_plan(), {"type": "response.completed", "response": response})
    assert end.usage == counted


@pytest.mark.parametrize(
    ("response", "finish"),
    [
        ({"status": "completed", "output": []}, Finish.STOP),
        ({"output": []}, Finish.STOP),
        ({"status": "incomplete", "output": []}, Finish.OTHER),
        ({"status": "incomplete", "incomplete_details": {"reason": "odd"}, "output": []}, Finish.OTHER),
        ({"status": "cancelled", "output": []}, Finish.OTHER),
        ({"status": "in_progress", "output": [5, None]}, Finish.OTHER),
    ],
)
def test_every_status_has_a_finish(response: dict[str, Any], finish: Finish) -> None:
    plan = _response_plan()
    reply = Reply(call=Call(), status=200, headers={}, body=IncomingJson.of(orjson.dumps(response)))
    (end,) = _codec(plan).decode(plan, reply)
    assert isinstance(end, EndDelta)
    assert end.finish is finish


def test_a_picture_before_a_refusal_stays() -> None:
    response = {
        "status": "failed",
        "error": {"code": "moderation_blocked", "message": "no more"},
        "output": [DRAWN],
    }
    plan = plan_of({"input": "a red dot"}, model="gpt-5", provider=OPENAI, parse=parse_responses)
    _, result = carry_out(plan, ScriptedTransport(Said.json(response)))
    assert len(result.pictures) == 1
    assert result.refusal == "openai refused the request: no more"


@pytest.mark.parametrize(
    ("content", "instructions", "items"),
    [
        ("Be brief.", "Be brief.", 1),
        ([{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}], "Be\n\nbrief.", 1),
        ([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{SMALL}"}}], None, 2),
    ],
)
def test_what_the_system_says_is_instructions_but_for_its_pictures(
    content: Any, instructions: str | None, items: int
) -> None:
    messages = [{"role": "system", "content": content}, {"role": "user", "content": "a red dot"}]
    plan = plan_of({"messages": messages}, model="gpt-5", provider=OPENAI)
    body = _codec(plan).encode(plan).body
    assert body is not None
    assert body.get("instructions") == instructions
    assert [item["role"] for item in body["input"]] == ["user"] * items


def test_provider_options_go_last_and_those_of_the_tool_into_the_tool() -> None:
    options = {"store": True, "max_output_tokens": 7}
    shown = {**options, "image_generation": {"quality": "low", "action": "generate"}}
    plan = _response_plan(max_output_tokens=100, provider_options={"openai": shown})
    body = _codec(plan).encode(plan).body
    assert body is not None
    assert body["tools"] == [{"type": "image_generation", "quality": "low", "action": "generate"}]
    assert {key: body[key] for key in options} == options
    with pytest.raises(InvalidParameter, match="image_generation: 'odd'"):
        _response_plan(provider_options={"openai": {"image_generation": "odd"}})


@pytest.mark.parametrize("choice", ["required", {"type": "image_generation"}], ids=str)
def test_a_forced_tool_is_forced_on_the_wire(choice: Any) -> None:
    tools = [{"type": "image_generation"}]
    plans = [_response_plan(tools=tools, tool_choice=one) for one in (choice, "auto")]
    forced, free = (_codec(plan).encode(plan).body or {} for plan in plans)
    assert forced["tool_choice"] == {"type": "image_generation"}
    assert "tool_choice" not in free
