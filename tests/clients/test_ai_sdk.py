"""The AI SDK with the providers that people point at a proxy."""

from typing import Any

import pytest

from tests.clients.conftest import Program
from tests.pictures import data_url, look_at

SDK = "ai_sdk.mjs"
GEMINI, GPT_5, GPT_IMAGE = (f"sandbox/{name}" for name in ("gemini-3-pro-image", "gpt-5", "gpt-image-2"))
SQUARE = (1024, 1024)


def sizes(answer: dict[str, Any]) -> list[tuple[int, int]]:
    """The pixels of the pictures of an answer that has no error."""
    assert "error" not in answer, answer
    return [look_at(picture).size for picture in answer["pictures"]]


# @openrouter/ai-sdk-provider: https://openrouter.ai/docs/community/vercel-ai-sdk


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_openrouters_provider_generates_files(node: Program, model: str) -> None:
    answer = node(SDK, "text", provider="openrouter", model=model, prompt="A lighthouse")
    assert sizes(answer) == [SQUARE]
    assert answer["text"]
    assert answer["finishReason"] == "stop"
    assert answer["usage"]["totalTokens"] > 0


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_openrouters_provider_streams_files(node: Program, model: str) -> None:
    answer = node(SDK, "streamedText", provider="openrouter", model=model, prompt="A lighthouse")
    assert sizes(answer) == [SQUARE]
    assert answer["text"]
    assert "error" not in answer["kinds"]
    assert answer["finishReason"] == "stop"


def test_openrouters_provider_passes_its_options_on(node: Program) -> None:
    options = {"openrouter": {"image_config": {"aspect_ratio": "16:9"}, "usage": {"include": True}}}
    request = {"provider": "openrouter", "model": GEMINI, "prompt": "x", "providerOptions": options}
    streamed = node(SDK, "streamedText", **request)
    assert streamed.get("failure") is None
    assert sizes(streamed) == [(1376, 768)]
    assert sizes(node(SDK, "text", **request)) == [(1376, 768)]


def test_openrouters_provider_reads_the_usage_of_a_stream(node: Program) -> None:
    answer = node(SDK, "streamedText", provider="openrouterStrict", model=GEMINI, prompt="A lighthouse")
    assert answer.get("failure") is None
    assert sizes(answer) == [SQUARE]
    assert answer["usage"]["totalTokens"] > 0


def test_openrouters_provider_gets_several_pictures(node: Program) -> None:
    request = {"model": GEMINI, "prompt": "A lighthouse [sandbox: pictures 3]"}
    answer = node(SDK, "streamedText", provider="openrouter", **request)
    assert sizes(answer) == [SQUARE] * 3
    assert len(set(answer["pictures"])) == 3


def test_openrouters_provider_ends_with_an_error_that_comes_late(node: Program) -> None:
    request = {"model": GEMINI, "prompt": "A lighthouse [sandbox: error mid-stream]"}
    answer = node(SDK, "streamedText", provider="openrouter", **request)
    assert answer["text"]
    assert answer["finishReason"] == "error"
    assert "overloaded" in answer["failure"]


# @ai-sdk/openai-compatible and @ai-sdk/openai, image models


@pytest.mark.parametrize("provider", ["compatible", "openai"])
@pytest.mark.parametrize("model", [GEMINI, GPT_IMAGE, "sandbox/flux-2-pro"])
def test_image_models_generate(node: Program, provider: str, model: str) -> None:
    request = {"prompt": "A lighthouse", "size": "1024x1024", "n": 2}
    answer = node(SDK, "image", provider=provider, model=model, **request)
    assert sizes(answer) == [SQUARE] * 2
    assert answer["warnings"] == []


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_image_models_edit(node: Program, provider: str) -> None:
    request = {"prompt": "Night", "size": "1024x1024", "images": [data_url(size=(256, 256))]}
    assert sizes(node(SDK, "image", provider=provider, model=GPT_IMAGE, **request)) == [SQUARE]


def test_the_compatible_provider_passes_its_options_on(node: Program) -> None:
    options = {"proxy": {"aspect_ratio": "16:9"}}
    request = {"model": GEMINI, "prompt": "A lighthouse", "providerOptions": options}
    assert sizes(node(SDK, "image", provider="compatible", **request)) == [(1376, 768)]


def test_openais_provider_tells_usage(node: Program) -> None:
    request = {"prompt": "A lighthouse", "size": "1024x1024"}
    answer = node(SDK, "image", provider="openai", model=GPT_IMAGE, **request)
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0


@pytest.mark.parametrize("provider", ["compatible", "openai"])
def test_a_bad_value_is_an_error_that_names_it(node: Program, provider: str) -> None:
    answer = node(SDK, "image", provider=provider, model=GEMINI, prompt="A lighthouse", size="huge")
    assert answer["error"] == "AI_APICallError"
    assert answer["status"] == 400
    assert "size" in answer["message"]


# @ai-sdk/openai, the Responses API and its tool


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_the_tool_draws(node: Program, model: str) -> None:
    tool = {"size": "1024x1024", "outputFormat": "webp"}
    answer = node(SDK, "text", provider="openai", model=model, prompt="A lighthouse", tool=tool)
    assert "error" not in answer, answer
    [picture] = answer["drawn"]
    assert look_at(f"data:image/webp;base64,{picture['result']}").size == SQUARE
    assert answer["text"]
    assert answer["finishReason"] == "stop"
    assert answer["usage"]["totalTokens"] > 0


def test_the_tool_streams_pictures_on_the_way(node: Program) -> None:
    tool = {"size": "1024x1024", "partialImages": 2}
    answer = node(SDK, "streamedText", provider="openai", model=GPT_5, prompt="A lighthouse", tool=tool)
    results = [picture["result"] for picture in answer["drawn"]]
    assert [look_at(f"data:image/png;base64,{result}").size for result in results] == [SQUARE] * 3
    assert len(set(results)) == 3
    assert answer["text"]
    assert answer["finishReason"] == "stop"


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_refused_response_says_why(node: Program, model: str) -> None:
    request = {"provider": "openai", "model": model, "prompt": "A lighthouse [sandbox: refuse prompt]"}
    for answer in (node(SDK, "text", **request), node(SDK, "streamedText", **request)):
        assert answer["finishReason"] == "content-filter"
        assert "sandbox refused" in answer["text"]


@pytest.mark.parametrize("model", [GEMINI, GPT_5])
def test_a_response_that_breaks_off_ends_with_an_error(node: Program, model: str) -> None:
    request = {"model": model, "prompt": "A lighthouse [sandbox: error mid-stream]"}
    answer = node(SDK, "streamedText", provider="openai", **request)
    assert answer["finishReason"] == "error"
    assert "overloaded" in answer["failure"]
