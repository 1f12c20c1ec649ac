"""OpenAI's image models behind the Vercel AI Gateway: their options, read by OpenAI's own reader.

Strategy: `providerOptions.openai` goes before the fields of the request. What the gateway knows by name is
translated and sent; whether the model takes it is for OpenAI's reader to say. Other keys are left out.

Source: https://ai-sdk.dev/providers/ai-sdk-providers/openai#image-models
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .faults import Wishes
from .openai_errors import OpenAIError, moderation_blocked
from .openai_fields import read_fields
from .openai_inputs import Pictures
from .openai_models import Model
from .openai_reply import picture_base64, settings_of, usage_of
from .openai_request import Asked, settle
from .strict import snake_case
from .vercel_errors import refused_upstream
from .vercel_options import OPENAI, Options
from .vercel_order import Drawn, Order

_TRANSLATED = (
    *("quality", "background", "outputFormat", "outputCompression", "complexity", "frameCount"),
    *("frameDurationMs", "moderation", "inputFidelity", "markup", "style", "user", "safetyIdentifier"),
)
_TOLD = {"background": "background", "output_format": "outputFormat", "quality": "quality", "size": "size"}
# Dollars a million tokens, of words in and of pictures out; those of the newest where none is named.
_PRICES = {"gpt-image-1-mini": (2.0, 8.0), "gpt-image-1.5": (5.0, 32.0)}
_PRICE = (5.0, 30.0)


@dataclass(frozen=True)
class OpenAIOrder(Order):
    """Pictures of one of OpenAI's image models."""

    asked: Asked

    @property
    def vendor(self) -> str:
        """The name of the provider's options, under which it answers."""
        return OPENAI

    def draw(self, wishes: Wishes, count: int) -> Sequence[Drawn]:
        """So many pictures, in order."""
        settings = settings_of(self.asked)
        about = {told: settings[name] for name, told in _TOLD.items()}
        return [
            Drawn(picture=picture_base64(self.asked, wishes, number=number, of=count), about=about)
            for number in range(1, count + 1)
        ]

    def cost(self, count: int) -> float | None:
        """Tokens times the list price."""
        tokens = self.usage(count)
        words, pictures = _PRICES.get(self.asked.model.name, _PRICE)
        return float(tokens["input_tokens"] * words + tokens["output_tokens"] * pictures) / 1e6

    def usage(self, count: int) -> Mapping[str, Any]:
        """Tokens as OpenAI tells them."""
        return usage_of(self.asked, pictures=count, partials=0)

    def blocked_prompt(self) -> tuple[str, str | None]:
        """What OpenAI's moderation says."""
        error = moderation_blocked("input")
        return error.message, error.code

    def blocked_picture(self) -> tuple[str, str | None]:
        """The same about a picture."""
        error = moderation_blocked("output")
        return error.message, error.code


def translated(options: Options) -> dict[str, Any]:
    """The options that are known by name, under OpenAI's names."""
    return {snake_case(name): options[name] for name in _TRANSLATED if name in options}


def read_order(model: Model, fields: Mapping[str, Any], options: Options) -> OpenAIOrder:
    """Read what is asked of this model; `fields` are those of the request: prompt, size, quality, user.

    Raises GatewayError with what OpenAI refuses first.
    """
    try:
        read = read_fields({**fields, **translated(options)}, model, "generation")
    except OpenAIError as error:
        raise refused_upstream(error) from None
    return OpenAIOrder(settle(read, model, "generation", Pictures()))
