"""The last step of a picture's own way: what is sent, what passes through, and that nothing stays behind."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.hooks.responses_id_security import ResponsesIDSecurity
from litellm.types.guardrails import GuardrailEventHooks, Mode

from litellm_imagegen import base64_text
from litellm_imagegen.blob import Blob, PictureFacts
from litellm_imagegen.canonical import Picture
from litellm_imagegen.plugin import bypass, references, sending
from litellm_imagegen.plugin import vault as vault_module
from litellm_imagegen.plugin.bypass import BypassApplication, usable_vault
from litellm_imagegen.plugin.config import Bypass
from litellm_imagegen.plugin.registration import callback as own_callback
from litellm_imagegen.plugin.vault import Vault, close_vault, current_vault, open_vault
from tests.unit.helpers import picture_bytes

Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]
# What an application sends once it has seen its vault: the response's body in pieces.
Script = Callable[[Vault], Sequence[bytes]]

CHAT = "/v1/chat/completions"
RED, BLUE = (
    Picture(blob=Blob.from_raw(picture_bytes(color=color, size=(9, 7)), "image/png"))
    for color in ("red", "blue")
)
URLS = {id(RED): RED.blob.data_url.encode(), id(BLUE): BLUE.blob.data_url.encode()}
FACTS: PictureFacts = {"mime": "image/png", "width": 3, "height": 2, "bytes": 70, "sha256": "ab" * 32}


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    before = Vault.held_bytes
    yield
    assert Vault.held_bytes == before


@dataclass
class Client:
    """Where an answer arrives. It hangs up, as a server says it, after `patience` messages."""

    messages: list[Message] = field(default_factory=list)
    patience: int | None = None

    async def __call__(self, message: Any) -> None:
        if self.patience is not None and len(self.messages) >= self.patience:
            raise OSError("the client is gone")
        self.messages.append(dict(message))

    @property
    def headers(self) -> Headers:
        [start] = [message for message in self.messages if message["type"] == "http.response.start"]
        return list(start["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


async def nothing_to_receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def keep(vault: Vault, picture: Picture) -> bytes:
    reference = vault.keep(picture)
    assert reference is not None
    return reference.encode()


def own_vault() -> Vault:
    vault = current_vault()
    assert vault is not None
    return vault


def scope_of(path: str = CHAT, kind: str = "http") -> Message:
    return {"type": kind, "path": path, "headers": []}


def scripted(
    script: Script, headers: Headers | None = None, *, ends_empty: bool = False
) -> bypass.Application:
    """An application that answers with the script's pieces; `ends_empty`: and a last empty one."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        pieces = [*script(own_vault()), *([b""] if ends_empty else [])]
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
        for piece in pieces[:-1]:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": pieces[-1]})

    return application


def serve(
    application: bypass.Application, client: Client | None = None, scope: Message | None = None
) -> Client:
    client = client or Client()
    asyncio.run(BypassApplication(application)(scope or scope_of(), nothing_to_receive, client))
    return client


def assert_whole(client: Client) -> None:
    """One start, then bodies, and only the last one says that it is."""
    assert client.messages[0]["type"] == "http.response.start"
    bodies = client.messages[1:]
    assert {message["type"] for message in bodies} == {"http.response.body"}
    assert [bool(message.get("more_body")) for message in bodies] == [True] * (len(bodies) - 1) + [False]


def cut(text: bytes, positions: Sequence[int]) -> list[bytes]:
    return [text[start:end] for start, end in pairwise([0, *positions, len(text)])]


def test_a_reference_in_one_message_becomes_its_picture() -> None:
    client = serve(scripted(lambda vault: [b'{"url": "' + keep(vault, RED) + b'"}']))
    assert client.body == b'{"url": "' + URLS[id(RED)] + b'"}'
    assert_whole(client)


def test_a_reference_cut_anywhere_becomes_its_picture() -> None:
    text = len(b"before ") + references.LENGTH + len(b" after")
    for position in range(text + 1):

        def script(vault: Vault, position: int = position) -> list[bytes]:
            return cut(b"before " + keep(vault, RED) + b" after", [position])

        client = serve(scripted(script))
        assert client.body == b"before " + URLS[id(RED)] + b" after", position
        assert_whole(client)


def test_a_reference_sent_byte_by_byte_becomes_its_picture() -> None:
    def script(vault: Vault) -> list[bytes]:
        text = b"i" + keep(vault, RED) + keep(vault, BLUE) + b"imagegen-"
        return [text[i : i + 1] for i in range(len(text))]

    client = serve(scripted(script))
    assert client.body == b"i" + URLS[id(RED)] + URLS[id(BLUE)] + b"imagegen-"
    assert_whole(client)


# Pieces of a body; a picture stands for its reference.
PIECES = st.lists(
    st.one_of(
        st.sampled_from([RED, BLUE]),
        st.sampled_from(
            [references.PREFIX, references.PREFIX * 2, b"i", b"imagegen", b"imagegen-picture", b"\n\n", b""]
        ),
        st.integers(0, references.LENGTH).map(lambda n: references.make(FACTS).encode()[:n]),
        st.binary(max_size=20),
    ),
    max_size=8,
)


@given(PIECES, st.lists(st.floats(0, 1), max_size=6), st.booleans())
def test_any_text_with_references_cut_anywhere_arrives_with_its_pictures(
    parts: list[Picture | bytes], cuts: list[float], ends_empty: bool
) -> None:
    def script(vault: Vault) -> list[bytes]:
        vault.keep(RED)  # one that is never shown
        text = b"".join(part if isinstance(part, bytes) else keep(vault, part) for part in parts)
        return cut(text, sorted(int(at * len(text)) for at in cuts))

    client = serve(scripted(script, ends_empty=ends_empty))
    assert client.body == b"".join(part if isinstance(part, bytes) else URLS[id(part)] for part in parts)
    assert_whole(client)
    assert Vault.held_bytes == 0


def test_a_picture_of_many_slices_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64_text, "BATCH_BYTES", 16)
    client = serve(scripted(lambda vault: [keep(vault, RED) + b"end"]))
    assert client.body == URLS[id(RED)] + b"end"
    assert all(len(message["body"]) < 32 for message in client.messages[1:])


def test_streamed_frames_arrive_each_before_the_next_is_made() -> None:
    client = Client()
    seen: list[bytes] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text")]})
        for frame in (
            b'data: {"content": "hi"}\n\n',
            b"data: " + keep(own_vault(), RED) + b"\n\n",
            b"data: [DONE]\n\n",
        ):
            await send({"type": "http.response.body", "body": frame, "more_body": True})
            seen.append(client.body)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    serve(application, client)
    first = b'data: {"content": "hi"}\n\n'
    second = first + b"data: " + URLS[id(RED)] + b"\n\n"
    assert seen == [first, second, second + b"data: [DONE]\n\n"]
    assert client.headers == [(b"content-type", b"text")]
    assert_whole(client)


def test_the_length_of_a_whole_answer_counts_its_pictures() -> None:
    client = serve(
        scripted(
            lambda vault: [b"x" + keep(vault, RED)], [(b"a", b"b"), (b"Content-Length", b"2"), (b"c", b"d")]
        )
    )
    assert dict(client.headers)[b"content-length"] == str(len(client.body)).encode()
    assert {name.lower() for name, _ in client.headers} == {b"a", b"c", b"content-length"}
    assert len(client.headers) == 3


def test_an_answer_without_a_length_gets_none() -> None:
    assert serve(scripted(lambda vault: [keep(vault, RED)], [(b"a", b"b")])).headers == [(b"a", b"b")]


def test_a_length_that_can_no_longer_be_told_is_left_out() -> None:
    def script(vault: Vault) -> list[bytes]:
        return [b"x", keep(vault, RED)]

    assert serve(scripted(script, [(b"content-length", b"9"), (b"a", b"b")])).headers == [(b"a", b"b")]


def test_an_answer_without_pictures_passes_message_by_message() -> None:
    text = [b"imagegen-pic", references.make(FACTS).encode()[:40], b"imagegen"]
    client = serve(scripted(lambda _: text, [(b"content-length", b"60")]))
    assert client.headers == [(b"content-length", b"60")]
    assert [message["body"] for message in client.messages[1:]] == text


@pytest.mark.parametrize(
    "look_alike",
    [
        references.PREFIX,
        references.PREFIX + b'"}',
        references.PREFIX * 20,
        references.make(FACTS).encode(),
        references.make(RED.blob.facts).encode(),
    ],
    ids=["the prefix alone", "the prefix at the end", "many prefixes", "another token", "its own facts"],
)
@pytest.mark.parametrize("has_picture", [False, True])
def test_text_that_looks_like_a_reference_passes_through(look_alike: bytes, has_picture: bool) -> None:
    def script(vault: Vault) -> list[bytes]:
        picture = keep(vault, BLUE) if has_picture else b"none"
        return [look_alike + b" " + picture + b" " + look_alike, look_alike]

    picture = URLS[id(BLUE)] if has_picture else b"none"
    expected = look_alike + b" " + picture + b" " + look_alike + look_alike
    assert serve(scripted(script)).body == expected


def test_a_reference_with_one_other_character_passes_through() -> None:
    sent: list[bytes] = []

    def script(vault: Vault) -> list[bytes]:
        real = keep(vault, RED)
        place = len(references.PREFIX)
        sent.append(real[:place] + (b"0" if real[place : place + 1] != b"0" else b"1") + real[place + 1 :])
        return sent

    assert serve(scripted(script)).body == sent[0]


def test_a_reference_of_another_request_passes_through_while_both_are_served() -> None:
    first_has_kept, second_is_done = asyncio.Event(), asyncio.Event()
    references_made: dict[str, bytes] = {}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        name = scope["query_string"]
        references_made[name] = keep(own_vault(), RED if name == "first" else BLUE)
        if name == "first":
            first_has_kept.set()
            await second_is_done.wait()
        else:
            await first_has_kept.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = references_made["first"] + b" " + references_made["second"]
        await send({"type": "http.response.body", "body": body})
        second_is_done.set()

    async def both() -> tuple[Client, Client]:
        wrapped = BypassApplication(application)
        clients = Client(), Client()
        scopes = ({**scope_of(), "query_string": name} for name in ("first", "second"))
        await asyncio.gather(
            *(
                wrapped(scope, nothing_to_receive, client)
                for scope, client in zip(scopes, clients, strict=True)
            )
        )
        return clients

    first, second = asyncio.run(both())
    assert first.body == URLS[id(RED)] + b" " + references_made["second"]
    assert second.body == references_made["first"] + b" " + URLS[id(BLUE)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/embeddings", "http"),
        ("/v1/chat/completions/more", "http"),
        ("/health", "http"),
        (CHAT, "websocket"),
    ],
)
def test_other_routes_and_kinds_of_connection_are_untouched(path: str, kind: str) -> None:
    client = Client()
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([scope, receive, send, current_vault()])

    scope = scope_of(path, kind)
    serve(application, client, scope)
    assert seen[0] is scope
    assert seen[1:] == [nothing_to_receive, client, None]


def test_a_lifespan_without_a_path_is_untouched() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(current_vault())

    serve(application, scope={"type": "lifespan"})
    assert seen == [None]


@pytest.mark.parametrize(
    "path", [CHAT, "/chat/completions", f"{CHAT}/", "/openai/deployments/m/chat/completions"]
)
def test_every_path_of_the_route_has_a_vault(path: str) -> None:
    client = serve(scripted(lambda vault: [keep(vault, RED)]), scope=scope_of(path))
    assert client.body == URLS[id(RED)]


Ending = Callable[[Any], Awaitable[None]]


async def returns(send: Any) -> None:
    return


async def raises(send: Any) -> None:
    raise ZeroDivisionError


async def is_cancelled(send: Any) -> None:
    raise asyncio.CancelledError


async def finds_the_client_gone(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


@pytest.mark.parametrize("ending", [returns, raises, is_cancelled, finds_the_client_gone])
def test_a_vault_ends_with_its_request_however_that_ends(ending: Ending) -> None:
    vaults: list[Vault] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        vaults.append(own_vault())
        own_vault().owner = object()
        reference = keep(own_vault(), RED)
        assert own_vault().find(reference) == (b"data:image/png;base64,", RED.blob.base64)
        assert Vault.held_bytes == len(RED.blob.base64)
        await ending(send)

    try:
        serve(application, Client(patience=0))
    except (ZeroDivisionError, asyncio.CancelledError, OSError):
        assert ending is not returns
    [vault] = vaults
    assert Vault.held_bytes == 0
    assert vault.is_empty
    assert vault.owner is None
    assert vault.keep(RED) is None, "nothing is kept after the end"
    assert Vault.held_bytes == 0
    assert current_vault() is None


def test_a_task_that_is_cancelled_while_it_sends_leaves_nothing() -> None:
    async def scene() -> None:
        sending = asyncio.Event()

        async def slow_client(message: Any) -> None:
            sending.set()
            await asyncio.Event().wait()

        wrapped = BypassApplication(scripted(lambda vault: [keep(vault, RED)]))
        task = asyncio.create_task(wrapped(scope_of(), nothing_to_receive, slow_client))
        await sending.wait()
        assert Vault.held_bytes == len(RED.blob.base64)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert Vault.held_bytes == 0


def test_closing_twice_counts_once() -> None:
    vault = Vault()
    keep(vault, RED)
    vault.close()
    vault.close()
    assert Vault.held_bytes == 0


def test_what_is_beyond_the_bound_of_all_vaults_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(RED.blob.base64)
    monkeypatch.setattr(vault_module, "MAXIMUM_HELD_BYTES", 2 * size)
    one, other = Vault(), Vault()
    assert one.keep(RED)
    assert other.keep(RED)
    assert other.keep(RED) is None
    assert one.keep(RED) is None
    assert Vault.held_bytes == 2 * size
    one.close()
    assert other.keep(RED)
    other.close()


def test_each_reference_is_another_even_of_the_same_picture() -> None:
    vault = Vault()
    made = {keep(vault, RED) for _ in range(50)}
    vault.close()
    assert len(made) == 50
    assert {len(reference) for reference in made} == {references.LENGTH}


MIMES = st.one_of(
    st.sampled_from(["image/png", "image/jpeg", "image/webp", "application/octet-stream", "image/svg+xml"]),
    st.from_regex(r"image/[a-z][a-z0-9.+-]{0,15}[a-z0-9]", fullmatch=True),
)
PIXELS = st.one_of(st.none(), st.integers(1, 999_999))


@given(MIMES, PIXELS, PIXELS, st.integers(0, 10**12 - 1), st.binary(min_size=32, max_size=32))
def test_a_reference_tells_its_facts(
    mime: str, width: int | None, height: int | None, size: int, digest: bytes
) -> None:
    facts: PictureFacts = {
        "mime": mime,
        "width": width,
        "height": height,
        "bytes": size,
        "sha256": digest.hex(),
    }
    reference = references.make(facts)
    assert len(reference.encode()) == references.LENGTH
    assert references.facts_of(reference) == facts
    assert references.facts_of(reference + "x") is None


@given(st.text(max_size=60))
def test_a_reference_keeps_its_form_whatever_a_provider_calls_the_type(mime: str) -> None:
    reference = references.make({**FACTS, "mime": mime})
    assert json.dumps(reference) == f'"{reference}"', "JSON must not escape it, or it would not be found"
    assert len(reference.encode()) == references.LENGTH


@given(st.one_of(st.none(), st.integers(0, 2**31)), st.integers(0, 10**12 - 1))
def test_a_reference_keeps_its_form_however_large_its_picture_is(pixels: int | None, size: int) -> None:
    facts: PictureFacts = {**FACTS, "width": pixels, "height": pixels, "bytes": size}
    assert len(references.make(facts).encode()) == references.LENGTH


@pytest.mark.parametrize("mime", ['image/"x"', "image/\\x", "image/a\nb", "image/ü", "image/¹"])
def test_json_stays_json_whatever_a_provider_calls_the_type(mime: str) -> None:
    picture = Picture(blob=Blob.from_raw(b"of no known form", mime))
    client = serve(scripted(lambda vault: [b'{"url": "' + keep(vault, picture) + b'"}']))
    assert json.loads(client.body) == {"url": picture.blob.data_url}


class Looks(CustomLogger):
    """A callback with nothing of its own."""


def overriding(hook: str) -> CustomLogger:
    async def seen(self: Any, *_: Any, **__: Any) -> None:
        return

    kind: type[CustomLogger] = type("Overriding", (CustomLogger,), {hook: seen})
    return kind()


def guardrail(event_hook: Any) -> CustomGuardrail:
    return CustomGuardrail(guardrail_name="g", event_hook=event_hook, supported_event_hooks=None)


NOBODY_LOOKS: dict[str, Any] = {
    "no callback": None,
    "ours": own_callback,
    "a callback with nothing of its own": Looks(),
    "a hook before the call": overriding("async_pre_call_hook"),
    "a hook for headers": overriding("async_post_call_response_headers_hook"),
    "a log": overriding("async_log_success_event"),
    "one of LiteLLM's own hooks": ResponsesIDSecurity(),
    "a guardrail before the call": guardrail(GuardrailEventHooks.pre_call),
    "a guardrail beside the call": guardrail([GuardrailEventHooks.during_call]),
    "a plain function": print,
}
SOMEBODY_LOOKS: dict[str, Any] = {
    "async_post_call_success_hook": overriding("async_post_call_success_hook"),
    "async_post_call_streaming_hook": overriding("async_post_call_streaming_hook"),
    "async_post_call_streaming_iterator_hook": overriding("async_post_call_streaming_iterator_hook"),
    "async_post_call_success_deployment_hook": overriding("async_post_call_success_deployment_hook"),
    "async_post_call_streaming_deployment_hook": overriding("async_post_call_streaming_deployment_hook"),
    "a guardrail after the call": guardrail(GuardrailEventHooks.post_call),
    "a guardrail after the call by its name": guardrail("post_call"),
    "a guardrail before and after": guardrail([GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call]),
    "a guardrail with tags": guardrail(Mode(tags={"a": "post_call"}, default="pre_call")),
    "a guardrail at any time": guardrail(None),
}


class Cast(list[Any]):
    """LiteLLM's list of callbacks for one test: an exact list, without LiteLLM's own additions."""


def allowed(
    monkeypatch: pytest.MonkeyPatch, setting: Bypass, *callbacks: Any, cache: Any = None, mine: bool = True
) -> bool:
    """Whether the pictures of a call may take their own way."""
    monkeypatch.setattr(litellm, "callbacks", Cast(callback for callback in callbacks if callback))
    monkeypatch.setattr(litellm, "cache", cache)
    call = object()
    vault, token = open_vault()
    vault.owner = call if mine else object()
    try:
        found = usable_vault(setting, call)
    finally:
        close_vault(vault, token)
    assert found in (None, vault)
    return found is not None


@pytest.mark.parametrize("name", NOBODY_LOOKS)
def test_auto_is_used_where_nobody_looks_at_answers(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert allowed(monkeypatch, Bypass.AUTO, own_callback, NOBODY_LOOKS[name])


@pytest.mark.parametrize("name", SOMEBODY_LOOKS)
@pytest.mark.parametrize("is_first", [False, True])
def test_auto_is_not_used_where_somebody_looks_at_answers(
    monkeypatch: pytest.MonkeyPatch, name: str, is_first: bool
) -> None:
    callbacks = [own_callback, SOMEBODY_LOOKS[name]]
    assert not allowed(monkeypatch, Bypass.AUTO, *(reversed(callbacks) if is_first else callbacks))
    assert allowed(monkeypatch, Bypass.FORCE, *callbacks)


def test_off_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not allowed(monkeypatch, Bypass.OFF)


@pytest.mark.parametrize("setting", Bypass)
def test_an_answer_that_may_be_cached_holds_its_picture(
    monkeypatch: pytest.MonkeyPatch, setting: Bypass
) -> None:
    assert not allowed(monkeypatch, setting, cache=object())


@pytest.mark.parametrize("setting", Bypass)
def test_a_call_made_on_the_way_has_no_vault(monkeypatch: pytest.MonkeyPatch, setting: Bypass) -> None:
    assert not allowed(monkeypatch, setting, mine=False)


@pytest.mark.parametrize("setting", Bypass)
def test_outside_a_request_there_is_no_vault(monkeypatch: pytest.MonkeyPatch, setting: Bypass) -> None:
    monkeypatch.setattr(litellm, "callbacks", [])
    monkeypatch.setattr(litellm, "cache", None)
    assert usable_vault(setting, object()) is None
    assert usable_vault(setting, None) is None


@pytest.mark.parametrize(
    ("route", "call_type", "is_owned"),
    [
        (CHAT, "acompletion", True),
        (CHAT, "completion", True),
        (CHAT, "aembedding", False),
        ("/v1/responses", "aresponses", True),
        ("/v1/responses", "aembedding", False),
        ("/v1/messages", "anthropic_messages", False),
    ],
)
def test_the_first_call_of_a_route_of_ours_owns_its_vault(route: str, call_type: str, is_owned: bool) -> None:
    first, second = object(), object()
    owners: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for call in (first, second):
            await own_callback.async_pre_call_hook(None, None, {"litellm_logging_obj": call}, call_type)
        vault = current_vault()
        owners.append(vault.owner if vault is not None else None)

    serve(application, scope=scope_of(route))
    assert owners == [first if is_owned else None]


EVENT_STREAM: Headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
COMMENT = b": keep-alive\n\n"


def silent(pieces: Sequence[bytes], client: Client, *, is_ours: bool, headers: Headers) -> bypass.Application:
    """An application that falls silent behind each piece until the connection had time for many comments."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        own_vault().serves_stream = is_ours
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            seen = client.body.count(COMMENT)
            for _ in range(200):
                await asyncio.sleep(0)
                if client.body.count(COMMENT) > seen:
                    break
        await send({"type": "http.response.body", "body": b""})

    return application


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SILENCE_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_comments_keep_a_silent_stream_of_ours_open_between_events_and_end_with_it() -> None:
    client = Client()
    pieces = (b"data: 1\n\n", b"data: 2\n\n")
    serve(silent(pieces, client, is_ours=True, headers=EVENT_STREAM), client)
    assert client.body.replace(COMMENT, b"") == b"".join(pieces)
    first, second = client.body.index(pieces[0]), client.body.index(pieces[1])
    assert client.body[first + len(pieces[0]) : second].count(COMMENT) >= 1
    assert client.messages[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("pieces", "is_ours", "headers"),
    [
        ((b"data: 1\n\n",), False, EVENT_STREAM),
        ((b"data: half of an event",), True, EVENT_STREAM),
        ((b'{"whole": 1}\n\n',), True, [(b"content-type", b"application/json")]),
    ],
    ids=["a stream of another model", "in the midst of an event", "no stream"],
)
def test_nothing_else_gets_a_comment(pieces: Sequence[bytes], is_ours: bool, headers: Headers) -> None:
    client = Client()
    serve(silent(pieces, client, is_ours=is_ours, headers=headers), client)
    assert client.body == b"".join(pieces)


class Judge(CustomLogger):
    """Judges a request while it is being served."""

    async def async_moderation_hook(self, data: Any, user_api_key_dict: Any, call_type: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("callback", "may"),
    [
        (CustomGuardrail(guardrail_name="x", event_hook=GuardrailEventHooks.during_call), True),
        (CustomGuardrail(guardrail_name="x", event_hook=GuardrailEventHooks.post_call), True),
        (CustomGuardrail(guardrail_name="x", event_hook=GuardrailEventHooks.pre_call), False),
        (Judge(), True),
        (CustomLogger(), False),
        (own_callback, False),
    ],
    ids=["during the call", "after it", "before it", "moderation", "a logger", "ours"],
)
def test_who_may_keep_an_answer_back(monkeypatch: pytest.MonkeyPatch, callback: Any, may: bool) -> None:
    monkeypatch.setattr(litellm, "callbacks", Cast([callback]))
    assert bypass.answers_may_be_blocked() is may


def test_a_vault_knows_that_an_answer_has_begun() -> None:
    """Whose stream is on its way is not to be begun once more."""
    seen: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(own_vault().has_started)
        await send({"type": "http.response.start", "status": 200, "headers": EVENT_STREAM})
        seen.append(own_vault().has_started)
        await send({"type": "http.response.body", "body": b"data: x\n\n"})

    serve(application, scope=scope_of("/v1/responses"))
    assert seen == [False, True]
