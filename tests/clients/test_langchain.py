"""LangChain's ChatOpenAI against a real proxy.

It keeps all that OpenAI's Responses API knows. Of a chat's message it keeps the content alone, so that
pictures have to stand there.
"""

import os
from functools import reduce
from importlib import import_module
from operator import add
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.support import Proxy

GEMINI, GPT_5 = "sandbox/gemini-3-pro-image", "sandbox/gpt-5"
TOOL = {"type": "image_generation", "size": "1024x1024", "output_format": "png"}
SQUARE = (1024, 1024)


@pytest.fixture(autouse=True)
def _nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]:
        monkeypatch.delenv(name)


def chat_model(proxy: Proxy, model: str, **settings: Any) -> Any:
    langchain_openai = import_module("langchain_openai")  # only `make test-clients` has it
    return langchain_openai.ChatOpenAI(
        model=model, base_url=f"{proxy.url}/v1", api_key=proxy.key, max_retries=0, **settings
    )


def pictures(message: Any) -> list[tuple[int, int]]:
    """The pixels of the pictures of a message, as LangChain tells them to any program."""
    blocks = [block for block in message.content_blocks if block["type"] == "image"]
    return [look_at(f"data:{block['mime_type']};base64,{block['base64']}").size for block in blocks]


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_the_tool_draws(proxy: Proxy, model: str) -> None:
    message = chat_model(proxy, model, use_responses_api=True).bind_tools([TOOL]).invoke("A lighthouse")
    assert pictures(message) == [SQUARE]
    assert message.text
    assert message.response_metadata["status"] == "completed"
    assert message.usage_metadata["total_tokens"] > 0


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_the_tool_draws_in_a_stream(proxy: Proxy, model: str) -> None:
    bound = chat_model(proxy, model, use_responses_api=True).bind_tools([TOOL])
    chunks = list(bound.stream("A lighthouse"))
    message = reduce(add, chunks)
    assert len(chunks) > 2
    assert pictures(message) == [SQUARE]
    assert message.text
    assert message.usage_metadata["total_tokens"] > 0


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_picture_of_an_earlier_turn_is_edited(proxy: Proxy, model: str) -> None:
    bound = chat_model(proxy, model, use_responses_api=True).bind_tools([TOOL])
    first = bound.invoke("A lighthouse")
    second = bound.invoke([("human", "A lighthouse"), first, ("human", "Now at night")])
    assert pictures(second) == [SQUARE]
    assert second.usage_metadata["input_tokens"] > first.usage_metadata["input_tokens"] + 100


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_refusal_is_told(proxy: Proxy, model: str) -> None:
    message = chat_model(proxy, model, use_responses_api=True).invoke("A lighthouse [sandbox: refuse prompt]")
    assert message.content[0]["type"] == "refusal"
    assert message.response_metadata["incomplete_details"] == {"reason": "content_filter"}


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_stream_that_breaks_off_raises(proxy: Proxy, model: str) -> None:
    stream = chat_model(proxy, model, use_responses_api=True).stream("x [sandbox: error mid-stream]")
    with pytest.raises(ValueError, match="overloaded"):
        list(stream)


def test_a_chat_keeps_the_words(proxy: Proxy) -> None:
    model = chat_model(proxy, GEMINI, stream_usage=True)
    whole, streamed = model.invoke("A lighthouse"), reduce(add, model.stream("A lighthouse"))
    assert whole.content == streamed.content != ""
    assert whole.response_metadata["finish_reason"] == streamed.response_metadata["finish_reason"] == "stop"
    assert whole.usage_metadata == streamed.usage_metadata


def test_a_chat_shows_pictures_as_parts(proxy: Proxy) -> None:
    message = chat_model(proxy, GEMINI, extra_body={"imagegen": {"output": "parts"}}).invoke("A lighthouse")
    urls = [part["image_url"]["url"] for part in message.content if part["type"] == "image_url"]
    assert [look_at(url).size for url in urls] == [SQUARE]


def test_a_chat_shows_pictures_as_markdown(proxy: Proxy) -> None:
    model = chat_model(proxy, GEMINI, extra_body={"imagegen": {"output": "markdown"}})
    for message in (model.invoke("A lighthouse"), reduce(add, model.stream("A lighthouse"))):
        url = message.content.partition("](")[2].rpartition(")")[0]
        assert look_at(url).size == SQUARE
