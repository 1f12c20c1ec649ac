"""What is kept of one request to the proxy while it lives: its pictures, and how its answer is to be sent."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from litellm_imagegen.canonical import Notice, Picture
from litellm_imagegen.engine import Step
from litellm_imagegen.plugin import references
from litellm_imagegen.plugin.client import Client

Message = MutableMapping[str, Any]

# A bound for all vaults of a process; beyond it pictures go LiteLLM's way.
MAXIMUM_HELD_BYTES = 2 * 1024**3


class Live(Protocol):
    """An answer that is sent in another form than LiteLLM's, part of it before LiteLLM has it.

    Each method gives the ASGI messages that are to be sent in the place of what it is told of.
    """

    async def sent(self, message: Message) -> list[Message]:
        """LiteLLM sends `message`."""
        ...

    def came(self, step: Step) -> list[Message]:
        """The provider has come to `step`, which LiteLLM may not know of."""
        ...

    def silent(self) -> list[Message]:
        """Nothing has been sent for a while."""
        ...


class Vault:
    """One request: its pictures on their way to the client, and what decides how its answer is sent."""

    held_bytes = 0  # of all vaults of the process

    def __init__(self) -> None:
        self._pictures: dict[bytes, tuple[bytes, Picture]] = {}
        self._brief: str | None = None
        self._is_closed = False
        self.owner: Any = None
        self.request: dict[str, Any] | None = None  # as the proxy keeps it until the end
        self.client: Client | None = None
        self.notices: tuple[Notice, ...] = ()
        self.previous_response_id: str | None = None  # as the client has sent it
        self.serves_stream = False
        self.finishes: tuple[str, ...] = ()  # of choices beyond the first, as LiteLLM does not pass them on
        self.live: Live | None = None
        self.has_started = False  # a start that is not live's has been sent
        self.failure: Exception | None = None  # before the first frame, where LiteLLM gives no HTTP status
        self.send_on: Callable[[Step], Awaitable[None]] | None = None
        self.client_gone = asyncio.Event()
        self.watch_client: Callable[[], None] | None = None
        self.break_silence: Callable[[], None] | None = None

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

    def keep_briefly(self, picture: Picture) -> str | None:
        """As `keep`, as base64, for a picture that is sent at once and once: the one before it goes."""
        if self._brief is not None and (kept := self._pictures.pop(self._brief.encode(), None)) is not None:
            Vault.held_bytes -= kept[1].blob.base64_length
        self._brief = self.keep(picture, as_url=False)
        return self._brief

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

    def go_live(self, live: Live) -> None:
        """From now on `live` decides what is sent, also when nothing has been for long."""
        self.live = live
        if self.break_silence is not None:
            self.break_silence()

    async def came(self, step: Step) -> None:
        """Tell the answer, where it is sent live, what the provider has come to."""
        if self.live is not None and self.send_on is not None:
            await self.send_on(step)

    def close(self) -> None:
        """Let everything go. Nothing is kept afterwards."""
        self._is_closed = True
        Vault.held_bytes -= sum(picture.blob.base64_length for _, picture in self._pictures.values())
        self._pictures.clear()
        self.owner = self.request = self.client = self.live = self.failure = None
        self.send_on = self.watch_client = self.break_silence = None
        self.notices = ()


_current: contextvars.ContextVar[Vault | None] = contextvars.ContextVar("imagegen_vault", default=None)


def current_vault() -> Vault | None:
    """The vault of the request that this code runs for; None outside the routes we serve."""
    return _current.get()


def open_vault() -> "tuple[Vault, contextvars.Token[Vault | None]]":
    """A new vault for the request that begins here."""
    vault = Vault()
    return vault, _current.set(vault)


def close_vault(vault: Vault, token: "contextvars.Token[Vault | None]") -> None:
    """The request of `open_vault` has ended."""
    _current.reset(token)
    vault.close()
