"""What the Responses API of one app remembers: the conversations up to each response that was stored.

Strategy: a conversation holds what was said and the pictures in it, so that a later request may go on from
its last response or name one of its pictures. The oldest are forgotten when there are too many of them or
their pictures weigh too much. It may be called from any thread.

Source: https://platform.openai.com/docs/guides/conversation-state
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from .openai_inputs import Given

_MOST_RESPONSES = 256
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Said:
    """One item of a conversation: who said it, the words, the pictures.

    A drawn picture has the id of its call, and of the thinking that led to it where there was some.
    """

    role: str
    text: str = ""
    pictures: tuple[Given, ...] = ()
    item_id: str | None = None
    reasoning_id: str | None = None

    @property
    def weight(self) -> int:
        """The memory it holds, about, in bytes."""
        return len(self.text) + sum(len(given.data or b"") for given in self.pictures)


class ResponseMemory:
    """The stored responses of one app, the newest last."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, tuple[Said, ...]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def add(self, response_id: str, conversation: Sequence[Said]) -> None:
        """Keep a conversation with its newest response, and forget the oldest that it leaves no room for."""
        with self._lock:
            self._conversations[response_id] = tuple(conversation)
            self._weight += _weight(conversation)
            while len(self._conversations) > _MOST_RESPONSES or (
                self._weight > _MOST_BYTES and len(self._conversations) > 1
            ):
                _, forgotten = self._conversations.popitem(last=False)
                self._weight -= _weight(forgotten)

    def conversation(self, response_id: str) -> tuple[Said, ...] | None:
        """What was said up to this response; None when it is not kept."""
        with self._lock:
            return self._conversations.get(response_id)

    def item(self, item_id: str) -> Said | None:
        """The item of this id; None when it is not kept."""
        with self._lock:
            conversations = list(self._conversations.values())
        found = (said for conversation in conversations for said in conversation if said.item_id == item_id)
        return next(found, None)


def _weight(conversation: Sequence[Said]) -> int:
    return sum(said.weight for said in conversation)
