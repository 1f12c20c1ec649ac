"""A streamed answer of the Images API, which LiteLLM has no path for: it makes a whole one, told in events.

So LiteLLM does everything that it does with any picture: retries and fallbacks, cost, limits and logs, once.
Until a picture on the way, or a long silence, makes the stream begin, errors are HTTP statuses as ever.

Source of the events: https://platform.openai.com/docs/api-reference/images-streaming.
"""

import asyncio

import orjson

from litellm_imagegen.canonical import PartialDelta
from litellm_imagegen.engine import Step
from litellm_imagegen.plugin.events import (
    COMMENT,
    END_OF_BODY,
    Opening,
    as_event,
    body_message,
    error_event,
)
from litellm_imagegen.plugin.vault import Message, Vault
from litellm_imagegen.surfaces import images


class ImageEvents:
    """`operation` is what the events are named after: image_generation or image_edit.

    `headers` go with a stream that begins before LiteLLM has an answer.
    """

    def __init__(self, vault: Vault, operation: str, *, headers: dict[str, str]) -> None:
        self._vault = vault
        self._operation = operation
        self._opening = Opening(headers)
        self._answer: list[bytes] = []

    def came(self, step: Step) -> list[Message]:
        """A picture on the way opens the stream."""
        if not isinstance(step, PartialDelta):
            return []
        shown = self._vault.keep_briefly(step.picture) or images.base64_text(step.picture)
        return self._opening.before([as_event(images.partial_event(self._operation, step, shown))])

    def silent(self) -> list[Message]:
        """A comment; a long silence opens the stream."""
        return self._opening.before([COMMENT])

    async def sent(self, message: Message) -> list[Message]:
        """LiteLLM's whole answer, as events.

        What is none with pictures is sent as it is, so that an error keeps its status; once the stream has
        begun it is an error event.
        """
        if message["type"] == "http.response.start":
            self._opening.start = message
            return []
        self._answer.append(message.get("body", b""))
        if message.get("more_body"):
            return []
        answer, self._answer = b"".join(self._answer), []
        start = self._opening.start
        is_error = start is None or start["status"] != 200
        events = [] if is_error else await asyncio.to_thread(self._told, answer)
        if not events and not self._opening.is_sent and start is not None:
            return [start, body_message(answer), END_OF_BODY]
        return [*self._opening.before(events or [as_event(error_event(answer))]), END_OF_BODY]

    def _told(self, answer: bytes) -> list[bytes]:
        """The events of a whole answer: none where somebody has put something else in its place."""
        try:
            shown = orjson.loads(answer)
            return [as_event(event) for event in images.completed_events(self._operation, shown)]
        except (ValueError, LookupError, TypeError, AttributeError):
            return []
