"""/v1/responses on a real proxy: words and pictures in order, in both shapes, whole and as events."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.conftest import settings_of
from tests.proxy.responding import Events, pictures_of, respond, respond_streamed, text_of
from tests.proxy.support import Proxy, running_proxy
from tests.proxy.test_outcomes import (
    BROKEN,
    EMPTY,
    MODEL,
    REFUSALS,
    STATUSES,
    assert_harmless,
    prompt,
)
from tests.upstream import Upstream

TOOL = {"type": "image_generation", "size": "1536x1024"}
SHAPES: list[dict[str, Any]] = [{}, {"imagegen": {"responses": "output_image"}}]
SHAPE_NAMES = ["items", "output_image"]


def assert_consistent(events: Events) -> None:
    """Numbers count up; every item and part is announced where it then is, and ends as it then stands."""
    assert [event["sequence_number"] for event in events.events] == list(range(len(events.events)))
    assert events.kinds[:2] == ["created", "in_progress"]
    output = events.last["output"]
    added = events.of_kind("output_item.added")
    assert [event["output_index"] for event in added] == list(range(len(output)))
    assert [event["item"]["id"] for event in added] == [item["id"] for item in output]
    ends = {event["output_index"]: event["item"] for event in events.of_kind("output_item.done")}
    assert ends == dict(enumerate(output))
    assert len({item["id"] for item in output}) == len(output)
    for event in events.events:
        if "item_id" in event:
            assert output[event["output_index"]]["id"] == event["item_id"]
    parts = {
        (event["output_index"], event["content_index"]): event["part"]
        for event in events.of_kind("content_part.done")
    }
    assert parts == {
        (place, number): part
        for place, item in enumerate(output)
        for number, part in enumerate(item.get("content") or ())
    }
    begun = [(e["output_index"], e["content_index"]) for e in events.of_kind("content_part.added")]
    assert begun == sorted(parts)
    for event in events.of_kind("content_part.added"):
        assert not any(event["part"].get(name) for name in ("text", "image_url", "refusal"))
    for event in events.of_kind("output_text.done"):
        place = event["output_index"], event["content_index"]
        deltas = [
            other["delta"]
            for other in events.of_kind("output_text.delta")
            if (other["output_index"], other["content_index"]) == place
        ]
        assert event["text"] == "".join(deltas) == parts[place]["text"]
    assert len({event["response"]["id"] for event in events.events if "response" in event}) == 1
    assert {event["response"]["model"] for event in events.events if "response" in event} == {
        events.last["model"]
    }


def shape_of(item: Mapping[str, Any]) -> Any:
    return [part["type"] for part in item["content"]] if item["type"] == "message" else item["type"]


def test_words_and_pictures_keep_their_order_as_items(proxy: Proxy) -> None:
    answer = respond(proxy, MODEL, prompt("pictures 2"), tools=[TOOL]).json()
    assert [shape_of(item) for item in answer["output"]] == [
        ["output_text"],
        "image_generation_call",
    ] * 2
    assert (answer["status"], answer["error"], answer["incomplete_details"]) == ("completed", None, None)
    assert answer["model"] == MODEL
    assert answer["tools"][0]["type"] == "image_generation"
    for item in answer["output"][1::2]:
        assert item.keys() == {"id", "type", "status", "result", "output_format", "size", "revised_prompt"}
        assert (item["status"], item["output_format"]) == ("completed", "jpeg")
    seen = [look_at(url) for url in pictures_of(answer)]
    assert [f"{width}x{height}" for width, height in (one.size for one in seen)] == [
        item["size"] for item in answer["output"][1::2]
    ]
    assert abs(seen[0].size[0] / seen[0].size[1] - 1.5) < 0.02, "the tool's size counts"
    facts = answer["provider_metadata"]["imagegen"]
    assert [one["sha256"] for one in facts["images"]] == [one.sha256 for one in seen]
    assert answer["usage"]["output_tokens_details"]["image_tokens"] == 2240
    assert answer["usage"]["cost"] > 0


def test_words_and_pictures_keep_their_order_as_parts(proxy: Proxy) -> None:
    answer = respond(proxy, MODEL, prompt("pictures 2"), **SHAPES[1]).json()
    [message] = answer["output"]
    assert shape_of(message) == ["output_text", "output_image"] * 2
    assert len({look_at(url).sha256 for url in pictures_of(answer)}) == 2


def test_helicones_spelling_is_answered_in_helicones_shape(proxy: Proxy) -> None:
    wish = {"image_generation": {"aspect_ratio": "16:9", "image_size": "1K"}}
    for answer in (
        respond(proxy, MODEL, "A lighthouse", **wish).json(),
        respond_streamed(proxy, MODEL, "A lighthouse", **wish).last,
    ):
        [message] = answer["output"]
        assert shape_of(message) == ["output_text", "output_image"]
        [url] = pictures_of(answer)
        assert look_at(url).size == (1376, 768)


@pytest.mark.parametrize("fields", SHAPES, ids=SHAPE_NAMES)
@pytest.mark.parametrize("wish", ["pictures 3", "drafts", "words only", "refuse prompt", "max tokens"])
def test_a_stream_tells_the_same_as_a_whole_response(proxy: Proxy, wish: str, fields: dict[str, Any]) -> None:
    whole = respond(proxy, MODEL, prompt(wish), seed=7, **fields).json()
    events = respond_streamed(proxy, MODEL, prompt(wish), seed=7, **fields)
    assert events.done
    assert_consistent(events)
    assert [shape_of(item) for item in events.last["output"]] == [shape_of(item) for item in whole["output"]]
    assert pictures_of(events.last) == pictures_of(whole)
    assert text_of(events.last) == text_of(whole) == events.text
    for name in ("status", "error", "incomplete_details", "provider_metadata"):
        told, wanted = (json.loads(json.dumps(one[name])) for one in (events.last, whole))
        for one in (told, wanted):
            for facts in (one or {}).values() if name == "provider_metadata" else ():
                facts.pop("responseId", None)
        assert told == wanted
    used, wanted = (
        {name: value for name, value in one["usage"].items() if "details" not in name}
        for one in (events.last, whole)
    )
    assert used == wanted


def test_the_events_of_a_picture_are_openais(proxy: Proxy) -> None:
    events = respond_streamed(proxy, MODEL, "A lighthouse", modalities=["image"])
    assert events.kinds == [
        "created",
        "in_progress",
        "output_item.added",
        "image_generation_call.in_progress",
        "image_generation_call.generating",
        "image_generation_call.completed",
        "output_item.done",
        "completed",
    ]
    assert events.events[2]["item"]["result"] is None
    [url] = pictures_of(events.last)
    look_at(url)


def test_a_response_tells_what_was_asked_for(proxy: Proxy) -> None:
    asked = {"instructions": "Be brief.", "tools": [TOOL], "tool_choice": {"type": "image_generation"}}
    events = respond_streamed(proxy, MODEL, "A lighthouse", **asked)
    for response in (events.events[0]["response"], events.last):
        assert {name: response[name] for name in asked} == asked
    whole = respond(proxy, MODEL, "A lighthouse", **asked).json()
    assert (whole["instructions"], whole["tool_choice"]) == (asked["instructions"], asked["tool_choice"])
    assert {name: whole["tools"][0][name] for name in TOOL} == TOOL


@pytest.mark.parametrize(("wish", "why"), REFUSALS)
def test_refused(proxy: Proxy, wish: str, why: str) -> None:
    answer = respond(proxy, MODEL, prompt(wish))
    events = respond_streamed(proxy, MODEL, prompt(wish))
    assert (answer.status_code, events.status, events.kinds[-1]) == (200, 200, "incomplete")
    for response in (answer.json(), events.last):
        assert response["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": "content_filter"}
        [part] = response["output"][-1]["content"]
        assert part["type"] == "refusal"
        assert why in part["refusal"]
    [told] = events.of_kind("refusal.done")
    assert why in told["refusal"]


def test_cut_by_max_tokens_before_a_picture(proxy: Proxy) -> None:
    for response in (
        respond(proxy, MODEL, prompt("max tokens")).json(),
        respond_streamed(proxy, MODEL, prompt("max tokens")).last,
    ):
        assert response["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": "max_output_tokens"}
        assert pictures_of(response) == []


def test_words_only_where_that_is_an_error(proxy: Proxy) -> None:
    answer = respond(proxy, "insists", prompt("words only")).json()
    events = respond_streamed(proxy, "insists", prompt("words only"))
    assert events.kinds[-1] == "failed"
    for response in (answer, events.last):
        assert response["status"] == "failed"
        assert response["error"]["code"] == "no_image"
        assert "answered in words only: " in response["error"]["message"]
        assert text_of(response), "the words are not lost"


@pytest.mark.parametrize("wish", [*EMPTY, *BROKEN])
def test_empty_and_broken_is_a_502(proxy: Proxy, wish: str) -> None:
    answer = respond(proxy, MODEL, prompt(wish))
    assert answer.status_code == 502
    assert_harmless(answer.json()["error"]["message"])
    events = respond_streamed(proxy, MODEL, prompt(wish))
    if events.status == 200:
        assert_failed(events, "server_error")
    else:
        assert (events.status, events.body["error"]["code"]) == (502, "502")


def assert_failed(events: Events, code: str) -> None:
    """The end of a stream that broke: no success, and what came before it is there."""
    assert events.kinds[-1] == "failed"
    assert events.last["status"] == "failed"
    assert events.last["error"]["code"] == code
    assert_harmless(events.last["error"]["message"])
    assert "completed" not in events.kinds
    assert all(item["status"] != "in_progress" for item in events.last["output"])
    assert text_of(events.last) == events.text


@pytest.mark.parametrize(("wish", "status", "model"), STATUSES)
def test_an_error_of_the_provider_keeps_its_meaning(proxy: Proxy, wish: str, status: int, model: str) -> None:
    text = prompt(wish) if wish != "nothing wrong" else wish
    answer, events = respond(proxy, model, text), respond_streamed(proxy, model, text)
    assert (answer.status_code, events.status) == (status, status)
    assert events.body["error"]["code"] == str(status)
    for message in (answer.json()["error"]["message"], events.body["error"]["message"]):
        assert "gemini: " in message
        assert_harmless(message)


def test_quota_says_how_long_to_wait(proxy: Proxy) -> None:
    events = respond_streamed(proxy, MODEL, prompt("429 after 17"))
    assert (events.status, events.headers["retry-after"]) == (429, "17")
    assert "17 s" in events.body["error"]["message"]


@pytest.mark.parametrize("streamed", [False, True])
def test_our_deadline_is_a_408(proxy: Proxy, streamed: bool) -> None:
    draw = respond_streamed if streamed else respond
    answer: Any = draw(proxy, "hasty", prompt("slow 5"))
    assert (answer.status if streamed else answer.status_code) == 408


def test_an_error_in_the_middle_of_a_stream_ends_it_as_failed(proxy: Proxy) -> None:
    for wish in ("error mid-stream", "cut off"):
        events = respond_streamed(proxy, MODEL, prompt(wish))
        assert events.status == 200
        assert events.text, "what came before it was sent"
        assert_failed(events, "server_error")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"background": True}, "background"),
        ({"tools": [{**TOOL, "size": "huge"}]}, "tools[0].size"),
        ({"input": []}, "input"),
        ({"input": [{"type": "web_search_call"}]}, "input[0].type"),
        ({"input": [{"type": "image_generation_call", "id": "ig_nobody_knows"}]}, "input[0].id"),
        ({"imagegen": {"responses": "pictures"}}, "imagegen"),
        ({"previous_response_id": ["x"]}, "previous_response_id"),
        ({"stream": "true"}, "stream"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_bad_input_is_a_400_that_names_its_place(
    proxy: Proxy, fields: dict[str, Any], place: str, streamed: bool
) -> None:
    answer = respond(proxy, MODEL, **{"given": "A lighthouse", "stream": streamed, **given_as(fields)})
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == place


def given_as(fields: dict[str, Any]) -> dict[str, Any]:
    return {"given" if name == "input" else name: value for name, value in fields.items()}


def said(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts)}, "finishReason": "STOP"}]}


def contents(upstream: Upstream) -> list[tuple[str, list[str]]]:
    """The turns of the latest request to the upstream, a picture by the end of its data.

    Without the signature of the model that drew it a picture of its own goes to it as its user's.
    """
    return [
        (turn["role"], [part.get("text") or part["inlineData"]["data"][-20:] for part in turn["parts"]])
        for turn in upstream.requests[-1].body["contents"]
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_conversation_goes_on_by_the_id_of_its_last_response(
    proxy: Proxy, upstream: Upstream, streamed: bool
) -> None:
    picture = respond(proxy, MODEL, "A lighthouse").json()
    data = pictures_of(picture)[0].partition(",")[2]
    part = {"inlineData": {"mimeType": "image/jpeg", "data": data}}

    def ask(text: str, earlier: str | None, **fields: Any) -> dict[str, Any]:
        reply = said({"text": f"Answer to {text}"}, part)
        (upstream.will_stream if streamed else upstream.will_say)(reply)
        fields |= {"previous_response_id": earlier}
        if streamed:
            return respond_streamed(proxy, "recorded", text, **fields).last
        answer: dict[str, Any] = respond(proxy, "recorded", text, **fields).json()
        return answer

    first = ask("one", None, instructions="Be brief.")
    second = ask("two", first["id"])
    assert second["previous_response_id"] == first["id"]
    ask("three", second["id"])
    drawn = data[-20:]
    assert contents(upstream) == [
        ("user", ["one"]),
        ("model", ["Answer to one"]),
        ("user", [drawn, "two"]),
        ("model", ["Answer to two"]),
        ("user", [drawn, "three"]),
    ]
    assert "systemInstruction" not in upstream.requests[-1].body, "instructions are for one response"
    ask("another two", first["id"])
    assert [turn[1][-1] for turn in contents(upstream)] == ["one", "Answer to one", "another two"]
    items = [
        {"type": "image_generation_call", "id": second["output"][1]["id"]},
        {"role": "user", "content": [{"type": "input_text", "text": "as then"}]},
    ]
    ask(items, None)  # type: ignore[arg-type]  # a list is an input too
    assert contents(upstream) == [("user", [drawn, "as then"])]


def test_items_of_a_response_may_be_sent_back(proxy: Proxy, upstream: Upstream) -> None:
    for fields in SHAPES:
        earlier = respond(proxy, MODEL, "A lighthouse", **fields).json()
        drawn = pictures_of(earlier)[0][-20:]
        upstream.will_say(said({"text": "done"}))
        again = {"role": "user", "content": [{"type": "input_text", "text": "Make it night"}]}
        history = [{"role": "user", "content": "A lighthouse"}, *earlier["output"], again]
        respond(proxy, "recorded", history)
        assert contents(upstream) == [
            ("user", ["A lighthouse"]),
            ("model", [text_of(earlier)]),
            ("user", [drawn, "Make it night"]),
        ]


def test_a_response_that_is_not_known_is_named(proxy: Proxy) -> None:
    stored = respond(proxy, MODEL, "A lighthouse", store=False).json()
    answer = respond(proxy, MODEL, "Again", previous_response_id=stored["id"])
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "previous_response_id"


def test_pictures_of_the_input_reach_the_provider(proxy: Proxy, upstream: Upstream) -> None:
    [url] = pictures_of(respond(proxy, MODEL, "A lighthouse").json())
    upstream.will_say(said({"text": "done"}))
    parts = [{"type": "input_text", "text": "Night"}, {"type": "input_image", "image_url": url}]
    answer = respond(proxy, "recorded", [{"role": "user", "content": parts}], max_output_tokens=99)
    assert answer.status_code == 200, answer.text
    assert contents(upstream) == [("user", ["Night", url[-20:]])]
    assert upstream.requests[-1].body["generationConfig"]["maxOutputTokens"] == 99


AUTHORIZE = """
import json
from litellm.proxy._types import UserAPIKeyAuth

async def authorize(request, api_key):
    return UserAPIKeyAuth(**json.loads(bytes.fromhex(api_key.removeprefix("sk-"))))
"""


def key_of(**limits: Any) -> str:
    """A key that says itself who it is: without a database nothing else can."""
    return f"sk-{json.dumps(limits).encode().hex()}"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy that several teams and keys use."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "authorize.py").write_text(AUTHORIZE)
    deployment = {
        "model_name": MODEL,
        "litellm_params": {"model": "imagegen/sandbox/gemini-3-pro-image"},
        "model_info": settings_of(responses="output_image"),
    }
    config = {
        "model_list": [deployment],
        "litellm_settings": {
            "custom_provider_map": [{"provider": "imagegen", "custom_handler": "litellm_imagegen.handler"}],
            "callbacks": ["litellm_imagegen.callback"],
        },
        "general_settings": {"custom_auth": "authorize.authorize", "disable_responses_id_security": True},
    }
    with running_proxy(config, folder) as started:
        yield started


def test_what_one_team_or_key_has_drawn_no_other_refers_to(shared: Proxy) -> None:
    def ask(who: dict[str, Any], **fields: Any) -> Any:
        one = Proxy(shared.url, key_of(**who), shared.log_path)
        return respond(one, MODEL, "A lighthouse", **fields)

    red = {"api_key": "key-1", "team_id": "red"}
    first = ask(red).json()
    [message] = first["output"]
    assert shape_of(message) == ["output_text", "output_image"], "the deployment's own setting"
    statuses = {
        who: ask(given, previous_response_id=first["id"]).status_code
        for who, given in {
            "the same": red,
            "the same team": {**red, "api_key": "key-2"},
            "another team": {**red, "team_id": "blue"},
            "no team": {"api_key": "key-1"},
        }.items()
    }
    assert statuses == {"the same": 200, "the same team": 200, "another team": 400, "no team": 400}
