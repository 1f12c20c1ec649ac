"""What a client of /v1/responses sees: a whole response, or its events as they came over the wire."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.proxy.support import NO_TLS, Proxy


@dataclass(frozen=True)
class Events:
    """A streamed response: status and headers, each event in order, and whether all frames came."""

    status: int
    headers: Mapping[str, str]
    events: list[dict[str, Any]]
    done: bool
    body: Any = None  # of an answer that is no stream

    @property
    def kinds(self) -> list[str]:
        return [event["type"].removeprefix("response.") for event in self.events]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == f"response.{kind}"]

    @property
    def text(self) -> str:
        return "".join(event["delta"] for event in self.of_kind("output_text.delta"))

    @property
    def last(self) -> dict[str, Any]:
        """The response of the last event."""
        response: dict[str, Any] = self.events[-1]["response"]
        return response


def respond(proxy: Proxy, model: str, given: Any, **fields: Any) -> httpx.Response:
    """A whole response."""
    return httpx.post(
        f"{proxy.url}/v1/responses",
        json={"model": model, "input": given, **fields},
        headers={"authorization": f"Bearer {proxy.key}"},
        timeout=60,
        trust_env=False,
        verify=NO_TLS,
    )


def respond_streamed(proxy: Proxy, model: str, given: Any, **fields: Any) -> Events:
    """A streamed one. Every frame has to be an event whose name and type agree, or the end of all frames."""
    answer = respond(proxy, model, given, stream=True, **fields)
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return Events(answer.status_code, answer.headers, [], done=False, body=answer.json())
    *frames, rest = answer.text.split("\n\n")
    assert not rest.strip(), rest
    done = bool(frames) and frames[-1] == "data: [DONE]"
    events = []
    for frame in frames[:-1] if done else frames:
        if frame.startswith(":"):
            continue
        name, _, data = frame.partition("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}", frame[:200]
        events.append(event)
    return Events(answer.status_code, answer.headers, events, done)


def pictures_of(response: Mapping[str, Any]) -> list[str]:
    """The pictures of a response as data URLs, in order, in whichever shape."""
    found = []
    for item in response["output"]:
        if item["type"] == "image_generation_call" and item["result"]:
            found.append(f"data:image/{item['output_format']};base64,{item['result']}")
        for part in item.get("content") or ():
            if part["type"] == "output_image":
                found.append(part["image_url"])
    return found


def text_of(response: Mapping[str, Any]) -> str:
    return "".join(
        part["text"]
        for item in response["output"]
        for part in item.get("content") or ()
        if part["type"] == "output_text"
    )
