"""Real exchanges, as recorded, through parse, plan and codec.

The recordings are not part of this repository: IMAGEGEN_RECORDED names the directory that holds them.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from litellm_imagegen.canonical import ImageResult, Outcome
from litellm_imagegen.codec import Call
from litellm_imagegen.dialects import parse_responses
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.surfaces.chat import completion
from tests.unit.helpers import Said, ScriptedTransport, carry_out, plan_of

ROOT = Path(__file__).parents[2]
DIRECTORY = ROOT / os.environ.get("IMAGEGEN_RECORDED", "../shared/recorded")
PRO = "gemini-3-pro-image-preview.text-and-image.json"
FIRST = "vertex.gemini-2.5-flash-image.jpeg-output.json"
RESPONSE = "openai-responses.image-generation-tool.jpeg.json"


def _recorded(name: str) -> dict[str, Any]:
    path = DIRECTORY / name
    if not path.is_file():
        pytest.skip(f"no {name} where IMAGEGEN_RECORDED points")
    (exchange,) = json.loads(path.read_bytes())
    assert isinstance(exchange, dict)
    return exchange


def _replayed(exchange: dict[str, Any], model: str) -> tuple[Call, ImageResult]:
    (content,) = exchange["request"]["body"]["contents"]
    messages = [{"role": content["role"], "content": [{"type": "text", **part} for part in content["parts"]]}]
    response = exchange["response"]
    transport = ScriptedTransport(Said.json(response["body"], response["status"], response["headers"]))
    _, result = carry_out(plan_of({"messages": messages}, model=model), transport)
    return transport.calls[0], result


def _parts(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = exchange["response"]["body"]["candidates"][0]["content"]["parts"]
    return parts


def _sha256(part: dict[str, Any]) -> str:
    return hashlib.sha256(base64.b64decode(part["inlineData"]["data"], validate=True)).hexdigest()


def test_words_and_a_picture_of_gemini_3_pro() -> None:
    exchange = _recorded(PRO)
    words, picture = _parts(exchange)
    call, result = _replayed(exchange, "gemini-3-pro-image-preview")
    assert call.body == exchange["request"]["body"]
    assert result.outcome is Outcome.PICTURES
    assert result.text == words["text"]
    assert [shown.blob.facts["sha256"] for shown in result.pictures] == [_sha256(picture)]
    assert result.pictures[0].blob.mime == "image/jpeg"
    assert result.usage is not None
    assert result.usage.model_dump(exclude_none=True, exclude={"cost"}) == {
        "prompt_tokens": 14,
        "completion_tokens": 1457,
        "total_tokens": 1471,
        "prompt_text_tokens": 14,
        "reasoning_tokens": 174,
        "completion_text_tokens": 163,
        "completion_image_tokens": 1120,
    }
    assert result.usage.cost == pytest.approx((14 * 2 + 337 * 12 + 1120 * 120) / 1e6)


def test_signatures_are_never_shown() -> None:
    exchange = _recorded(PRO)
    _, result = _replayed(exchange, "gemini-3-pro-image-preview")
    shown = json.dumps(completion(result))
    assert "thoughtSignature" not in shown
    for part in _parts(exchange):
        assert part["thoughtSignature"][:60] not in shown
    assert len(shown) < len(_parts(exchange)[1]["inlineData"]["data"]) + 10_000


def test_a_jpeg_of_gemini_2_5_flash_on_vertex() -> None:
    exchange = _recorded(FIRST)
    (picture,) = _parts(exchange)
    call, result = _replayed(exchange, "gemini-2.5-flash-image")
    assert call.body is not None
    assert call.body["contents"] == exchange["request"]["body"]["contents"]
    assert [shown.blob.facts["sha256"] for shown in result.pictures] == [_sha256(picture)]
    assert (result.text, result.pictures[0].blob.mime) == ("", "image/jpeg")
    assert result.usage is not None
    assert (result.usage.prompt_tokens, result.usage.completion_tokens, result.usage.total_tokens) == (
        9,
        1290,
        1299,
    )
    assert (result.usage.completion_image_tokens, result.usage.reasoning_tokens) == (1290, None)
    message = completion(result)["choices"][0]["message"]
    assert message["content"] == ""
    assert (
        message["images"][0]["image_url"]["url"] == f"data:image/jpeg;base64,{picture['inlineData']['data']}"
    )


def _answered(exchange: dict[str, Any], *, streams: bool) -> tuple[Call, ImageResult]:
    """The recorded request through our own wire, and the recorded reply, whole or as a stream's events."""
    asked, reply = exchange["request"]["body"], exchange["response"]["body"]
    body = {"input": asked["input"], "tools": asked["tools"], "stream": streams}
    plan = plan_of(body, model=asked["model"], provider=PROVIDERS["openai"], parse=parse_responses)
    done = [{"type": "response.output_item.done", "item": item} for item in reply["output"]]
    events = [{"type": "response.created"}, *done, {"type": "response.completed", "response": reply}]
    said = Said.events(*events) if streams else Said.json(reply)
    transport = ScriptedTransport(said)
    _, result = carry_out(plan, transport)
    return transport.calls[0], result


@pytest.mark.parametrize("streams", [False, True])
def test_a_jpeg_of_gpt_5_with_the_tool_that_draws(streams: bool) -> None:
    exchange = _recorded(RESPONSE)
    _, item, _ = exchange["response"]["body"]["output"]
    call, result = _answered(exchange, streams=streams)
    assert call.body is not None
    assert call.body["input"] == [
        {"role": "user", "content": [{"type": "input_text", "text": "Generate an image of axolotl."}]}
    ]
    (tool,), (asked,) = call.body["tools"], exchange["request"]["body"]["tools"]
    assert tool == {key: asked[key] for key in ("type", "output_format", "output_compression", "moderation")}
    (picture,) = result.pictures
    assert picture.blob.raw == base64.b64decode(item["result"], validate=True)
    assert (picture.blob.mime, picture.revised_prompt) == ("image/jpeg", item["revised_prompt"])
    assert (result.outcome, result.text) == (Outcome.PICTURES, "")
    assert {name: result.facts[name] for name in ("size", "quality", "background", "output_format")} == {
        "size": "1536x1024",
        "quality": "high",
        "background": "opaque",
        "output_format": "jpeg",
    }
    assert result.facts["created"] == 1759354093
    assert result.usage is not None
    assert result.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 1889,
        "completion_tokens": 1434,
        "total_tokens": 3323,
        "cached_tokens": 0,
        "reasoning_tokens": 1280,
    }
