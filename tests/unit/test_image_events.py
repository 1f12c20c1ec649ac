"""A whole answer told in events: what opens the stream, what a silence does, and how an error ends it."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import PartialDelta, Picture, PictureDelta, TextDelta
from litellm_imagegen.engine import Step
from litellm_imagegen.plugin import references, sending
from litellm_imagegen.plugin import vault as vault_module
from litellm_imagegen.plugin.bypass import BypassApplication
from litellm_imagegen.plugin.events import COMMENT
from litellm_imagegen.plugin.image_events import ImageEvents
from litellm_imagegen.plugin.vault import Vault, current_vault
from litellm_imagegen.surfaces import images
from tests.unit.helpers import picture_bytes
from tests.unit.test_bypass import Client, Headers, Message, assert_whole, nothing_to_receive

PATH = "/v1/images/generations"
RED, BLUE, GRAY = (
    Picture(blob=Blob.from_raw(picture_bytes(color=color, size=(9, 7)), "image/png"))
    for color in ("red", "blue", "gray")
)
JSON: Headers = [
    (b"content-type", b"application/json"),
    (b"content-length", b"9"),
    (b"x-litellm-model-id", b"m"),
]
ERROR = {"error": {"message": "It broke.", "type": "server_error", "param": None, "code": "503"}}
# What LiteLLM's application does with its vault and its answer, which `Answering` sends.
Script = Callable[["Answering"], Awaitable[None]]


class Answering:
    """LiteLLM, as it answers one request whose answer is to be told in events."""

    def __init__(self, client: Client, send: Any, operation: str) -> None:
        vault = current_vault()
        assert vault is not None
        self.vault = vault
        self._client = client
        self._send = send
        headers = {"x_litellm_call_id": "id", "x_imagegen_notices": ""}
        vault.go_live(ImageEvents(vault, operation, headers=headers))

    async def partial(self, number: int, picture: Picture = GRAY) -> None:
        await self.vault.came(PartialDelta(picture=picture, number=number))

    async def start(self, status: int = 200, headers: Headers | None = None) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers or JSON})

    async def whole(self, answer: Any, status: int = 200, *, pieces: int = 1) -> None:
        """The whole answer, its body in so many pieces."""
        await self.start(status)
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        size = -(-len(text) // pieces)
        for number in range(pieces):
            body = text[number * size : (number + 1) * size]
            more = number < pieces - 1
            await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def silence(self) -> None:
        """Until a comment has been sent, which takes a silence of the connection."""
        seen = self._client.body.count(COMMENT)
        for _ in range(200):
            if self._client.body.count(COMMENT) > seen:
                return
            await asyncio.sleep(0)
        pytest.fail("no comment came")


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    before = Vault.held_bytes
    yield
    assert Vault.held_bytes == before


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SILENCE_SECONDS", 0)


def serve(script: Script, client: Client | None = None, operation: str = "image_generation") -> Client:
    given = client or Client()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await script(Answering(given, send, operation))

    scope: Message = {"type": "http", "path": PATH, "headers": []}
    asyncio.run(BypassApplication(application)(scope, nothing_to_receive, given))
    return given


def status_of(client: Client) -> int:
    status: int = client.messages[0]["status"]
    return status


def events(client: Client) -> list[dict[str, Any]]:
    """The events of a stream that has begun and ended as one, without its comments."""
    assert_whole(client)
    assert status_of(client) == 200
    assert dict(client.headers)[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert b"content-length" not in dict(client.headers)
    *frames, rest = client.body.replace(COMMENT, b"").split(b"\n\n")
    assert rest == b""
    told = []
    for frame in frames:
        name, data = frame.split(b"\n")
        event = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        told.append(event)
    return told


def answer_of(*shown: str, **more: Any) -> dict[str, Any]:
    """As LiteLLM writes it: with what is not there as null."""
    data = [{"b64_json": text, "url": None, "revised_prompt": None} for text in shown]
    facts = [{"width": 9, "height": 7}] * len(shown)
    metadata = {"imagegen": {"images": facts, "notices": []}}
    return {
        "created": 7,
        "data": data,
        "background": None,
        "output_format": "png",
        "quality": None,
        "size": "9x7",
        "usage": {"total_tokens": 5},
        "provider_metadata": metadata,
        **more,
    }


def base64_of(picture: Picture) -> str:
    return picture.blob.base64.decode()


@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize("operation", ["image_generation", "image_edit"])
def test_a_whole_answer_is_told_once_it_is_there(operation: str, pieces: int) -> None:
    async def script(litellm: Answering) -> None:
        reference = litellm.vault.keep(RED, as_url=False)
        assert reference is not None
        await litellm.whole(answer_of(reference), pieces=pieces)

    client = serve(script, operation=operation)
    assert events(client) == [
        {
            "type": f"{operation}.completed",
            "b64_json": base64_of(RED),
            "background": "auto",
            "created_at": 7,
            "output_format": "png",
            "quality": "auto",
            "size": "9x7",
            "usage": {"total_tokens": 5},
            "provider_metadata": {"imagegen": {"images": [{"width": 9, "height": 7}], "notices": []}},
        }
    ]
    assert (b"x-litellm-model-id", b"m") in client.headers


def test_each_picture_has_its_own_size_and_the_last_tells_the_usage() -> None:
    async def script(litellm: Answering) -> None:
        sizes = [{"width": 9, "height": 7}, {"width": 3, "height": 2}, {"width": None, "height": None}]
        metadata = {"imagegen": {"images": sizes}}
        answer = answer_of("one", "two", "three", provider_metadata=metadata, size="1x1")
        answer["data"][1]["revised_prompt"] = "A boat"
        await litellm.whole(answer)

    first, second, third = events(serve(script))
    assert [event["b64_json"] for event in (first, second, third)] == ["one", "two", "three"]
    assert [event["size"] for event in (first, second, third)] == ["9x7", "3x2", "1x1"]
    assert third["usage"] == {"total_tokens": 5}
    for event in (first, second):
        counted = {name: value for name, value in event["usage"].items() if "details" not in name}
        assert counted == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}, "sums stay right"
    assert "provider_metadata" not in first
    assert "revised_prompt" not in first
    assert second["revised_prompt"] == "A boat"
    assert third["provider_metadata"]["imagegen"]["images"][1]["width"] == 3


def test_an_answer_of_a_foreign_model_is_told_with_what_it_has() -> None:
    foreign = {"created": 7, "data": [{"url": "https://pictures.invalid/a.png", "b64_json": None}]}
    [event] = events(serve(lambda litellm: litellm.whole(foreign)))
    assert event["url"] == "https://pictures.invalid/a.png"
    assert "b64_json" not in event
    assert {event[name] for name in ("background", "output_format", "quality", "size")} == {"auto"}
    assert (event["usage"], event["provider_metadata"]) == (None, {})


def test_an_error_keeps_its_status_headers_and_body() -> None:
    client = serve(lambda litellm: litellm.whole(ERROR, 503, pieces=3))
    assert_whole(client)
    assert (status_of(client), json.loads(client.body)) == (503, ERROR)
    assert client.headers == JSON


NO_PICTURES = [
    b"",
    b"no JSON",
    b"[]",
    b'{"data": []}',
    b'{"data": null}',
    b'{"data": [null]}',
    b'{"replaced": 1}',
]


@pytest.mark.parametrize("answer", NO_PICTURES)
def test_an_answer_that_is_none_with_pictures_comes_as_it_is(answer: bytes) -> None:
    """As when a callback puts another one in its place."""
    client = serve(lambda litellm: litellm.whole(answer))
    assert_whole(client)
    assert (status_of(client), client.body, client.headers) == (200, answer, JSON)


@pytest.mark.parametrize("answer", NO_PICTURES)
def test_such_an_answer_after_a_picture_on_the_way_is_an_error_event(answer: bytes) -> None:
    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.whole(answer)

    *_, last = events(serve(script))
    assert (last["type"], last["error"]["code"]) == ("error", "500")


def test_a_picture_on_the_way_opens_the_stream_before_litellm_has_an_answer() -> None:
    seen: list[bytes] = []

    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        seen.append(client.body)
        await litellm.partial(1, BLUE)
        await litellm.whole(answer_of(base64_of(RED)))

    client = Client()
    first, second, last = events(serve(script, client))
    assert first.pop("created_at") > 0
    assert first == {
        "type": "image_generation.partial_image",
        "b64_json": base64_of(GRAY),
        "partial_image_index": 0,
        "background": "auto",
        "output_format": "png",
        "quality": "auto",
        "size": "9x7",
    }
    assert (second["partial_image_index"], second["b64_json"]) == (1, base64_of(BLUE))
    assert last["type"] == "image_generation.completed"
    assert client.body.startswith(seen[0])
    assert seen[0].count(b"\n\n") == 1
    headers = dict(client.headers)
    assert headers[b"x-litellm-call-id"] == b"id"
    assert b"x-imagegen-notices" not in headers, "there is nothing to say"


@pytest.mark.parametrize("step", [TextDelta(text="hi"), PictureDelta(picture=RED)])
def test_nothing_else_that_comes_on_the_way_is_told(step: Step) -> None:
    async def script(litellm: Answering) -> None:
        await litellm.vault.came(step)
        assert client.messages == []
        await litellm.whole(ERROR, 503)

    client = Client()
    assert status_of(serve(script, client)) == 503


def test_of_pictures_on_the_way_only_the_latest_is_kept() -> None:
    async def script(litellm: Answering) -> None:
        held = Vault.held_bytes
        for number, picture in enumerate((GRAY, BLUE, RED)):
            await litellm.partial(number, picture)
            assert Vault.held_bytes - held == picture.blob.base64_length
        await litellm.whole(answer_of("one"))

    assert len(events(serve(script))) == 4


def test_a_picture_on_the_way_beyond_the_bound_of_all_vaults_is_sent_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vault_module, "MAXIMUM_HELD_BYTES", 0)

    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.whole(answer_of("one"))

    first, _ = events(serve(script))
    assert first["b64_json"] == base64_of(GRAY)
    assert not first["b64_json"].startswith(references.TEXT_PREFIX)


def test_an_error_after_a_picture_on_the_way_is_the_last_event() -> None:
    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.whole(ERROR, 503, pieces=2)

    *_, last = events(serve(script))
    told = {name: ERROR["error"][name] for name in ("code", "message", "param")}
    assert last == {"type": "error", **told, **ERROR}


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"error": 5}', b'{"detail": "not here"}'])
def test_what_is_no_error_of_litellms_becomes_an_error_event_too(answer: bytes) -> None:
    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.whole(answer, 500)

    *_, last = events(serve(script))
    assert (last["type"], last["code"], last["error"]["code"]) == ("error", "500", "500")
    assert last["error"]["message"]


@pytest.mark.usefixtures("impatient")
def test_a_long_silence_opens_the_stream_with_a_comment() -> None:
    async def script(litellm: Answering) -> None:
        assert client.messages == []
        await litellm.silence()
        assert client.body.replace(COMMENT, b"") == b""
        assert status_of(client) == 200
        await litellm.silence()
        await litellm.whole(answer_of(base64_of(RED)))

    client = Client()
    [event] = events(serve(script, client))
    assert event["b64_json"] == base64_of(RED)
    assert client.body.startswith(COMMENT)


@pytest.mark.usefixtures("impatient")
def test_an_error_after_a_long_silence_is_an_event() -> None:
    async def script(litellm: Answering) -> None:
        await litellm.silence()
        await litellm.whole(ERROR, 503)

    [event] = events(serve(script))
    assert (event["type"], event["error"]) == ("error", ERROR["error"])


@pytest.mark.usefixtures("impatient")
def test_a_silence_between_pictures_on_the_way_is_broken_too() -> None:
    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.silence()
        await litellm.partial(1)
        await litellm.silence()
        await litellm.whole(answer_of("one"))

    client = serve(script)
    assert [event["type"].rpartition(".")[2] for event in events(client)] == [
        "partial_image",
        "partial_image",
        "completed",
    ]
    first, second = (client.body.index(b'"partial_image_index":%d' % number) for number in (0, 1))
    assert COMMENT in client.body[first:second]


@pytest.mark.usefixtures("impatient")
def test_a_silence_within_litellms_answer_opens_the_stream_with_its_headers() -> None:
    """It has sent the beginning of its answer, and takes long for the rest."""

    async def script(litellm: Answering) -> None:
        await litellm.start()
        await litellm.silence()
        await litellm.whole(answer_of("one"))

    client = serve(script)
    [event] = events(client)
    assert event["b64_json"] == "one"
    assert (b"x-litellm-model-id", b"m") in client.headers


@pytest.mark.usefixtures("impatient")
def test_no_comment_comes_behind_the_end() -> None:
    async def script(litellm: Answering) -> None:
        await litellm.whole(answer_of("one"))
        for _ in range(20):
            await asyncio.sleep(0)

    client = serve(script)
    assert client.messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert len(events(client)) == 1


def test_a_client_that_is_gone_ends_it_and_nothing_stays() -> None:
    async def script(litellm: Answering) -> None:
        await litellm.partial(0)
        await litellm.partial(1)

    with pytest.raises(OSError, match="the client is gone"):
        serve(script, Client(patience=2))
    assert current_vault() is None


def test_a_usage_of_nothing_is_none() -> None:
    [event] = images.completed_events("image_edit", answer_of("one", usage=None))
    assert event["usage"] is None
