"""A conversation as JSON documents that tell pictures by their hashes: what workers share of it. No I/O."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import Frozen, ImageInput, Message, Role, TextPart
from litellm_imagegen.plugin.conversations import Conversation

Document = TypeVar("Document")


class Drawn(Frozen):
    """A picture, which is kept under its hash."""

    sha256: str
    mime: str
    length: int

    @classmethod
    def of(cls, blob: Blob) -> "Drawn":
        """What is told of `blob`. Raises `ValueError` for what is no base64."""
        return cls(sha256=blob.facts["sha256"], mime=blob.mime, length=blob.facts["bytes"])

    @property
    def kept_bytes(self) -> int:
        """What it takes as base64."""
        return (self.length + 2) // 3 * 4


class _Shown(Frozen):
    """A picture of a turn."""

    picture: Drawn
    spelling: str


class _Address(Frozen):
    """A picture that the provider fetches."""

    url: str
    spelling: str


class _Turn(Frozen):
    role: Role
    parts: tuple[TextPart | _Shown | _Address, ...]
    reasoning_details: tuple[Any, ...] = ()


class _Turns(Frozen):
    """The document of a response. One of another version is none."""

    version: Literal[1] = 1
    turns: tuple[_Turn, ...]


class _Item(Frozen):
    """The document of an item of a response."""

    version: Literal[1] = 1
    picture: Drawn


_TURNS, _ITEM = TypeAdapter(_Turns), TypeAdapter(_Item)


@dataclass(frozen=True)
class Written:
    """A conversation as it is kept: the document of its turns, those of its items, and its pictures."""

    turns: bytes
    items: Mapping[str, bytes]
    pictures: Mapping[Drawn, Blob]


def written(conversation: Conversation) -> Written:
    """A conversation as documents, in each of which a picture is told by its hash.

    Raises `ValueError` for what cannot be written. Reads every byte of pictures: not for the event loop.
    """
    pictures: dict[Drawn, Blob] = {}

    def told(blob: Blob) -> Drawn:
        drawn = Drawn.of(blob)
        pictures.setdefault(drawn, blob)
        return drawn

    def part_of(part: TextPart | ImageInput) -> TextPart | _Shown | _Address:
        if isinstance(part, TextPart):
            return part
        if part.blob is None:
            return _Address(url=str(part.url), spelling=part.spelling)
        return _Shown(picture=told(part.blob), spelling=part.spelling)

    turns = tuple(
        _Turn(role=turn.role, parts=tuple(map(part_of, turn.parts)), reasoning_details=turn.reasoning_details)
        for turn in conversation.turns
    )
    items = {item: _ITEM.dump_json(_Item(picture=told(blob))) for item, blob in conversation.pictures.items()}
    return Written(_TURNS.dump_json(_Turns(turns=turns)), items, pictures)


def pictures_in(text: bytes) -> Collection[Drawn] | None:
    """The pictures that a document of turns names, None for what is none that this version writes."""
    document = _validated(_TURNS, text)
    if document is None:
        return None
    parts = (part for turn in document.turns for part in turn.parts)
    return {part.picture: None for part in parts if isinstance(part, _Shown)}.keys()


def picture_in(text: bytes) -> Drawn | None:
    """The picture that an item's document names, None for what is none that this version writes."""
    document = _validated(_ITEM, text)
    return None if document is None else document.picture


def turns_in(text: bytes, pictures: Mapping[Drawn, Blob]) -> tuple[Message, ...] | None:
    """The turns of a document, None where it is none, or where one of its pictures is missing."""

    def part_of(part: TextPart | _Shown | _Address) -> TextPart | ImageInput:
        if isinstance(part, TextPart):
            return part
        if isinstance(part, _Address):
            return ImageInput(url=part.url, spelling=part.spelling)
        return ImageInput(blob=pictures[part.picture], spelling=part.spelling)

    document = _validated(_TURNS, text)
    if document is None:
        return None
    try:
        return tuple(
            Message(
                role=turn.role,
                parts=tuple(map(part_of, turn.parts)),
                reasoning_details=turn.reasoning_details,
            )
            for turn in document.turns
        )
    except KeyError:
        return None


def _validated(form: "TypeAdapter[Document]", text: bytes) -> Document | None:
    try:
        return form.validate_json(text)
    except ValidationError:
        return None
