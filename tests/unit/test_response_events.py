"""A response as events: whoever follows them ends with the response itself, however LiteLLM's frames come."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Finish,
    ImageResult,
    PartialDelta,
    Picture,
    PictureDelta,
    ResponseShape,
    TextDelta,
    TextPart,
    Usage,
)
from litellm_imagegen.plugin.response_events import ResponseEvents
from litellm_imagegen.plugin.vault import Vault
from litellm_imagegen.surfaces.responses import ResponseOutput, state
from tests.unit.helpers import picture_bytes

PICTURES = [
    Picture(blob=Blob.from_raw(picture_bytes(color=color, size=(5, 4)), "image/png"), revised_prompt=color)
    for color in ("red", "lime", "blue")
]
parts = st.lists(st.one_of(st.text(max_size=6), st.sampled_from(PICTURES)), max_size=8)
shapes = st.sampled_from(list(ResponseShape))


def base64_of(picture: Picture) -> str:
    return picture.blob.base64.decode()


COUNTED = Usage(prompt_tokens=3, completion_tokens=5, total_tokens=8, completion_image_tokens=5, cost=0.25)
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0, "image_tokens": 5},
    "total_tokens": 8,
    "cost": 0.25,
}


def result_of(answer: Sequence[str | Picture], **fields: Any) -> ImageResult:
    held = tuple(TextPart(text=part) if isinstance(part, str) else part for part in answer)
    return ImageResult(provider="gemini", model="m", parts=held, **{"usage": COUNTED, **fields})


def followed(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a client has that puts a response together from its events alone."""
    items: list[dict[str, Any]] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert event["output_index"] == len(items)
            items.append(json.loads(json.dumps(event["item"])))
            continue
        if "output_index" not in event:
            continue
        item = items[event["output_index"]]
        assert event.get("item_id", item["id"]) == item["id"]
        match kind:
            case "content_part.added":
                assert event["content_index"] == len(item["content"])
                item["content"].append(dict(event["part"]))
            case "output_text.delta":
                item["content"][event["content_index"]]["text"] += event["delta"]
            case "output_text.done":
                assert item["content"][event["content_index"]]["text"] == event["text"]
            case "refusal.delta":
                item["content"][event["content_index"]]["refusal"] += event["delta"]
            case "content_part.done":
                item["content"][event["content_index"]] = event["part"]
            case "output_item.done":
                assert item.get("content") == event["item"].get("content")
                items[event["output_index"]] = event["item"]
    return items


@given(parts, shapes, st.sampled_from([Finish.STOP, Finish.REFUSED, Finish.LENGTH]))
def test_who_follows_the_events_has_the_output(
    answer: list[str | Picture], shape: ResponseShape, finish: Finish
) -> None:
    output = ResponseOutput(shape, base64_of)
    result = result_of(answer, finish=finish, refusal="no" if finish is Finish.REFUSED else None)
    events: list[dict[str, Any]] = []
    for part in answer:
        if isinstance(part, str):
            events += output.words(part)
        else:
            events += [*output.partial(0, "AAAA"), *output.picture(part)]
    events += output.end(result)
    assert followed(events) == output.items
    assert all(item["status"] != "in_progress" for item in output.items)
    shown = [item.get("result") for item in output.items if item["type"] == "image_generation_call"]
    shown += [
        part["image_url"]
        for item in output.items
        for part in item.get("content", ())
        if part["type"] == "output_image"
    ]
    assert shown == [base64_of(part) for part in answer if isinstance(part, Picture)]
    whole = ResponseOutput.of(result, shape, base64_of)
    assert [without_ids(item) for item in whole.items] == [without_ids(item) for item in output.items]


def without_ids(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


def test_a_picture_that_was_begun_and_never_came_has_failed() -> None:
    output = ResponseOutput(ResponseShape.ITEMS, base64_of)
    events = [*output.partial(0, "AAAA"), *output.end(result_of(["words"]))]
    assert (output.items[0]["status"], output.items[0]["result"]) == ("failed", None)
    assert followed(events) == output.items


@pytest.mark.parametrize(
    ("result", "status", "reason", "code"),
    [
        (result_of(PICTURES[:1]), "completed", None, None),
        (result_of(["words"]), "completed", None, None),
        (result_of(["words"], needs_picture=True), "failed", None, "no_image"),
        (result_of([], finish=Finish.REFUSED), "incomplete", "content_filter", None),
        (result_of([], finish=Finish.LENGTH), "incomplete", "max_output_tokens", None),
        (result_of(PICTURES[:1], finish=Finish.LENGTH), "completed", None, None),
    ],
)
def test_each_outcome_has_its_state(
    result: ImageResult, status: str, reason: str | None, code: str | None
) -> None:
    shown = state(result)
    assert shown["status"] == status
    assert (shown["incomplete_details"] or {}).get("reason") == reason
    assert (shown["error"] or {}).get("code") == code


START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}


class Stage:
    """A live response, the vault that it sends from, and what the client has got."""

    def __init__(self, shape: ResponseShape = ResponseShape.ITEMS) -> None:
        self.vault = Vault()
        self.kept: list[tuple[Any, ...]] = []
        self.live = ResponseEvents(
            self.vault, shape, echoed={"tools": []}, ended=self._ended, headers={"x_litellm_call_id": "call"}
        )
        self.messages: list[dict[str, Any]] = []

    async def _ended(self, *what: Any) -> None:
        await asyncio.sleep(0)
        assert b'"type":"response.completed"' not in self.text, "it is kept before its end is sent"
        self.kept.append(what)

    def came(self, *steps: Any) -> None:
        for step in steps:
            self.messages += map(dict, self.live.came(step))

    def silent(self) -> None:
        self.messages += map(dict, self.live.silent())

    def sends(self, *bodies: bytes, start: dict[str, Any] | None = None, ends: bool = False) -> None:
        async def send() -> None:
            given = [start] if start else []
            given += [{"type": "http.response.body", "body": body, "more_body": True} for body in bodies]
            if ends:
                given.append({"type": "http.response.body", "body": b"", "more_body": False})
            for message in given:
                self.messages.extend(map(dict, await self.live.sent(message)))

        asyncio.run(send())

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def events(self) -> list[dict[str, Any]]:
        frames = [frame for frame in self.text.decode().split("\n\n") if frame.startswith("event: ")]
        return [json.loads(frame.partition("data: ")[2]) for frame in frames]

    @property
    def starts(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == "http.response.start"]


def frame(event: dict[str, Any] | str) -> bytes:
    return f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


def announced() -> list[bytes]:
    response = {"id": "resp_1", "model": "gemini/m", "output": [], "status": "in_progress"}
    kinds = ("response.created", "response.in_progress")
    return [frame({"type": kind, "response": response, "model": "public"}) for kind in kinds]


def delta(text: str) -> bytes:
    return frame({"type": "response.output_text.delta", "item_id": "x", "delta": text, "model": "public"})


def completed(*results: str) -> bytes:
    output = [{"type": "image_generation_call", "id": "y", "result": result} for result in results]
    response = {
        "id": "resp_1",
        "model": "gemini/m",
        "output": output,
        "status": "completed",
        "usage": {"a": 1},
    }
    return frame({"type": "response.completed", "response": response, "model": "public"})


def play(stage: Stage, answer: Sequence[str | Picture], *, holds: bool, cuts: Sequence[int] = ()) -> None:
    """The whole of a stream: what the handler pushes, and what LiteLLM makes of it, cut anywhere."""
    stage.live.begin("chatcmpl-1", holds_pictures=holds)
    stage.sends(start=START)
    frames = announced()
    for part in answer:
        if isinstance(part, str):
            stage.came(TextDelta(text=part))
            frames.append(frame({"type": "response.content_part.added", "part": {}}))
            frames += [delta(part)] if part else []
        else:
            stage.came(PartialDelta(picture=part, number=0), PictureDelta(picture=part))
    stage.came(result_of(answer))
    pictures = [part for part in answer if isinstance(part, Picture)]
    frames += [completed(*map(base64_of, pictures)), frame("[DONE]")]
    text = b"".join(frames)
    edges = [0, *sorted(cut % len(text) for cut in cuts), len(text)]
    stage.sends(*(text[low:high] for low, high in itertools.pairwise(edges)), ends=True)


@given(parts, shapes, st.booleans(), st.lists(st.integers(0, 10_000), max_size=6))
def test_words_and_pictures_come_in_their_order_whichever_way_the_pictures_take(
    answer: list[str | Picture], shape: ResponseShape, holds: bool, cuts: list[int]
) -> None:
    assume(any(isinstance(part, Picture) or part.strip() for part in answer))  # else it is an error
    stage = Stage(shape)
    play(stage, answer, holds=holds, cuts=cuts)
    events = stage.events
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    last = events[-1]["response"]
    assert followed(events) == last["output"]
    assert (last["model"], last["id"], last["usage"], last["tools"]) == ("public", "resp_1", USAGE, [])
    shown = []
    for item in last["output"]:
        if item["type"] == "image_generation_call":
            shown.append(item["result"])
        for part in item.get("content", ()):
            shown.append(part["text"] if part["type"] == "output_text" else part["image_url"])
    wanted: list[str] = []
    after_picture = True
    for part in answer:
        if isinstance(part, Picture):
            url = part.blob.data_url if shape is ResponseShape.OUTPUT_IMAGE else base64_of(part)
            wanted.append(url if holds else stage.live.reference(part))
        elif part and after_picture:
            wanted.append(part)
        elif part:
            wanted[-1] += part
        after_picture = isinstance(part, Picture) if isinstance(part, Picture) or part else after_picture
    assert shown == wanted
    assert stage.text.endswith(b"data: [DONE]\n\n")
    assert stage.messages[-1]["more_body"] is False
    assert len(stage.starts) == 1
    [(output, result, *ids)] = stage.kept
    assert (output.items, result.parts) == (last["output"], result_of(answer).parts)
    assert ids == ["chatcmpl-1", "resp_1"]
    stage.vault.close()


def test_pictures_are_sent_before_litellm_has_its_end_and_held_where_others_look_first() -> None:
    for holds in (False, True):
        stage = Stage()
        stage.live.begin("chatcmpl-1", holds_pictures=holds)
        stage.sends(*announced(), start=START)
        stage.came(TextDelta(text="Here"), PictureDelta(picture=PICTURES[0]))
        assert "image_generation_call" not in str(stage.events), "its words come first"
        stage.sends(delta("Here"))
        assert ("image_generation_call" in str(stage.events)) == (not holds)
        stage.vault.close()


def test_a_picture_that_a_callback_has_changed_or_taken_out_is_shown_as_it_left_it() -> None:
    other = base64_of(PICTURES[2])
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=True)
    stage.sends(*announced(), start=START)
    stage.came(*(PictureDelta(picture=picture) for picture in PICTURES[:2]), result_of(PICTURES[:2]))
    stage.sends(completed(other), ends=True)
    assert [item["result"] for item in stage.events[-1]["response"]["output"]] == [other]


def test_a_second_deployment_goes_on_where_the_first_one_broke() -> None:
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.sends(*announced(), start=START)
    stage.came(TextDelta(text="One"))
    stage.sends(delta("One"))
    stage.live.planned({"tools": []}, stage._ended)
    stage.live.begin("chatcmpl-2", holds_pictures=False)
    stage.came(PictureDelta(picture=PICTURES[0]), result_of(PICTURES[:1]))
    stage.sends(*announced(), completed(), ends=True)
    kinds = [event["type"] for event in stage.events]
    assert kinds.count("response.created") == 1
    assert [event["sequence_number"] for event in stage.events] == list(range(len(kinds)))
    assert followed(stage.events) == stage.events[-1]["response"]["output"]
    assert [item["type"] for item in stage.events[-1]["response"]["output"]] == [
        "message",
        "image_generation_call",
    ]
    stage.vault.close()


def test_a_foreign_model_that_goes_on_is_shown_as_litellm_has_it() -> None:
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.sends(*announced(), start=START)
    stage.live.give_way()
    foreign = [*announced(), delta("One"), completed(), frame("[DONE]")]
    stage.sends(*foreign, ends=True)
    assert stage.text == b"".join(foreign)
    assert len(stage.starts) == 1
    stage.live.planned({"tools": []}, stage._ended)
    stage.came(TextDelta(text="One"))
    stage.sends(*announced(), delta("One"))
    assert stage.events[-1]["delta"] == "One", "and ours again after it"


def test_of_pictures_on_the_way_that_wait_the_latest_counts() -> None:
    """Each is kept for as long as it takes to send it: no two of them may be due at once."""
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.sends(*announced(), start=START)
    partial = [PartialDelta(picture=picture, number=number) for number, picture in enumerate(PICTURES[:2])]
    stage.came(TextDelta(text="One"), *partial)
    stage.sends(delta("One"))
    [shown] = [event for event in stage.events if event["type"].endswith("partial_image")]
    assert shown["partial_image_index"] == 1
    assert stage.vault.find(shown["partial_image_b64"].encode()) is not None
    stage.came(TextDelta(text="Two"), partial[0], PictureDelta(picture=PICTURES[0]))
    stage.sends(delta("Two"))
    assert stage.text.count(b"partial_image_index") == 1, "its picture is there"
    stage.vault.close()


def test_what_one_deployment_failed_by_is_not_told_of_the_next() -> None:
    stage = Stage()
    stage.vault.failure = Failure()
    stage.live.planned({}, stage._ended)
    assert stage.vault.failure is None


def test_a_failure_keeps_what_there_was_and_is_no_success() -> None:
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.sends(*announced(), start=START)
    stage.came(TextDelta(text="One"), PartialDelta(picture=PICTURES[0], number=0))
    failed = {
        "type": "response.failed",
        "response": {"id": "resp_1", "model": "gemini/m", "status": "failed"},
    }
    stage.sends(delta("One"), b"event: response.failed\n" + frame(failed), ends=True)
    last = stage.events[-1]
    assert (last["type"], last["response"]["model"]) == ("response.failed", "public")
    assert [item["status"] for item in last["response"]["output"]] == ["completed", "failed"]
    assert stage.kept == []
    stage.vault.close()


class Failure(Exception):
    """As LiteLLM's exceptions are."""

    status_code, message, type, param = 429, "too much", "throttling_error", None
    headers = {"retry-after": "17"}  # noqa: RUF012


def test_a_failure_before_the_first_event_is_an_http_status() -> None:
    stage = Stage()
    stage.vault.failure = Failure()
    failed = {"type": "response.failed", "response": {"id": "resp_1"}}
    stage.sends(b"event: response.failed\n" + frame(failed), frame("[DONE]"), start=START, ends=True)
    [start] = stage.starts
    assert start["status"] == 429
    assert dict(start["headers"])[b"retry-after"] == b"17"
    assert dict(start["headers"])[b"content-type"] == b"application/json"
    assert json.loads(stage.text)["error"] == {
        "message": "too much",
        "type": "throttling_error",
        "param": None,
        "code": "429",
    }
    assert [message.get("more_body") for message in stage.messages] == [None, False]


def test_an_answer_that_is_no_stream_passes() -> None:
    stage = Stage()
    start = {
        "type": "http.response.start",
        "status": 400,
        "headers": [(b"content-type", b"application/json")],
    }
    stage.sends(b'{"error":', b"{}}", start=start, ends=True)
    assert stage.starts == [start]
    assert stage.text == b'{"error":{}}'


def test_a_long_silence_opens_the_stream_and_an_error_is_then_an_event() -> None:
    stage = Stage()
    stage.silent()
    [start] = stage.starts
    assert dict(start["headers"])[b"x-litellm-call-id"] == b"call"
    assert stage.text == b": keep-alive\n\n"
    start = {
        "type": "http.response.start",
        "status": 503,
        "headers": [(b"content-type", b"application/json")],
    }
    error = {"message": "down", "type": "x", "param": None, "code": "503"}
    stage.sends(json.dumps({"error": error}).encode(), start=start, ends=True)
    assert len(stage.starts) == 1
    [event] = stage.events
    assert (event["type"], event["code"], event["message"], event["error"]) == ("error", "503", "down", error)
    assert stage.messages[-1]["more_body"] is False


@pytest.mark.parametrize("error", [{"error": {"message": "oops"}}, {"type": "error", "message": "oops"}])
def test_a_bare_error_ends_a_response_as_failed(error: dict[str, Any]) -> None:
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.sends(*announced(), start=START)
    stage.came(TextDelta(text="One"))
    stage.sends(delta("One"), frame(error), ends=True)
    last = stage.events[-1]
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "server_error", "message": "oops"}
    assert last["response"]["id"] == "resp_1"


def test_what_is_no_event_passes() -> None:
    stage = Stage()
    odd = b"data: {'a': 'dict'}\n\n"
    stage.sends(odd, start=START)
    assert stage.text == odd


def test_comments_of_litellm_pass() -> None:
    stage = Stage()
    stage.live.begin("chatcmpl-1", holds_pictures=False)
    stage.came(TextDelta(text="One"))
    stage.sends(b": ping\n\n", *announced(), delta("One"), start=START)
    assert stage.text.startswith(b": ping\n\nevent: response.created\n")
