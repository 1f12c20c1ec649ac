"""Real exchanges, replayed through the whole path: proxy, plugin, codec, transport and back."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.support import Proxy
from tests.upstream import Upstream

FOLDER = Path(os.environ.get("IMAGEGEN_RECORDED", Path(__file__).parents[2] / "../shared/recorded"))
RECORDED = [
    ("gemini-3-pro-image-preview.text-and-image.json", "recorded"),
    ("vertex.gemini-2.5-flash-image.jpeg-output.json", "recorded-flash"),
]


@pytest.mark.parametrize(("name", "model"), RECORDED)
@pytest.mark.parametrize("streamed", [False, True])
def test_words_pictures_and_counts_survive(
    proxy: Proxy, upstream: Upstream, name: str, model: str, streamed: bool
) -> None:
    path = FOLDER / name
    if not path.exists():
        pytest.skip("the recorded exchanges are not here (IMAGEGEN_RECORDED)")
    [exchange] = json.loads(path.read_text())
    reply: dict[str, Any] = exchange["response"]["body"]
    prompt = exchange["request"]["body"]["contents"][0]["parts"][0]["text"]
    if streamed:
        upstream.will_stream(reply)
        frames = proxy.draw_streamed(model, prompt, stream_options={"include_usage": True})
        text, images, usage = frames.text, frames.images, frames.chunks[-1]["usage"]
    else:
        upstream.will_say(reply)
        answer = proxy.draw(model, prompt).json()
        message = answer["choices"][0]["message"]
        text, images, usage = message["content"], message["images"], answer["usage"]

    parts = reply["candidates"][0]["content"]["parts"]
    assert text == "".join(part.get("text", "") for part in parts)
    [data] = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
    [image] = images
    seen = look_at(image["image_url"]["url"])
    assert seen.sha256 == hashlib.sha256(base64.b64decode(data)).hexdigest()
    assert seen.format == "JPEG"

    counted = reply["usageMetadata"]
    assert usage["prompt_tokens"] == counted["promptTokenCount"]
    assert usage["total_tokens"] == counted["totalTokenCount"]
    assert usage["completion_tokens"] == counted["totalTokenCount"] - counted["promptTokenCount"]
    [detail] = counted["candidatesTokensDetails"]
    assert usage["completion_tokens_details"]["image_tokens"] == detail["tokenCount"]
    assert usage["completion_tokens_details"].get("reasoning_tokens") == counted.get("thoughtsTokenCount")
    [request] = upstream.requests
    assert request.body["contents"] == exchange["request"]["body"]["contents"]
    assert request.body["generationConfig"]["responseModalities"] == ["TEXT", "IMAGE"]
