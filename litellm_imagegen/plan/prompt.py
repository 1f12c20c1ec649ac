"""A conversation as one prompt with pictures, for models that take no turns."""

from collections.abc import Iterator, Sequence

from litellm_imagegen.canonical import ImageInput, Message, TextPart

_EARLIER_TURNS = 6
_EARLIER_CHARACTERS = 500
_SPEAKERS = {"user": "User", "assistant": "Assistant"}


def prompt_of(messages: Sequence[Message]) -> str:
    """The words of the last user turn, after the system's and a short transcript of earlier turns."""
    place = _last_turn(messages)
    system = [_words(message) for message in messages if message.role == "system"]
    earlier = [message for message in messages[:place] if message.role != "system" and _words(message)]
    transcript = [
        f"{_SPEAKERS[message.role]}: {_words(message)[:_EARLIER_CHARACTERS]}"
        for message in earlier[-_EARLIER_TURNS:]
    ]
    if transcript:
        transcript.insert(0, "Earlier in this conversation:")
    last = _words(messages[place]) if place < len(messages) else ""
    return "\n\n".join(filter(None, (*system, "\n".join(transcript), last)))


def pictures_of(messages: Sequence[Message]) -> tuple[tuple[ImageInput, ...], tuple[ImageInput, ...]]:
    """The pictures of the last user turn in order, and those of earlier turns, the latest first."""
    place = _last_turn(messages)
    earlier = [picture for message in messages[:place] for picture in _pictures(message)]
    last = [picture for message in messages[place:] for picture in _pictures(message)]
    return tuple(last), tuple(reversed(earlier))


def _last_turn(messages: Sequence[Message]) -> int:
    places = [index for index, message in enumerate(messages) if message.role == "user"]
    return places[-1] if places else len(messages)


def _words(message: Message) -> str:
    return "\n".join(part.text for part in message.parts if isinstance(part, TextPart)).strip()


def _pictures(message: Message) -> Iterator[ImageInput]:
    return (part for part in message.parts if isinstance(part, ImageInput))
