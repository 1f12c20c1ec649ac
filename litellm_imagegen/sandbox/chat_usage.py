"""How many tokens one of Google's models bills behind a gateway.

Source: https://ai.google.dev/gemini-api/docs/pricing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .chat_reply import Piece
from .chat_request import Chat
from .gemini_models import Model

_SIGNS_PER_TOKEN = 4
_THOUGHT_TOKENS = 180


@dataclass(frozen=True, kw_only=True)
class TokenUsage:
    """Tokens of a request and its answer, by what they are spent on."""

    text_in: int
    pictures_in: int
    text_out: int
    pictures_out: int
    thoughts: int

    @property
    def prompt_tokens(self) -> int:
        """All that came in."""
        return self.text_in + self.pictures_in

    @property
    def completion_tokens(self) -> int:
        """All that was made, thoughts included."""
        return self.text_out + self.pictures_out + self.thoughts

    @property
    def total_tokens(self) -> int:
        """All of it."""
        return self.prompt_tokens + self.completion_tokens


def google_tokens(
    model: Model,
    size: str | None,
    *,
    text_signs: int,
    inputs: int,
    pictures: int,
    said: int = 0,
    blocked: bool = False,
) -> TokenUsage:
    """The tokens of so many pictures of this size (its own when None), with `said` signs of words.

    A blocked prompt bills no thoughts.
    """
    return TokenUsage(
        text_in=max(1, -(-text_signs // _SIGNS_PER_TOKEN)),
        pictures_in=inputs * model.input_picture_tokens,
        text_out=-(-said // _SIGNS_PER_TOKEN),
        pictures_out=pictures * model.output_tokens[size or model.default_size],
        thoughts=_THOUGHT_TOKENS if model.thinks and not blocked else 0,
    )


def gemini_usage(
    chat: Chat, model: Model, size: str | None, pieces: Sequence[Piece], *, blocked: bool = False
) -> TokenUsage:
    """The tokens of what a model answered in a chat; see `google_tokens`."""
    return google_tokens(
        model,
        size,
        text_signs=chat.text_signs,
        inputs=len(chat.pictures),
        pictures=sum(piece.kind == "picture" for piece in pieces),
        said=sum(len(piece.content) for piece in pieces if piece.kind == "words"),
        blocked=blocked,
    )
