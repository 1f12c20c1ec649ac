"""Reads a chat completion request as strictly as the gateways do: messages, pictures, the common fields.

Strategy: `read_chat(values, fields, rules)` gives a `Chat`. A gateway hands over a table of its own fields
(name to reader of `openai_readers`) and its rules for pictures; what all gateways have is in `COMMON_FIELDS`.
A name in neither table is refused. Every fault is an OpenAIError, which the gateway words in its own form.
Nothing is ever fetched.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .chat_pictures import PictureRules, picture_part
from .input_pictures import InputPicture
from .openai_errors import OpenAIError, bad_request, invalid_value
from .openai_readers import (
    Reader,
    any_array,
    any_object,
    boolean,
    choice,
    listed,
    number,
    record,
    text,
    variants,
    whole,
)

_INT32 = 2**31 - 1
_INT64 = 2**63 - 1
_MOST_STOPS = 4

Part = tuple[str, tuple[InputPicture, ...]]


@dataclass(frozen=True, kw_only=True)
class Chat:
    """What a conversation asks for.

    `prompt` is the words of the last user message, `pictures` those of all messages in order, `text_signs`
    the number of signs of all words, `fields` all other fields that were given.
    """

    model: str
    prompt: str
    pictures: tuple[InputPicture, ...]
    text_signs: int
    fields: Mapping[str, Any]

    @property
    def stream(self) -> bool:
        """Whether the reply is to be sent as chunks."""
        return bool(self.fields.get("stream", False))

    @property
    def include_usage(self) -> bool:
        """Whether a stream is asked for its usage."""
        return bool(self.fields.get("stream_options", {}).get("include_usage", False))

    @property
    def seed(self) -> int | None:
        """The seed that was given."""
        seed: int | None = self.fields.get("seed")
        return seed


@dataclass(frozen=True)
class _Message:
    role: str
    words: str
    pictures: tuple[InputPicture, ...]


def one_of(*readers: Reader) -> Reader:
    """What the first of these readers takes that can; the last one tells the fault when none does."""

    def read(value: Any, name: str) -> Any:
        for reader in readers[:-1]:
            try:
                return reader(value, name)
            except OpenAIError:
                continue
        return readers[-1](value, name)

    return read


COMMON_FIELDS: Mapping[str, Reader] = {
    "stream": boolean,
    "stream_options": record({"include_usage": boolean}),
    "max_tokens": whole(1, _INT32),
    "max_completion_tokens": whole(1, _INT32),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "top_k": whole(0, _INT32),
    "seed": whole(-_INT64 - 1, _INT64),
    "stop": one_of(text(), listed(text(), at_most=_MOST_STOPS)),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "user": text(),
}


def read_chat(values: Mapping[str, Any], fields: Mapping[str, Reader], rules: PictureRules) -> Chat:
    """Read a whole request. Raises OpenAIError at the first fault. Decodes pictures: call it in a thread."""
    readers = {"model": text(shortest=1), "messages": _messages(rules), **COMMON_FIELDS, **fields}
    found = record(readers, required=("model", "messages"))(values, "")
    messages: Sequence[_Message] = found.pop("messages")
    return Chat(
        model=found.pop("model"),
        prompt=next(message.words for message in reversed(messages) if message.role == "user"),
        pictures=tuple(picture for message in messages for picture in message.pictures),
        text_signs=sum(len(message.words) for message in messages),
        fields=found,
    )


def _messages(rules: PictureRules) -> Reader:
    by_role = {
        "system": _message_reader(rules, "system"),
        "developer": _message_reader(rules, "developer"),
        "user": _message_reader(rules, "user"),
        "assistant": _assistant_reader(rules),
        "tool": _message_reader(rules, "tool", tool_call_id=text(shortest=1)),
    }

    def read_one(value: Any, name: str) -> _Message:
        role = choice(tuple(by_role))(any_object(value, name).get("role"), f"{name}.role")
        message: _Message = by_role[role](value, name)
        return message

    def read(value: Any, name: str) -> list[_Message]:
        messages: list[_Message] = listed(read_one)(value, name)
        last = messages[-1].role if messages else None
        if last not in ("user", "tool"):
            raise invalid_value(name, f"its last message must be the user's, not of {last or 'nobody'}.")
        users = [message for message in messages if message.role == "user"]
        if not users or not (users[-1].words.strip() or users[-1].pictures):
            raise bad_request("The last user message has neither words nor a picture.", param=name)
        return messages

    return read


def _message_reader(rules: PictureRules, role: str, **more: Reader) -> Reader:
    """A message of this role: words, or parts; only the user's parts may be pictures."""
    parts: dict[str, Reader] = {"text": _text_part}
    if role == "user":
        parts["image_url"] = picture_part(rules)
    fields = record(
        {"role": text(), "content": _content(parts), "name": text(), **more},
        required=("role", "content", *more),
    )

    def read(value: Any, name: str) -> _Message:
        return _joined(role, fields(value, name)["content"])

    return read


def _assistant_reader(rules: PictureRules) -> Reader:
    """What the model has said before; its pictures are in `images`, or are parts of its content."""
    picture = picture_part(rules)
    parts = {"text": _text_part, "refusal": _refusal_part, "image_url": picture}
    ignored: dict[str, Reader] = {
        "name": text(),
        "refusal": text(),
        "reasoning": text(),
        "reasoning_content": text(),
        "reasoning_details": listed(any_object),
        "tool_calls": listed(any_object),
        "annotations": any_array,
    }
    images = listed(variants({"image_url": picture}))
    fields = record({"role": text(), "content": _content(parts), "images": images, **ignored})

    def read(value: Any, name: str) -> _Message:
        found = fields(value, name)
        return _joined("assistant", [*found.get("content", []), *found.get("images", [])])

    return read


def _content(parts: Mapping[str, Reader]) -> Reader:
    listed_parts = listed(variants(parts))

    def read(value: Any, name: str) -> list[Part]:
        if isinstance(value, str):
            return [(value, ())]
        found: list[Part] = listed_parts(value, name)
        return found

    return read


def _text_part(value: Any, name: str) -> Part:
    part = record({"type": text(), "text": text(), "cache_control": any_object}, required=("text",))
    return part(value, name)["text"], ()


def _refusal_part(value: Any, name: str) -> Part:
    return record({"type": text(), "refusal": text()}, required=("refusal",))(value, name)["refusal"], ()


def _joined(role: str, parts: Sequence[Part]) -> _Message:
    words = "\n".join(words for words, _ in parts if words)
    return _Message(role, words, tuple(picture for _, pictures in parts for picture in pictures))
