"""What responses have led to, so that the next request can name one instead of sending everything again.

LiteLLM keeps conversations in its database, without pictures. Here they are kept in the process, for a while
and up to a bound; what one team or key has drawn no other finds.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput, Message

_MAXIMUM_BYTES = 256 * 1024**2
_MAXIMUM_CONVERSATIONS = 10_000
_KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Conversation:
    """All turns up to a response, and its pictures by the id of their item."""

    turns: tuple[Message, ...]
    pictures: Mapping[str, Blob] = field(default_factory=dict)

    @property
    def held_bytes(self) -> int:
        """What its pictures take."""
        parts = [part for turn in self.turns for part in turn.parts if isinstance(part, ImageInput)]
        blobs = {id(blob): blob for blob in (*(part.blob for part in parts), *self.pictures.values()) if blob}
        return sum(blob.held_bytes for blob in blobs.values())


class Conversations:
    """The latest conversations, by their owner and their response's id."""

    def __init__(self, maximum_bytes: int = _MAXIMUM_BYTES) -> None:
        self._maximum_bytes = maximum_bytes
        self._kept: OrderedDict[tuple[Hashable, str], tuple[float, Conversation]] = OrderedDict()
        self._items: dict[tuple[Hashable, str], Blob] = {}
        self._lock = Lock()
        self.held_bytes = 0

    def keep(self, owner: Hashable, response_id: str, conversation: Conversation) -> None:
        """Keep a conversation; those not used for longest go where it needs their place."""
        size = conversation.held_bytes
        if size > self._maximum_bytes:
            return
        with self._lock:
            self._drop((owner, response_id))
            self._kept[owner, response_id] = time.monotonic() + _KEPT_SECONDS, conversation
            self._items |= {(owner, item): blob for item, blob in conversation.pictures.items()}
            self.held_bytes += size
            now = time.monotonic()
            while (
                self.held_bytes > self._maximum_bytes
                or len(self._kept) > _MAXIMUM_CONVERSATIONS
                or next(iter(self._kept.values()))[0] < now
            ):
                self._drop(next(iter(self._kept)))

    def find(self, owner: Hashable, response_id: str) -> Conversation | None:
        """The conversation up to a response, None for one that is not known, or not this owner's."""
        with self._lock:
            kept = self._kept.get((owner, response_id))
            if kept is None or kept[0] < time.monotonic():
                return None
            self._kept.move_to_end((owner, response_id))
            return kept[1]

    def picture(self, owner: Hashable, item_id: str) -> Blob | None:
        """The picture of an item of a kept response."""
        with self._lock:
            return self._items.get((owner, item_id))

    def _drop(self, key: tuple[Hashable, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.held_bytes -= kept[1].held_bytes
            for item in kept[1].pictures:
                self._items.pop((key[0], item), None)


CONVERSATIONS = Conversations()
