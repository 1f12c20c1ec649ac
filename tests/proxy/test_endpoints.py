"""Every family on every endpoint, whole and streamed: docs/endpoints.md says what this has seen.

`make endpoints` writes the page anew.
"""

import base64
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.pictures import data_url, look_at
from tests.proxy.responding import pictures_of, respond, respond_streamed
from tests.proxy.support import Proxy

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"
IS_WRITTEN = "IMAGEGEN_WRITE_ENDPOINTS" in os.environ
HEAD = """# Endpoints

Written by `make endpoints`, which draws on each endpoint of a real proxy, whole and streamed, against the
simulated providers, asks for the size in the second column, and opens every picture; the test suite checks
that it is still so.

| model | size asked for | {columns} |
|---|---|{rules}|
"""
GIVEN = data_url("teal", size=(512, 384))


class Family(NamedTuple):
    """A model, and a size that it draws."""

    model: str
    size: tuple[int, int]


FAMILIES = [
    Family("gemini-3-pro-image", (1376, 768)),
    Family("gemini-2.5-flash-image", (1344, 768)),
    Family("imagen-4.0-generate-001", (1408, 768)),
    Family("flux-2-pro", (1024, 768)),
    Family("flux-kontext-pro", (1024, 1024)),
    Family("gpt-image-2", (1536, 1024)),
    Family("gpt-image-1.5", (1536, 1024)),
    Family("gpt-5", (1536, 1024)),
    Family("openrouter/google/gemini-3-pro-image", (1376, 768)),
    Family("openrouter/openai/gpt-image-2", (1536, 1024)),
    Family("vercel/google/gemini-3-pro-image", (1376, 768)),
    Family("vercel/bfl/flux-2-pro", (1024, 768)),
    Family("vercel/openai/gpt-image-2", (1536, 1024)),
    Family("helicone/gemini-3-pro-image/google-ai-studio", (1376, 768)),
    Family("aione/gemini-3-pro-image-preview", (1376, 768)),
    Family("vertex/gemini-3-pro-image", (1376, 768)),
]


class Ask:
    """One model of a proxy, asked on each endpoint; the data URLs of the pictures that came."""

    def __init__(self, proxy: Proxy, family: Family) -> None:
        self.proxy = proxy
        self.model = f"sandbox/{family.model}"
        self.size = "{}x{}".format(*family.size)

    def chat(self) -> list[str]:
        answer = self.proxy.draw(self.model, "A lighthouse", size=self.size)
        return urls(answer.json()["choices"][0]["message"].get("images", ()))

    def chat_streamed(self) -> list[str]:
        frames = self.proxy.draw_streamed(self.model, "A lighthouse", size=self.size)
        assert frames.done, frames
        return urls(frames.images)

    def editing_chat(self) -> list[str]:
        parts = [{"type": "text", "text": "Night"}, {"type": "image_url", "image_url": {"url": GIVEN}}]
        body = {"model": self.model, "size": self.size, "messages": [{"role": "user", "content": parts}]}
        return urls(self.proxy.post(body).json()["choices"][0]["message"].get("images", ()))

    def responses(self) -> list[str]:
        tools = [{"type": "image_generation", "size": self.size}]
        return pictures_of(respond(self.proxy, self.model, "A lighthouse", tools=tools).json())

    def responses_streamed(self) -> list[str]:
        tools = [{"type": "image_generation", "size": self.size}]
        return pictures_of(respond_streamed(self.proxy, self.model, "A lighthouse", tools=tools).last)

    def generations(self) -> list[str]:
        answer = self.proxy.generate(self.model, "A lighthouse", size=self.size)
        return [picture_url(one["b64_json"]) for one in answer.json()["data"]]

    def generations_streamed(self) -> list[str]:
        answer = self.proxy.generate(self.model, "A lighthouse", size=self.size, stream=True)
        return completed(answer.text, "image_generation.completed")

    def edits(self) -> list[str]:
        answer = self.proxy.post_images("edits", self._edit())
        return [picture_url(one["b64_json"]) for one in answer.json()["data"]]

    def edits_streamed(self) -> list[str]:
        answer = self.proxy.post_images("edits", {**self._edit(), "stream": True})
        return completed(answer.text, "image_edit.completed")

    def _edit(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "prompt": "Night",
            "size": self.size,
            "images": [{"image_url": GIVEN}],
        }


COLUMNS: dict[str, Callable[[Ask], list[str]]] = {
    "chat": Ask.chat,
    "chat, streamed": Ask.chat_streamed,
    "chat with a picture": Ask.editing_chat,
    "responses": Ask.responses,
    "responses, streamed": Ask.responses_streamed,
    "generations": Ask.generations,
    "generations, streamed": Ask.generations_streamed,
    "edits": Ask.edits,
    "edits, streamed": Ask.edits_streamed,
}
# What a model cannot do at all, with what is said of it.
TAKES_NO_PICTURES = {
    "imagen-4.0-generate-001": "imagen-4.0-generate-001 takes no pictures",
    "vercel/openai/gpt-image-2": "openai/gpt-image-2 takes no pictures",
}
WITH_A_PICTURE = frozenset({"chat with a picture", "edits", "edits, streamed"})


def urls(images: Any) -> list[str]:
    return [image["image_url"]["url"] for image in images]


def picture_url(text: str) -> str:
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        return f"data:{Image.MIME[picture.format or '']};base64,{text}"


def completed(text: str, kind: str) -> list[str]:
    frames = [frame.partition("\n") for frame in text.split("\n\n") if frame.startswith(f"event: {kind}")]
    return [picture_url(json.loads(data.removeprefix("data: "))["b64_json"]) for _, _, data in frames]


def row_of(proxy: Proxy, family: Family) -> str:
    """What the page says of a model: the size of what it has drawn on each endpoint."""
    ask = Ask(proxy, family)
    told = [f"`{family.model}`", ask.size]
    for name, draw in COLUMNS.items():
        if name in WITH_A_PICTURE and family.model in TAKES_NO_PICTURES:
            refused = proxy.post_images("edits", ask._edit())
            assert refused.status_code == 400
            assert TAKES_NO_PICTURES[family.model] in refused.json()["error"]["message"]
            told.append("400: it takes no pictures")
            continue
        pictures = [look_at(url) for url in draw(ask)]
        assert len(pictures) == 1, name
        told.append("{}x{}".format(*pictures[0].size))
    return f"| {' | '.join(told)} |"


@pytest.mark.parametrize("family", FAMILIES, ids=[family.model for family in FAMILIES])
def test_a_model_draws_on_every_endpoint_and_the_page_says_so(proxy: Proxy, family: Family) -> None:
    row = row_of(proxy, family)
    drawn = row.split(" | ")[2:]
    assert all("{}x{}".format(*family.size) in cell or "400" in cell for cell in drawn), row
    if IS_WRITTEN:
        rows = _rows()
        rows[family.model] = row
        ordered = [rows[one.model] for one in FAMILIES if one.model in rows]
        head = HEAD.format(columns=" | ".join(COLUMNS), rules="---|" * (len(COLUMNS) - 1) + "---")
        PAGE.write_text(head + "\n".join(ordered) + "\n")
    assert _rows().get(family.model) == row, "run `make endpoints`"


def _rows() -> dict[str, str]:
    lines = PAGE.read_text().splitlines() if PAGE.exists() else []
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}
