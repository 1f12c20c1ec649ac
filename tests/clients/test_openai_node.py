"""OpenAI's client for Node against a real proxy."""

from typing import Any

import pytest

from tests.clients.conftest import Program
from tests.pictures import data_url, look_at

CLIENT = "openai_client.mjs"
GEMINI, GPT_5, GPT_IMAGE = (f"sandbox/{name}" for name in ("gemini-3-pro-image", "gpt-5", "gpt-image-2"))
TOOL = {"type": "image_generation", "size": "1024x1024", "partial_images": 2}
SQUARE = (1024, 1024)


def sizes(pictures: list[str], image_format: str) -> list[tuple[int, int]]:
    return [look_at(f"data:image/{image_format};base64,{picture}").size for picture in pictures]


def kinds(answer: dict[str, Any]) -> list[str]:
    return [event["type"] for event in answer["events"]]


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_response_holds_words_and_a_picture(node: Program, model: str) -> None:
    answer = node(CLIENT, "respond", model=model, input="A lighthouse", tools=[TOOL])
    assert answer["status"] == "completed"
    assert answer["output_text"]
    message, call = answer["output"]
    assert message["content"][0]["text"] == answer["output_text"]
    assert call["type"] == "image_generation_call"
    assert sizes([call["result"]], call["output_format"]) == [SQUARE]


@pytest.mark.parametrize(("model", "on_the_way"), [(GEMINI, 0), (GPT_5, 2)])
def test_a_streamed_responses_events_agree_with_its_end(node: Program, model: str, on_the_way: int) -> None:
    answer = node(CLIENT, "respondStreamed", model=model, input="A lighthouse", tools=[TOOL])
    done = [event["item"] for event in answer["events"] if event["type"] == "response.output_item.done"]
    last = answer["events"][-1]
    assert last["type"] == "response.completed"
    assert last["response"]["output"] == done
    assert sizes([done[-1]["result"]], done[-1]["output_format"]) == [SQUARE]
    partial = [event for event in answer["events"] if event["type"].endswith(".partial_image")]
    assert [event["partial_image_index"] for event in partial] == list(range(on_the_way))
    assert sizes([event["partial_image_b64"] for event in partial], "png") == [SQUARE] * on_the_way


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_the_helper_for_streamed_responses_reads_every_event(node: Program, model: str) -> None:
    answer = node(CLIENT, "respondHelped", model=model, input="A lighthouse", tools=[TOOL])
    done = [event["item"] for event in answer["events"] if event["type"] == "response.output_item.done"]
    assert [item["id"] for item in answer["output"]] == [item["id"] for item in done]
    assert answer["output"][-1] == done[-1]
    assert answer["output_text"] == done[0]["content"][0]["text"]


def test_a_response_that_breaks_off_ends_failed(node: Program) -> None:
    request = {"model": GPT_5, "input": "A lighthouse [sandbox: error mid-stream]"}
    answer = node(CLIENT, "respondStreamed", **request)
    assert kinds(answer)[-1] == "response.failed"
    assert answer["events"][-1]["response"]["error"]["code"] == "server_error"


@pytest.mark.parametrize("call", ["generateStreamed", "editStreamed"])
def test_streamed_pictures_come_after_those_on_the_way(node: Program, call: str) -> None:
    request = {"model": GPT_IMAGE, "prompt": "A lighthouse", "size": "1024x1024", "partial_images": 2}
    if call == "editStreamed":
        request["image"] = data_url(size=(256, 256)).partition(",")[2]
    answer = node(CLIENT, call, **request)
    name = "image_edit" if call == "editStreamed" else "image_generation"
    assert kinds(answer) == [f"{name}.partial_image", f"{name}.partial_image", f"{name}.completed"]
    assert sizes([event["b64_json"] for event in answer["events"]], "png") == [SQUARE] * 3
    assert answer["events"][-1]["usage"]["total_tokens"] > 0


def test_pictures_that_break_off_raise(node: Program) -> None:
    answer = node(
        CLIENT, "generateStreamed", model=GPT_IMAGE, prompt="x [sandbox: error mid-stream]", partial_images=1
    )
    assert answer["error"] == "APIError"
    assert answer["code"] == "503"
    assert "overloaded" in answer["message"]


def test_a_streamed_chat_gives_each_picture(node: Program) -> None:
    messages = [{"role": "user", "content": "A lighthouse [sandbox: pictures 2]"}]
    answer = node(
        CLIENT, "chatStreamed", model=GEMINI, messages=messages, stream_options={"include_usage": True}
    )
    choices = [choice for chunk in answer["events"] for choice in chunk["choices"]]
    images = [image for choice in choices for image in choice["delta"].get("images", ())]
    assert [look_at(image["image_url"]["url"]).size for image in images] == [SQUARE] * 2
    assert "".join(choice["delta"].get("content") or "" for choice in choices)
    assert [choice["finish_reason"] for choice in choices if choice.get("finish_reason")] == ["stop"]
    assert answer["events"][-1]["usage"]["total_tokens"] > 0


def test_a_chat_that_breaks_off_raises(node: Program) -> None:
    messages = [{"role": "user", "content": "A lighthouse [sandbox: error mid-stream]"}]
    answer = node(CLIENT, "chatStreamed", model=GEMINI, messages=messages)
    assert answer["error"] == "APIError"
    assert answer["code"] == "503"


def test_a_quota_is_a_rate_limit_error(node: Program) -> None:
    answer = node(CLIENT, "respondStreamed", model=GPT_5, input="A lighthouse [sandbox: 429]")
    assert answer["error"] == "RateLimitError"
    assert answer["status"] == 429


def test_a_bad_value_is_an_error_that_names_the_field(node: Program) -> None:
    answer = node(CLIENT, "generate", model="sandbox/flux-2-pro", prompt="x", size="huge")
    assert answer["error"] == "BadRequestError"
    assert answer["status"] == 400
    assert answer["param"] == "size"
