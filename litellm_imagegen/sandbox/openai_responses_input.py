"""The input of a Responses request: a string, or messages, drawn pictures and other items of a conversation.

Strategy: every item becomes a `Said`. Pictures are read as strictly as those of an edit; a picture that was
drawn before comes with its bytes, or is found by the id of its call among what is remembered.

Source: https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import strict
from .openai_errors import invalid_value, missing_parameter
from .openai_inputs import Given, read_file, read_reference
from .openai_readers import Reader, any_array, any_object, choice, listed, record, text, variants
from .openai_responses_errors import item_not_found, reasoning_missing
from .openai_responses_memory import ResponseMemory, Said

_LONGEST_TEXT = 10_485_760
_STATUSES = ("in_progress", "completed", "generating", "incomplete", "failed")
_DETAILS = ("auto", "low", "high", "original")
_OF_REFERENCE = ("image_url", "file_id")

Part = tuple[str, tuple[Given, ...]]

_words = text(_LONGEST_TEXT)


def read_input(value: Any, memory: ResponseMemory) -> tuple[Said, ...]:
    """Read the whole input. Raises OpenAIError at the first fault. Decodes pictures: call it in a thread."""
    if isinstance(value, str):
        return (Said(role="user", text=_words(value, "input")),)
    items: list[Said] = listed(_item_reader(memory))(value, "input")
    named = {said.item_id for said in items}
    for said in items:
        if said.reasoning_id is not None and said.reasoning_id not in named:
            raise reasoning_missing(str(said.item_id), said.reasoning_id)
    return tuple(items)


def _item_reader(memory: ResponseMemory) -> Reader:
    by_type = variants(
        {
            "message": _message,
            "image_generation_call": lambda value, name: _drawn(value, name, memory),
            "reasoning": _reasoning,
            "item_reference": lambda value, name: _kept(_reference(value, name)["id"], memory),
        }
    )

    def read(value: Any, name: str) -> Any:
        is_message = isinstance(value, dict) and value.get("type") is None and "role" in value
        return _message(value, name) if is_message else by_type(value, name)

    return read


def _message(value: Any, name: str) -> Said:
    fields = record(
        {
            "type": text(),
            "role": choice(("user", "assistant", "system", "developer")),
            "content": lambda content, _: content,
            "id": text(shortest=1),
            "status": choice(_STATUSES),
            "phase": choice(("commentary", "final_answer")),
        },
        required=("role", "content"),
    )(value, name)
    role, content = fields["role"], fields["content"]
    if isinstance(content, str):
        return Said(role=role, text=_words(content, f"{name}.content"), item_id=fields.get("id"))
    taken = _OF_ASSISTANT if role == "assistant" else _OF_OTHERS
    parts: list[Part] = listed(variants(taken))(content, f"{name}.content")
    return Said(
        role=role,
        text="\n".join(words for words, _ in parts if words),
        pictures=tuple(given for _, pictures in parts for given in pictures),
        item_id=fields.get("id"),
    )


def _drawn(value: Any, name: str, memory: ResponseMemory) -> Said:
    """A picture that was drawn before. `action` is told in replies and refused in requests."""
    told = ("background", "output_format", "quality", "revised_prompt", "size")
    fields = record(
        {
            "type": text(),
            "id": text(shortest=1),
            "status": choice(_STATUSES),
            "result": text(shortest=1),
            **{key: text() for key in told},
        },
        required=("id",),
    )(value, name)
    known = memory.item(fields["id"])
    if "result" not in fields:
        return _kept(fields["id"], memory)
    faults: strict.Violations = []
    data = strict.base64_bytes(fields["result"], f"{name}.result", faults)
    if faults:
        raise invalid_value(f"{name}.result", faults[0].description)
    return Said(
        role="assistant",
        pictures=(read_file(data, f"{name}.result"),),
        item_id=fields["id"],
        reasoning_id=known.reasoning_id if known is not None else None,
    )


def _kept(item_id: str, memory: ResponseMemory) -> Said:
    found = memory.item(item_id)
    if found is None:
        raise item_not_found(item_id)
    return found


def _reasoning(value: Any, name: str) -> Said:
    fields = record(
        {
            "type": text(),
            "id": text(shortest=1),
            "summary": any_array,
            "content": any_array,
            "encrypted_content": text(),
            "status": choice(_STATUSES),
        },
        required=("id", "summary"),
    )(value, name)
    return Said(role="assistant", item_id=fields["id"])


def _text_part(key: str, *others: str) -> Reader:
    """A part of a message with words in this field; the others are not looked at."""
    ignored: dict[str, Reader] = {other: lambda value, _: value for other in others}
    fields = record({"type": text(), key: _words, **ignored}, required=(key,))

    def read(value: Any, name: str) -> Part:
        return fields(value, name)[key], ()

    return read


def _picture_part(value: Any, name: str) -> Part:
    """A picture of a message: image_url (an address or a data URL) or file_id."""
    given = any_object(value, name)
    place = {key: given[key] for key in given if key in _OF_REFERENCE}
    rest = {key: given[key] for key in given if key not in _OF_REFERENCE}
    record({"type": text(), "detail": choice(_DETAILS), "prompt_cache_breakpoint": any_object})(rest, name)
    return "", (read_reference(place, name),)


def _file_part(value: Any, name: str) -> Part:
    """A file of a message, which is not opened."""
    fields = {key: text() for key in ("type", "file_id", "file_data", "file_url", "filename", "detail")}
    if not record(fields)(value, name).keys() & {"file_id", "file_data", "file_url"}:
        raise missing_parameter(f"{name}.file_id")
    return "", ()


_reference = record({"type": text(), "id": text(shortest=1)}, required=("id",))
_OF_OTHERS: Mapping[str, Reader] = {
    "input_text": _text_part("text", "prompt_cache_breakpoint"),
    "input_image": _picture_part,
    "input_file": _file_part,
}
_OF_ASSISTANT: Mapping[str, Reader] = {
    "output_text": _text_part("text", "annotations", "logprobs"),
    "refusal": _text_part("refusal"),
}


def references(conversation: Sequence[Said]) -> list[Given]:
    """All pictures of a conversation: those of its newest item first, each item's in their own order."""
    return [given for said in reversed(conversation) for given in said.pictures]


def prompt_of(conversation: Sequence[Said]) -> str:
    """The words of the user's last turn."""
    words = [said.text for said in conversation if said.role == "user" and said.text]
    return words[-1] if words else ""
