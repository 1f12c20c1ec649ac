"""The Vercel AI Gateway's chat endpoint, behind the door that it shares with other gateways.

Strategy: what Google blocks is an answer with no picture whose finish tells why; what OpenAI blocks is its
error. Drafts are thoughts here and are not shown. A provider that breaks is an error reply, or the last event
of a stream.

Source: https://vercel.com/docs/ai-gateway/openai-compat
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from . import chat_reply, openai_models
from .chat_drawing import native_finish, pieces
from .chat_exchange import Gateway, GatewayError
from .chat_reply import Piece, Reply
from .chat_usage import TokenUsage, gemini_usage
from .faults import Wishes
from .openai_errors import OpenAIError, moderation_blocked
from .openai_mainline import DEFAULT_IMAGE_MODEL
from .openai_tokens import input_picture_tokens, output_tokens, text_tokens
from .transport import Outgoing
from .vercel_chat_request import AskedChat, read_request
from .vercel_errors import check_key, refused_upstream, refused_value, upstream_failed, wished_error
from .vercel_models import is_written_so

_FINISH = {
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        (
            *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
            *("IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
        ),
        "content_filter",
    ),
}
_THOUGHT = "I think about light and colours first. (sandbox)"
_MILLION = 1_000_000
_SIGNS_PER_TOKEN = 4
# Dollars a million tokens: of what comes in, of words and of pictures that go out.
# Source: https://ai.google.dev/gemini-api/docs/pricing
_GOOGLES_PRICES: Mapping[str, tuple[float, float, float]] = {
    "gemini-2.5-flash-image": (0.3, 2.5, 30.0),
    "gemini-3-pro-image": (2.0, 12.0, 120.0),
    "gemini-3.1-flash-image": (0.5, 3.0, 60.0),
    "gemini-3.1-flash-lite-image": (0.25, 1.5, 30.0),
    "gemini-nano-banana-2.1": (1.5, 7.5, 30.0),
}
# Those of GPT-5, and of the model that its tool draws with.
# Source: https://platform.openai.com/docs/pricing
_OPENAIS_PRICES = (1.25, 10.0, 30.0)


class Vercel(Gateway[AskedChat]):
    """The row of Vercel at the door."""

    def is_for(self, model: str) -> bool:
        """creator/model."""
        return is_written_so(model)

    def check_key(self, key: str) -> None:
        """Check the API key or the OIDC token. Raises GatewayError."""
        check_key(key)

    def refused(self, error: OpenAIError) -> GatewayError:
        """A refusal in Vercel's form."""
        return refused_value(error)

    def read(self, values: Mapping[str, Any]) -> AskedChat:
        """Read a request. Raises OpenAIError or GatewayError."""
        return read_request(values)

    def wished_error(self, asked: AskedChat, wishes: Wishes) -> GatewayError | None:
        """The error that was wished for, OpenAI's refusals among them."""
        if asked.google is None and wishes.block_reason is not None:
            return refused_upstream(moderation_blocked("input"))
        if asked.google is None and wishes.refuse_picture:
            return refused_upstream(moderation_blocked("output"))
        if wishes.error_mid_stream and not asked.chat.stream:
            return upstream_failed()
        return wished_error(wishes, asked.chat.model)

    def compose(self, asked: AskedChat, wishes: Wishes) -> Outgoing:
        """The reply, as one body or as a stream."""
        if wishes.error_mid_stream:
            reply = _reply(asked, wishes, ())
            begun = chat_reply.chunk(reply, {"role": "assistant", "content": "Here is"})
            return chat_reply.as_stream([begun, upstream_failed().body], done=False)
        reply = _reply(asked, wishes, _answered(asked, wishes))
        if not asked.chat.stream:
            return chat_reply.as_body(chat_reply.whole(reply))
        return chat_reply.as_stream(chat_reply.chunks(reply, include_usage=asked.chat.include_usage))


def _answered(asked: AskedChat, wishes: Wishes) -> list[Piece]:
    found = pieces(asked.canvas, wishes, wants_words=asked.wants_words, wants_pictures=asked.wants_pictures)
    thinks = asked.shows_thoughts and not wishes.drafts and found
    return [Piece("thought", _THOUGHT), *found] if thinks else found


def _reply(asked: AskedChat, wishes: Wishes, found: Sequence[Piece]) -> Reply:
    blocked = wishes.block_reason is not None
    finish = "content_filter" if blocked else _FINISH.get(native_finish(wishes), "stop")
    return Reply(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        model=asked.chat.model,
        pieces=found,
        finish_reason=finish,
        usage=_usage(asked, found, blocked=blocked),
        no_words="",
        without_choices=wishes.empty,
        numbered=False,
    )


def _usage(asked: AskedChat, found: Sequence[Piece], *, blocked: bool) -> dict[str, Any]:
    if asked.google is not None:
        tokens = gemini_usage(asked.chat, asked.google, asked.size, found, blocked=blocked)
        prices = _GOOGLES_PRICES[asked.google.name]
    else:
        tokens, prices = _openais_tokens(asked, found), _OPENAIS_PRICES
    incoming, words, pictures = prices
    spent = tokens.prompt_tokens * incoming + (tokens.text_out + tokens.thoughts) * words
    cost = round((spent + tokens.pictures_out * pictures) / _MILLION, 8)
    return {
        "prompt_tokens": tokens.prompt_tokens,
        "completion_tokens": tokens.completion_tokens,
        "total_tokens": tokens.total_tokens,
        "cost": cost,
        "market_cost": cost,
        "is_byok": False,
    }


def _openais_tokens(asked: AskedChat, found: Sequence[Piece]) -> TokenUsage:
    table = openai_models.MODELS[DEFAULT_IMAGE_MODEL].output_tokens[asked.quality]
    size = (asked.canvas.width, asked.canvas.height)
    drawn = sum(piece.kind == "picture" for piece in found)
    return TokenUsage(
        text_in=max(1, -(-asked.chat.text_signs // _SIGNS_PER_TOKEN)),
        pictures_in=len(asked.chat.pictures) * input_picture_tokens(high_fidelity=False),
        text_out=sum(text_tokens(piece.content) for piece in found if piece.kind == "words"),
        pictures_out=drawn * output_tokens(table, size),
        thoughts=0,
    )


VERCEL = Vercel()
