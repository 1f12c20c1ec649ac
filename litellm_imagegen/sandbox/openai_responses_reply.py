"""Composes what the Responses API answers: thinking, words and drawn pictures, as the items of its output.

Strategy: `compose` makes all items once, with their pictures; how they are told, as one object or as the
events of a stream, is told elsewhere. It draws, so call it off the event loop.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import openai_request
from .faults import Wishes
from .input_pictures import read_picture
from .openai_drawing import prompt_of
from .openai_errors import OpenAIError, moderation_blocked
from .openai_exchange import NO_PICTURE
from .openai_inputs import Given
from .openai_reply import partials_of, picture_base64, settings_of
from .openai_responses_memory import Said
from .openai_responses_request import AskedResponse
from .openai_tokens import input_picture_tokens, text_tokens

_THINKING_TOKENS = 128
_REFUSAL = "refusal"
_TOLD_REASONS = {"MAX_TOKENS": "max_output_tokens"}
_THOUGHTS = "I think about composition, light and where the words should stand."
_QUESTION = "I did not draw this yet. Which style and which background would you like? (sandbox)"
_REFUSED = "I can't help with this picture. Word the request in another way. (sandbox)"
_MORE_WORDS = "These words were added because the request wished for them. (sandbox)"

Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A composed reply. `partials` are the unfinished pictures in base64, by the id of their call.

    `created` is in Unix seconds.
    """

    asked: AskedResponse
    output: Sequence[Item] = ()
    partials: Mapping[str, Sequence[str]] = field(default_factory=dict)
    status: str = "completed"
    error: OpenAIError | None = None
    incomplete_reason: str | None = None
    id: str = field(default_factory=lambda: _new_id("resp"))
    created: int = field(default_factory=lambda: int(time.time()))


def compose(asked: AskedResponse, wishes: Wishes) -> Reply:
    """The reply to a request, with the wished turns of the model itself (refusals, drafts, words)."""
    if wishes.empty:
        return Reply(asked=asked)
    if wishes.block_reason is not None:
        return Reply(asked=asked, status="failed", error=moderation_blocked("input"))
    thinking = list(_thinking(asked, wishes))
    output = [*thinking, *_answer(asked, wishes)]
    if wishes.refuse_picture:
        return Reply(asked=asked, output=output, status="failed", error=moderation_blocked("output"))
    reason = _incomplete_reason(wishes)
    if output_tokens(asked, output) > asked.fields.get("max_output_tokens", float("inf")):
        output, reason = thinking, _TOLD_REASONS["MAX_TOKENS"]
    return Reply(
        asked=asked,
        output=output,
        partials=_partials(asked, wishes, output),
        status="completed" if reason is None else "incomplete",
        incomplete_reason=reason,
    )


def _incomplete_reason(wishes: Wishes) -> str | None:
    reason = wishes.finish_reason
    if reason is None or reason == NO_PICTURE or reason.lower() == _REFUSAL:
        return None
    return _TOLD_REASONS.get(reason, reason)


def _thinking(asked: AskedResponse, wishes: Wishes) -> Iterator[Item]:
    if not (asked.thinks or wishes.drafts):
        return
    shown = wishes.drafts or asked.thoughts_shown
    item: Item = {
        "id": _new_id("rs"),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": _THOUGHTS}] if shown else [],
    }
    if "reasoning.encrypted_content" in asked.fields.get("include", ()):
        item["encrypted_content"] = secrets.token_urlsafe(96)
    yield item


def _answer(asked: AskedResponse, wishes: Wishes) -> Iterator[Item]:
    picture = asked.picture
    if (wishes.finish_reason or "").lower() == _REFUSAL:
        yield _message({"type": "refusal", "refusal": _REFUSED})
    elif wishes.words_only:
        yield _words(_QUESTION)
    elif picture is None:
        yield _words(f"Words only, as the request wants. It said: {asked.prompt[:200]}")
    elif wishes.refuse_picture or wishes.finish_reason == NO_PICTURE:
        yield _call(picture, None)
    else:
        yield from _drawn(asked, picture, wishes)
    if wishes.words:
        yield _words(_MORE_WORDS)


def _drawn(asked: AskedResponse, picture: openai_request.Asked, wishes: Wishes) -> Iterator[Item]:
    """The pictures with words before each. A model that must draw says nothing, in a message after them."""
    count = wishes.pictures or (1 if wishes.finish_reason is None else 0)
    for number in range(1, count + 1):
        if not asked.tools.must_draw:
            yield _words(_line_before(number, count, picture))
        yield _call(picture, picture_base64(picture, wishes, number=number, of=count))
    if asked.tools.must_draw and count:
        yield _words("")


def _line_before(number: int, of: int, picture: openai_request.Asked) -> str:
    if of > 1:
        return f"Picture {number} of {of}:"
    return f"Here is the picture you asked for, {picture.width} by {picture.height} pixels."


def _words(text: str) -> Item:
    return _message({"type": "output_text", "annotations": [], "logprobs": [], "text": text})


def _message(part: Item) -> Item:
    return {
        "id": _new_id("msg"),
        "type": "message",
        "status": "completed",
        "content": [part],
        "role": "assistant",
    }


def _call(picture: openai_request.Asked, result: str | None) -> Item:
    """A call of the tool, which failed when it has no result."""
    return {
        "id": _new_id("ig"),
        "type": "image_generation_call",
        "status": "failed" if result is None else "completed",
        "action": "edit" if picture.operation == "edit" else "generate",
        **settings_of(picture),
        "result": result,
        "revised_prompt": f"{prompt_of(picture)}, in a soft scene with these words written on it.",
    }


def _partials(asked: AskedResponse, wishes: Wishes, output: Sequence[Item]) -> dict[str, Sequence[str]]:
    if asked.picture is None:
        return {}
    calls = calls_of(output)
    return {
        call["id"]: partials_of(asked.picture, wishes, number=number, of=len(calls))
        for number, call in enumerate(calls, 1)
    }


def calls_of(output: Sequence[Item]) -> list[Item]:
    """The calls of the tool that drew a picture."""
    return [item for item in output if item.get("result") is not None]


def output_tokens(asked: AskedResponse, output: Sequence[Item]) -> int:
    """The tokens of the model itself; those of pictures are billed apart."""
    words = [part.get("text", "") for item in output for part in item.get("content", ())]
    prompts = [item["revised_prompt"] for item in output if "revised_prompt" in item]
    thinking = _THINKING_TOKENS if asked.thinks else 0
    return thinking + sum(text_tokens(text) for text in (*words, *prompts))


def reasoning_tokens(asked: AskedResponse) -> int:
    """How many of the model's tokens went into thinking."""
    return _THINKING_TOKENS if asked.thinks else 0


def input_tokens(asked: AskedResponse) -> int:
    """The tokens of all that was said to the model."""
    texts = [asked.fields.get("instructions", ""), *(said.text for said in asked.conversation)]
    pictures = sum(len(said.pictures) for said in asked.conversation)
    return sum(text_tokens(text) for text in texts) + pictures * input_picture_tokens(high_fidelity=False)


def conversation_of(reply: Reply) -> tuple[Said, ...]:
    """The conversation as it stands after a reply."""
    reasoning_id = next((item["id"] for item in reply.output if item["type"] == "reasoning"), None)
    return (*reply.asked.conversation, *(_said(item, reasoning_id) for item in reply.output))


def _said(item: Item, reasoning_id: str | None) -> Said:
    if item["type"] != "image_generation_call":
        words = [part.get("text") or part.get("refusal", "") for part in item.get("content", ())]
        return Said(role="assistant", text="\n".join(words), item_id=item["id"])
    return Said(role="assistant", pictures=_given(item), item_id=item["id"], reasoning_id=reasoning_id)


def _given(call: Item) -> tuple[Given, ...]:
    try:
        data = base64.b64decode(call["result"] or "", validate=True)
        return (Given(param="input", shown=read_picture(data), data=data),)
    except ValueError:
        return ()


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(24)}"
