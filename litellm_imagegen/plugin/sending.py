"""The last step of an answer on its way to the client: what the server is given to send."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator

import orjson

from litellm_imagegen.base64_text import in_batches
from litellm_imagegen.engine import Step
from litellm_imagegen.plugin import references
from litellm_imagegen.plugin.events import COMMENT, body_message, is_event_stream
from litellm_imagegen.plugin.vault import Message, Vault

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Proxies in between commonly wait a minute, some half of it.
SILENCE_SECONDS = 10.0


class Receiver:
    """Hands on what the client sends, and notes when it hangs up, where somebody wants to know.

    LiteLLM looks at the connection for chat alone.
    """

    def __init__(self, vault: Vault, receive: Receive) -> None:
        self._vault = vault
        self._receive = receive
        self._is_whole = False
        self._is_watched = False
        self._watch: asyncio.Task[None] | None = None
        vault.watch_client = self._begin_watch

    async def __call__(self) -> Message:
        """The next message of the client."""
        if self._watch is not None:  # a server may tell of the end once, and to one that waits for it
            await self._vault.client_gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            self._is_whole = True
            if self._is_watched:
                self._begin_watch()
        return message

    def close(self) -> None:
        """The answer is there, or nobody makes one any more."""
        if self._watch is not None:
            self._watch.cancel()

    def _begin_watch(self) -> None:
        """Set the vault's event when the client hangs up; the whole request has to be here by then."""
        self._is_watched = True
        if self._is_whole and self._watch is None:
            self._watch = asyncio.create_task(self._wait_for_end())

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._vault.client_gone.set()


def ends_with_connection() -> bool:
    """The operator's setting for what a client's hanging up means."""
    settings = getattr(sys.modules.get("litellm.proxy.proxy_server"), "general_settings", None) or {}
    return bool(settings.get("cancel_on_disconnect"))


class Sender:
    """Sends what the application sends, with pictures in the place of their references.

    Where the vault has an answer that is sent live, that one decides what is sent. While a stream of ours is
    silent, comments keep its connection open: a picture may take minutes, and whoever stands between takes a
    silent connection for a dead one.
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
        vault.send_on = self._came
        vault.break_silence = self._begin_to_break_silence

    async def __call__(self, message: Message) -> None:
        """Send what the application sends."""
        async with self._one_at_a_time:
            live = self._vault.live
            self._vault.has_started |= live is None
            for following in [message] if live is None else await live.sent(message):
                await self._take(following)
        if message["type"] == "http.response.start" and is_event_stream(message):
            self._begin_to_break_silence()

    def _begin_to_break_silence(self) -> None:
        """From now on say something where nothing is said."""
        if self._silence is None:
            self._silence = asyncio.create_task(self._break_silence())

    def close(self) -> None:
        """Nothing is sent any more."""
        if self._silence is not None:
            self._silence.cancel()

    async def _came(self, step: Step) -> None:
        # Who is cancelled meanwhile leaves no half of an event behind.
        await asyncio.shield(asyncio.ensure_future(self._send_live(step)))

    async def _send_live(self, step: Step) -> None:
        async with self._one_at_a_time:
            if self._vault.live is not None:
                for message in self._vault.live.came(step):
                    await self._take(message)

    async def _break_silence(self) -> None:
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            async with self._one_at_a_time:
                was_silent, self._was_silent = self._was_silent, True
                if not was_silent:
                    continue
                if self._vault.live is not None:
                    for message in self._vault.live.silent():
                        await self._take(message)
                elif self._is_between_events and self._vault.serves_stream:
                    await self._sends_on(body_message(COMMENT))

    async def _take(self, message: Message) -> None:
        if self._vault.finishes and message["type"] == "http.response.body":
            message = self._with_finishes(message)
        if message["type"] == "http.response.start" and not self._vault.is_empty:
            self._start = message  # its length is known only with the body
        elif message["type"] == "http.response.body" and (
            not self._vault.is_empty or self._start or self._tail
        ):
            await self._send_body(message)
        else:
            await self._send(message)

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

    async def _send_body(self, message: Message) -> None:
        more = bool(message.get("more_body", False))
        pieces = self._pieces(self._tail + message.get("body", b""), is_last=not more)
        if self._start is not None:
            await self._send(with_length(self._start, None if more else sum(map(len, pieces))))
            self._start = None
        for body in in_batches(pieces):
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if not more:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self._was_silent = False
            if body := message.get("body"):
                self._is_between_events = body.endswith(b"\n\n")
            if not message.get("more_body"):
                self.close()
        await self._sends_on(message)

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


def with_length(start: Message, length: int | None) -> Message:
    """The start of a response with the length that its body will have, or with none where it streams."""
    headers = [(name, value) for name, value in start.get("headers", ()) if name.lower() != b"content-length"]
    had_one = len(headers) != len(start.get("headers", ()))
    if had_one and length is not None:
        headers.append((b"content-length", str(length).encode()))
    return {**start, "headers": headers}


def _occurrences(text: bytes, word: bytes) -> Iterator[int]:
    position = text.find(word)
    while position >= 0:
        yield position
        position = text.find(word, position + 1)


def _possible_beginning(text: bytes) -> int:
    """How many of the last characters could begin a reference."""
    word = references.PREFIX
    return next((length for length in range(len(word) - 1, 0, -1) if text.endswith(word[:length])), 0)
