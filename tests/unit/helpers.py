"""What the unit tests share: small pictures, a plan made from a body, a transport without a network."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pybase64
from PIL import Image

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, Limits, PictureDelta, Preferences, TextDelta
from litellm_imagegen.codec import Call
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.transport import Deadline, Endpoint, Opened, Transport

GEMINI = PROVIDERS["gemini"]
PRO = "gemini-3-pro-image"
KEY = "key-that-nobody-may-see"
ENDPOINT = Endpoint("gemini", "https://provider.invalid/v1beta", {"x-goog-api-key": KEY})
HELLO = [{"role": "user", "content": "a red dot"}]


def picture_bytes(form: str = "PNG", size: tuple[int, int] = (3, 2), color: str = "red") -> bytes:
    """A picture that Pillow draws."""
    held = io.BytesIO()
    Image.new("RGB", size, color).save(held, form)
    return held.getvalue()


def base64_of(raw: bytes) -> str:
    return pybase64.b64encode_as_string(raw)


def data_url(raw: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64_of(raw)}"


def plan_of(
    body: Mapping[str, Any] | None = None,
    *,
    model: str = PRO,
    defaults: Mapping[str, Any] | None = None,
    preferences: Preferences | None = None,
    limits: Limits | None = None,
    locked: Iterable[str] = (),
    deadline_seconds: float | None = None,
) -> Plan:
    """The plan for a chat body on the Gemini API; a body without messages gets one."""
    return engine.prepare(
        provider=GEMINI,
        model=model,
        body={"messages": HELLO, **(body or {})},
        defaults=defaults or {},
        preferences=preferences or Preferences(),
        limits=limits or Limits(),
        locked=frozenset(locked),
        deadline_seconds=deadline_seconds,
    )


@dataclass
class Said:
    """What a scripted provider answers: the body in the pieces in which it is to arrive."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()

    @classmethod
    def json(cls, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Said":
        return cls(status, headers or {}, (orjson.dumps(body),))

    @classmethod
    def events(cls, *events: Any) -> "Said":
        """Server-sent events; a string goes out as it stands, anything else as JSON."""
        texts = [event.encode() if isinstance(event, str) else orjson.dumps(event) for event in events]
        return cls(pieces=tuple(b"data: " + text + b"\r\n\r\n" for text in texts))


class ScriptedTransport(Transport):
    """Answers from a list, over the real `Opened`. It keeps the calls."""

    def __init__(self, *answers: Said) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._answers = list(answers)

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        self.calls.append(call)
        said = self._answers.pop(0)

        async def pieces() -> AsyncIterator[bytes]:
            for piece in said.pieces:
                yield piece

        yield Opened(
            call,
            endpoint,
            deadline,
            maximum_bytes,
            status=said.status,
            headers=said.headers,
            received=pieces(),
        )


def carry_out(
    plan: Plan, transport: Transport, limits: Limits | None = None
) -> tuple[list[TextDelta | PictureDelta], ImageResult]:
    """What comes out of the engine: the deltas in order, and the result."""
    job = engine.Job(plan=plan, provider=GEMINI, endpoint=ENDPOINT, limits=limits or Limits())

    async def collect() -> list[TextDelta | PictureDelta | ImageResult]:
        return [delta async for delta in engine.stream(job, transport)]

    *deltas, result = asyncio.run(collect())
    assert isinstance(result, ImageResult)
    assert not any(isinstance(delta, ImageResult) for delta in deltas)
    return [delta for delta in deltas if not isinstance(delta, ImageResult)], result


def answer(plan: Plan, *answers: Said) -> ImageResult:
    """The result alone."""
    return carry_out(plan, ScriptedTransport(*answers))[1]
