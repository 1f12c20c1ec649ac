"""Pictures take their own way to the client, past LiteLLM's copying, scanning, dumping and logging.

The handler hands LiteLLM a short reference in a picture's place, and the picture's bytes go into the body
at the very last moment: as the server sends it. An ASGI wrapper around the proxy's whole application opens
a vault for each request to a route we serve, finds the references of that request (and of no other) in
what is sent, and sends the picture from its buffer instead. LiteLLM does everything else exactly as it
does without us: headers, model names, usage, frames. The vault ends with its request, however that ends.

A reference is random, made after the model has answered, and known to nobody before it is replaced: text
that looks like one is none, and passes through.
"""

import asyncio
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from enum import StrEnum
from typing import Any

import litellm
import orjson
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.litellm_logging import get_custom_logger_compatible_class

from litellm_imagegen.base64_text import in_batches
from litellm_imagegen.canonical import Notice, Picture
from litellm_imagegen.plugin import references
from litellm_imagegen.plugin.ledgers import begin_request, end_request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_ROUTES = ("/chat/completions", "/images/generations", "/images/edits")
# A bound for all vaults of a process; beyond it pictures go LiteLLM's way.
MAXIMUM_HELD_BYTES = 2 * 1024**3
# Proxies in between commonly wait a minute, some half of it.
SILENCE_SECONDS = 10.0
_COMMENT = b": keep-alive\n\n"
# What LiteLLM's own hooks see may hold references: they count and limit, they do not look at pictures.
_LITELLMS_OWN_HOOKS = "litellm.proxy.hooks."
_HOOKS_THAT_SEE_ANSWERS = (
    "async_post_call_success_hook",
    "async_post_call_streaming_hook",
    "async_post_call_streaming_iterator_hook",
    "async_post_call_success_deployment_hook",
    "async_post_call_streaming_deployment_hook",
)


class Bypass(StrEnum):
    """When pictures take their own way: where nobody else needs to see them, wherever possible, never."""

    AUTO = "auto"
    FORCE = "force"
    OFF = "off"


class Vault:
    """The pictures of one request on their way to its client."""

    held_bytes = 0  # of all vaults of the process

    def __init__(self) -> None:
        self._pictures: dict[bytes, tuple[bytes, Picture]] = {}
        self._is_closed = False
        self.owner: Any = None
        self.request: dict[str, Any] | None = None  # as the proxy keeps it until the end
        self.notices: tuple[Notice, ...] = ()
        self.serves_stream = False
        self.client_gone = asyncio.Event()
        self.finishes: tuple[str, ...] = ()  # of choices beyond the first, as LiteLLM does not pass them on

    def keep(self, picture: Picture, *, as_url: bool = True) -> str | None:
        """Keep a picture; the reference that stands for it, or None where it has to go LiteLLM's way.

        It is sent as a data URL, or as base64 alone.
        """
        length = picture.blob.base64_length
        if self._is_closed or Vault.held_bytes + length > MAXIMUM_HELD_BYTES:
            return None
        reference = references.make(picture.blob.facts)
        head = picture.blob.data_url_head.encode() if as_url else b""
        self._pictures[reference.encode()] = head, picture
        Vault.held_bytes += length
        return reference

    @property
    def is_empty(self) -> bool:
        """Whether no picture is kept."""
        return not self._pictures

    def find(self, reference: bytes) -> tuple[bytes, ...] | None:
        """What `reference` stands for, in pieces, if it was made for this request."""
        kept = self._pictures.get(reference)
        if kept is None:
            return None
        head, picture = kept
        return head, *picture.blob.base64_pieces

    def close(self) -> None:
        """Let everything go. Nothing is kept afterwards."""
        self._is_closed = True
        Vault.held_bytes -= sum(picture.blob.base64_length for _, picture in self._pictures.values())
        self._pictures.clear()
        self.owner = self.request = None
        self.notices = ()


_current: contextvars.ContextVar[Vault | None] = contextvars.ContextVar("imagegen_vault", default=None)


def current_vault() -> Vault | None:
    """The vault of the request that this code runs for; None outside the routes we serve."""
    return _current.get()


class BypassApplication:
    """The proxy's application with our last step around it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection; other routes pass untouched."""
        if scope["type"] != "http" or not scope["path"].rstrip("/").endswith(_ROUTES):
            await self.application(scope, receive, send)
            return
        vault = Vault()
        token, ledger = _current.set(vault), begin_request()
        sender, receiver = _Sender(vault, send), _Receiver(vault, receive)
        try:
            await self.application(scope, receiver, sender)
        finally:
            sender.close()
            receiver.close()
            _current.reset(token)
            end_request(ledger)
            vault.close()


class _Receiver:
    """Hands on what the client sends, and notes when it hangs up, where operators want work to end then.

    LiteLLM looks at the connection for chat alone.
    """

    def __init__(self, vault: Vault, receive: Receive) -> None:
        self._vault = vault
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self) -> Message:
        message = await self._receive()
        is_whole = message["type"] == "http.request" and not message.get("more_body")
        if is_whole and self._watch is None and _ends_with_connection():
            self._watch = asyncio.create_task(self._wait_for_end())
        return message

    def close(self) -> None:
        """The answer is there, or nobody makes one any more."""
        if self._watch is not None:
            self._watch.cancel()

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._vault.client_gone.set()


def _ends_with_connection() -> bool:
    """The operator's setting for what a client's hanging up means."""
    settings = getattr(sys.modules.get("litellm.proxy.proxy_server"), "general_settings", None) or {}
    return bool(settings.get("cancel_on_disconnect"))


class _Sender:
    """Sends what the application sends, with pictures in the place of their references.

    While a stream of ours is silent, comments keep its connection open: a picture may take minutes, and
    whoever stands between takes a silent connection for a dead one.
    """

    def __init__(self, vault: Vault, send: Send) -> None:
        self._vault = vault
        self._sends_on = send
        self._start: Message | None = None
        self._tail = b""
        self._one_at_a_time = asyncio.Lock()
        self._is_between_events = False
        self._was_silent = False
        self._silence: asyncio.Task[None] | None = None

    async def __call__(self, message: Message) -> None:
        if self._vault.finishes and message["type"] == "http.response.body":
            message = self._with_finishes(message)
        async with self._one_at_a_time:
            await self._take(message)
        if message["type"] == "http.response.start" and _is_event_stream(message):
            self._silence = asyncio.create_task(self._break_silence())

    def _with_finishes(self, message: Message) -> Message:
        """The frame that ends the first choice, followed by those that end the others."""
        text = message.get("body", b"")
        try:
            frame = orjson.loads(text.removeprefix(b"data: "))
            choice = frame["choices"][0]
            is_end = choice["finish_reason"] is not None
        except (ValueError, LookupError, TypeError):
            return message
        if not is_end:
            return message
        frame.pop("usage", None)
        for index, reason in enumerate(self._vault.finishes, 1):
            frame["choices"] = [{**choice, "index": index, "finish_reason": reason}]
            text += b"data: " + orjson.dumps(frame) + b"\n\n"
        self._vault.finishes = ()
        return {**message, "body": text}

    def close(self) -> None:
        """Nothing is sent any more."""
        if self._silence is not None:
            self._silence.cancel()

    async def _break_silence(self) -> None:
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            async with self._one_at_a_time:
                was_silent, self._was_silent = self._was_silent, True
                if was_silent and self._is_between_events and self._vault.serves_stream:
                    await self._sends_on({"type": "http.response.body", "body": _COMMENT, "more_body": True})

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self._was_silent = False
            if body := message.get("body"):
                self._is_between_events = body.endswith(b"\n\n")
            if not message.get("more_body"):
                self.close()
        await self._sends_on(message)

    async def _take(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._vault.is_empty:
            self._start = message  # its length is known only with the body
        elif message["type"] == "http.response.body" and (
            not self._vault.is_empty or self._start or self._tail
        ):
            await self._send_body(message)
        else:
            await self._send(message)

    async def _send_body(self, message: Message) -> None:
        more = bool(message.get("more_body", False))
        pieces = self._pieces(self._tail + message.get("body", b""), is_last=not more)
        if self._start is not None:
            await self._send(_with_length(self._start, None if more else sum(map(len, pieces))))
            self._start = None
        for body in in_batches(pieces):
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _pieces(self, text: bytes, *, is_last: bool) -> list[bytes]:
        """`text` with each reference replaced; what could be the beginning of one is held back."""
        pieces: list[bytes] = []
        done = 0
        self._tail = b""
        for start in _occurrences(text, references.PREFIX):
            end = start + references.LENGTH
            if end > len(text) and not is_last:
                self._tail = text[start:]
                break
            found = self._vault.find(text[start:end])
            if found is not None:
                pieces += (text[done:start], *found)
                done = end
        else:
            if not is_last and (held := _possible_beginning(text[done:])):
                self._tail = text[len(text) - held :]
        pieces.append(text[done : len(text) - len(self._tail)])
        return pieces


def _is_event_stream(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def _occurrences(text: bytes, word: bytes) -> Iterator[int]:
    position = text.find(word)
    while position >= 0:
        yield position
        position = text.find(word, position + 1)


def _possible_beginning(text: bytes) -> int:
    """How many of the last characters could begin a reference."""
    word = references.PREFIX
    return next((length for length in range(len(word) - 1, 0, -1) if text.endswith(word[:length])), 0)


def _with_length(start: Message, length: int | None) -> Message:
    """The start of a response with the length that its body will have, or with none where it streams."""
    headers = [(name, value) for name, value in start.get("headers", ()) if name.lower() != b"content-length"]
    had_one = len(headers) != len(start.get("headers", ()))
    if had_one and length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {**start, "headers": headers}


def install() -> bool:
    """Put our last step around the proxy of this process, once. False where there is none or it cannot be.

    It stands inside the proxy's middleware, around its routes, so that it sees answers before they are
    compressed; pictures do not compress, and an answer with one leaves in pieces and as it is.
    """
    application = getattr(sys.modules.get("litellm.proxy.proxy_server"), "app", None)
    router: Any = getattr(application, "router", None)
    inner = getattr(router, "middleware_stack", None)
    if inner is None:
        return False
    if not isinstance(inner, BypassApplication):
        router.middleware_stack = BypassApplication(inner)
    return True


def usable_vault(setting: Bypass, logging_object: Any) -> Vault | None:
    """The vault that a request's pictures may go into, None where they have to go LiteLLM's way.

    A vault serves the call it was opened for and no other that is made on the way. Where an answer may be
    cached the picture itself has to be in it, whatever the setting.
    """
    vault = current_vault()
    if vault is None or vault.owner is None or vault.owner is not logging_object:
        return None
    if setting is Bypass.OFF or litellm.cache is not None:
        return None
    if setting is Bypass.AUTO and answers_are_looked_at():
        return None
    return vault


def answers_are_looked_at() -> bool:
    """Whether some callback may want to see, or to change, the pictures of an answer themselves."""
    return any(map(_looks_at_answers, litellm.callbacks))


def _looks_at_answers(callback: Any) -> bool:
    """Whether a callback may want to see or to change the picture itself."""
    if isinstance(callback, str):
        callback = get_custom_logger_compatible_class(callback)
    if isinstance(callback, CustomGuardrail):
        hooks = str(callback.event_hook)
        return callback.event_hook is None or "post_call" in hooks
    kind = type(callback)
    if not isinstance(callback, CustomLogger) or kind.__module__.startswith(
        (_LITELLMS_OWN_HOOKS, __package__)
    ):
        return False
    return any(
        getattr(kind, hook, None) is not getattr(CustomLogger, hook, None) for hook in _HOOKS_THAT_SEE_ANSWERS
    )
