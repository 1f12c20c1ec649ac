"""Responses in Python, without a proxy: whole ones are ours, streams LiteLLM's own."""

import asyncio
from typing import Any

import litellm
import pytest

import litellm_imagegen
from tests.pictures import look_at

MODEL = "imagegen/sandbox/gemini-3-pro-image"


@pytest.fixture(autouse=True)
def _registered() -> None:
    litellm_imagegen.register()


def ask(given: Any, **fields: Any) -> Any:
    return asyncio.run(litellm.aresponses(model=MODEL, input=given, **fields))


def test_a_response_has_words_and_picture_as_objects() -> None:
    response = ask("A lighthouse")
    message, drawn = response.output
    assert response.output_text == message.content[0].text != ""
    assert (drawn.type, drawn.status) == ("image_generation_call", "completed")
    seen = look_at(f"data:image/{drawn.output_format};base64,{drawn.result}")
    assert drawn.size == "{}x{}".format(*seen.size)
    assert response._hidden_params["response_cost"] > 0


def test_a_response_has_parts_where_helicones_spelling_is_used() -> None:
    response = ask("A lighthouse", image_generation={"aspect_ratio": "1:1", "image_size": "1K"})
    [message] = response.output
    words, picture = message.content
    assert words.text
    assert look_at(picture.image_url).size == (1024, 1024)


def test_a_conversation_goes_on_in_python_too() -> None:
    first = ask("A lighthouse")
    second = ask("At night", previous_response_id=first.id)
    assert [item.type for item in second.output] == ["message", "image_generation_call"]
    assert second.previous_response_id == first.id


def test_a_stream_ends_with_the_picture_in_litellms_own_events() -> None:
    async def collect() -> list[Any]:
        stream: Any = await litellm.aresponses(model=MODEL, input="A lighthouse", stream=True)
        return [event async for event in stream]

    *_, last = asyncio.run(collect())
    [item] = last.response.output
    assert look_at(f"data:image/jpeg;base64,{item.result}").size == (1024, 1024)


def test_without_hooks_a_synchronous_response_has_its_picture() -> None:
    response: Any = litellm.responses(model=MODEL, input="A lighthouse")
    [drawn] = [item for item in response.output if item.type == "image_generation_call"]
    assert look_at(f"data:image/jpeg;base64,{drawn.result}").size == (1024, 1024)
