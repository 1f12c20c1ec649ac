"""What responses have led to, so that the next request can name one instead of sending everything again.

LiteLLM keeps conversations in its database, without pictures. Here they are kept in the process, for a while
and up to a bound; what one team or key has drawn no other finds. For other workers of a proxy they are kept
elsewhere too: shared_conversations.py.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import ImageInput, Message, TextPart

_MAXIMUM_BYTES = 256 * 1024**2
_MAXIMUM_CONVERSATIONS = 10_000
KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Conversation:
    """All turns up to a response, and its pictures by the id of their item.

    `public_id` is the id that its client was given, where that is known.
    """

    turns: tuple[Message, ...]
    pictures: Mapping[str, Blob] = field(default_factory=dict)
    public_id: str | None = None

    @cached_property
    def held_bytes(self) -> int:
        """What its words and its pictures take, each picture once."""
        parts = [part for turn in self.turns for part in turn.parts]
        given = [part.blob for part in parts if isinstance(part, ImageInput)]
        blobs = {id(blob): blob for blob in (*given, *self.pictures.values()) if blob}
        words = sum(len(part.text) for part in parts if isinstance(part, TextPart))
        return words + sum(blob.held_bytes for blob in blobs.values())


@dataclass(frozen=True)
class Recalled:
    """What a request refers to: the turns up to a response, and pictures by the id of their item."""

    turns: tuple[Message, ...] | None = None
    pictures: Mapping[str, Blob] = field(default_factory=dict)


class Conversations:
    """The latest conversations, by their owner and their response's id."""

    def __init__(self, maximum_bytes: int = _MAXIMUM_BYTES) -> None:
        self._maximum_bytes = maximum_bytes
        self._kept: OrderedDict[tuple[Hashable, str], tuple[float, Conversation]] = OrderedDict()
        # The id of the response that an item is of, or that has another id for its client.
        self._belongs_to: dict[tuple[Hashable, str], str] = {}
        self._lock = Lock()
        self.held_bytes = 0

    def keep(self, owner: Hashable, response_id: str, conversation: Conversation) -> None:
        """Keep a conversation; those not used for longest go where it needs their place."""
        size = conversation.held_bytes
        if size > self._maximum_bytes:
            return
        with self._lock:
            self._drop((owner, response_id))
            self._kept[owner, response_id] = time.monotonic() + KEPT_SECONDS, conversation
            self._belongs_to |= {(owner, name): response_id for name in _names(conversation)}
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
            return self._find((owner, self._belongs_to.get((owner, response_id), response_id)))

    def picture(self, owner: Hashable, item_id: str) -> Blob | None:
        """The picture of an item of a response, found as long as the conversation is."""
        with self._lock:
            response_id = self._belongs_to.get((owner, item_id))
            found = None if response_id is None else self._find((owner, response_id))
            return None if found is None else found.pictures.get(item_id)

    def _find(self, key: tuple[Hashable, str]) -> Conversation | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] < time.monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def _drop(self, key: tuple[Hashable, str]) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.held_bytes -= kept[1].held_bytes
            for name in _names(kept[1]):
                self._belongs_to.pop((key[0], name), None)


def _names(conversation: Conversation) -> tuple[str, ...]:
    public = () if conversation.public_id is None else (conversation.public_id,)
    return (*conversation.pictures, *public)


CONVERSATIONS = Conversations()
