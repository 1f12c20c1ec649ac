"""What the unit tests share: small pictures, a plan made from a body, a transport without a network."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
import pybase64
import pytest
from PIL import Image

from litellm_imagegen import driving, engine, transport
from litellm_imagegen.canonical import ImageResult, Limits, PictureDelta, Preferences, TextDelta
from litellm_imagegen.codec import Call
from litellm_imagegen.dialects import parse_chat
from litellm_imagegen.errors import InvalidParameter, LimitExceeded
from litellm_imagegen.fetching import FetchRules
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers import PROVIDERS, Credentials, Provider
from litellm_imagegen.transport import Deadline, Endpoint, Opened, Transport

GEMINI = PROVIDERS["gemini"]
PRO = "gemini-3-pro-image"
KEY = "key-that-nobody-may-see"
ENDPOINT = Endpoint("gemini", "https://provider.invalid/v1beta", {"x-goog-api-key": KEY})
HELLO = [{"role": "user", "content": "a red dot"}]
AZURE_BASE = "https://painter.openai.azure.com"


def endpoint_of(provider: Provider, wire: str | None = None, **options: str) -> Endpoint:
    """Where a provider is called with the tests' key, as a deployment of it would be."""
    base = provider.base_url or (AZURE_BASE if provider.name == "azure" else None)
    connection = provider.connect(Credentials(key=KEY, base=base, options=options))
    return Endpoint(
        provider.name,
        provider.wire_named(wire).address(connection.base_url) if wire else connection.base_url,
        connection.authentication,
        hosts=provider.hosts,
        query=connection.query,
    )


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
    provider: Provider = GEMINI,
    parse: engine.Parse = parse_chat,
    answers_are_watched: bool = False,
    wire: str | None = None,
) -> Plan:
    """The plan for a body, of chat on the Gemini API if nothing else is said; there it gets messages."""
    given = {"messages": HELLO, **(body or {})} if parse is parse_chat else dict(body or {})
    return engine.prepare(
        provider=provider,
        model=model,
        body=given,
        parse=parse,
        defaults=defaults or {},
        preferences=preferences or Preferences(),
        limits=limits or Limits(),
        locked=frozenset(locked),
        deadline_seconds=deadline_seconds,
        answers_are_watched=answers_are_watched,
        wire=wire,
    )


@dataclass
class Said:
    """What a scripted provider answers: the body in the pieces in which it is to arrive."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()

    @classmethod
    def json(cls, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> "Said":
        return cls(status, {"content-type": "application/json", **(headers or {})}, (orjson.dumps(body),))

    @classmethod
    def events(cls, *events: Any) -> "Said":
        """Server-sent events; a string goes out as it stands, anything else as JSON."""
        texts = [event.encode() if isinstance(event, str) else orjson.dumps(event) for event in events]
        return cls(pieces=tuple(b"data: " + text + b"\r\n\r\n" for text in texts))


class ScriptedTransport(Transport):
    """Answers from a list, over the real `Opened`. It keeps the calls and the addresses they went to.

    An error in the list is raised, as for a provider that cannot be reached.
    """

    def __init__(self, *answers: Said | Exception) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.addresses: list[str] = []
        self._answers = list(answers)

    @property
    def is_done(self) -> bool:
        """Whether all answers were asked for."""
        return not self._answers

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        self.addresses.append(str(transport._url(call, endpoint)))  # raises for one that no key goes to
        self.calls.append(call)
        said = self._answers.pop(0)
        if isinstance(said, Exception):
            raise said

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


@dataclass
class Downloads:
    """Stands in the place of `fetch`: gives what is scripted for each address, in order, and keeps them.

    Bytes are what is there, "refused" is an address from which nothing comes.
    """

    scripted: list[tuple[str, bytes | str]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    rules: list[FetchRules] = field(default_factory=list)

    async def fetch(self, field: str, url: str, *, rules: FetchRules, maximum_bytes: int) -> bytes:
        self.urls.append(url)
        self.rules.append(rules)
        if rules.hosts is not None and not rules.lists(urlsplit(url).hostname or ""):
            raise InvalidParameter(field, url, "an address at one of its hosts")
        given = next(given for known, given in self.scripted if known == url)
        self.scripted.remove((url, given))
        if isinstance(given, str):
            raise InvalidParameter(field, url, "an address that a picture can be fetched from")
        if len(given) > maximum_bytes:
            raise LimitExceeded(field, f"more than {maximum_bytes} bytes", f"{maximum_bytes} bytes")
        return given


def with_downloads(monkeypatch: pytest.MonkeyPatch, *scripted: tuple[str, bytes | str]) -> Downloads:
    """Nothing is fetched but what is scripted."""
    downloads = Downloads(list(scripted))
    monkeypatch.setattr("litellm_imagegen.driving.fetch", downloads.fetch)
    return downloads


def without_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits between calls take no time; the list fills with how long they would have been."""
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(driving, "pause", pause)
    return waited


def job_of(plan: Plan, limits: Limits | None = None, **given: Any) -> engine.Job:
    """A plan on the provider that it was made for, with what else is given for the job."""
    provider = PROVIDERS[plan.provider]
    endpoint = ENDPOINT if provider is GEMINI else endpoint_of(provider)
    return engine.Job(
        **{"plan": plan, "provider": provider, "endpoint": endpoint, "limits": limits or Limits(), **given}
    )


def steps_of(
    plan: Plan, transport: Transport, limits: Limits | None = None, **given: Any
) -> list[engine.Step]:
    """Everything that comes out of the engine, pictures on the way included; last of all the result."""
    job = job_of(plan, limits, **given)

    async def collect() -> list[engine.Step]:
        return [delta async for delta in engine.stream(job, transport)]

    return asyncio.run(collect())


def carry_out(
    plan: Plan, transport: Transport, limits: Limits | None = None, **given: Any
) -> tuple[list[TextDelta | PictureDelta], ImageResult]:
    """What comes out of the engine: words and pictures in order, and the result."""
    *deltas, result = steps_of(plan, transport, limits, **given)
    assert isinstance(result, ImageResult)
    assert not any(isinstance(delta, ImageResult) for delta in deltas)
    return [delta for delta in deltas if isinstance(delta, TextDelta | PictureDelta)], result


def answer(plan: Plan, *answers: Said) -> ImageResult:
    """The result alone."""
    return carry_out(plan, ScriptedTransport(*answers))[1]
