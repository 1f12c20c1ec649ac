"""What the tests of the sandbox's gateways share: calls without a network, events, pictures."""

import asyncio
import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image
from starlette.types import ASGIApp

from litellm_imagegen.sandbox.app import create_app


@dataclass(frozen=True)
class Sandbox:
    """The sandbox with a key and an address to call by default."""

    headers: Mapping[str, str]
    path: str
    app: ASGIApp

    def call(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        sent = dict(self.headers if headers is None else headers)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sandbox", timeout=10
            ) as client:
                return await client.request(method, path, headers=sent, **options)

        return asyncio.run(send())

    def post(
        self, body: Any, *, path: str | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self.call("POST", path or self.path, headers=headers, json=body)

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.call("GET", path, headers=headers)


def sandbox(key: str, path: str) -> Sandbox:
    """The sandbox for a bearer key and an address."""
    return Sandbox({"authorization": f"Bearer {key}"}, path, create_app())


def said(words: Any = "a red fox", *pictures: str) -> list[dict[str, Any]]:
    """One user message with words, and pictures as URLs."""
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
    content = [{"type": "text", "text": words}, *parts] if pictures else words
    return [{"role": "user", "content": content}]


def data_url(kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB") -> str:
    file = io.BytesIO()
    Image.new(mode, size, "red").save(file, kind)
    return f"data:{Image.MIME[kind]};base64,{base64.b64encode(file.getvalue()).decode()}"


def seen(url_or_base64: str) -> tuple[str, tuple[int, int]]:
    """Format and size of a picture, decoded in full; a data URL must declare what it holds."""
    head, comma, data = url_or_base64.rpartition(",")
    raw = base64.b64decode(data, validate=True)
    with Image.open(io.BytesIO(raw)) as picture:
        picture.load()
        assert not comma or head == f"data:{Image.MIME[picture.format or '']};base64"
        return picture.format or "", picture.size


def urls(holder: Mapping[str, Any]) -> list[str]:
    """The URLs of the pictures of a message or of a delta."""
    found: list[str] = []
    for index, picture in enumerate(holder.get("images", [])):
        assert picture["type"] == "image_url"
        assert picture["index"] >= index
        found.append(picture["image_url"]["url"])
    return found


def message(reply: httpx.Response) -> dict[str, Any]:
    """The message of the only choice of a whole reply."""
    assert reply.status_code == 200, reply.text[:500]
    (choice,) = reply.json()["choices"]
    found: dict[str, Any] = choice["message"]
    assert found["role"] == "assistant"
    return found


def frames(reply: httpx.Response, *, done: bool = True) -> tuple[list[str], list[dict[str, Any]]]:
    """Comments and data of a stream without names, which ends with [DONE] or does not."""
    assert reply.status_code == 200, reply.text[:500]
    assert reply.headers["content-type"].startswith("text/event-stream")
    blocks = reply.text.split("\n\n")
    assert blocks.pop() == ""
    if done:
        assert blocks.pop() == "data: [DONE]"
    comments = [block.removeprefix(": ") for block in blocks if block.startswith(":")]
    data = [block for block in blocks if not block.startswith(":")]
    assert all(block.startswith("data: ") and "\n" not in block for block in data)
    return comments, [json.loads(block.removeprefix("data: ")) for block in data]


def joined(chunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The deltas of a stream put together, as a client does it, with the finish reason."""
    whole: dict[str, Any] = {}
    for delta, reason in (
        (choice["delta"], choice["finish_reason"]) for chunk in chunks for choice in chunk["choices"]
    ):
        for name, value in delta.items():
            whole[name] = whole[name] + value if name in whole and name != "role" else value
        if reason is not None:
            whole["finish_reason"] = reason
    return whole
