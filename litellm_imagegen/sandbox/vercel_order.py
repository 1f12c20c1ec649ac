"""What the Vercel AI Gateway orders of a provider for one request, however that provider is asked.

Strategy: each kind of provider has a class of its own that keeps the promises of `Order`; the reader of
requests picks one by the model, the writer of replies knows only these promises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .faults import Wishes


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture in base64, what the provider tells of it, and the prompt if it was rewritten."""

    picture: str
    about: Mapping[str, Any] = field(default_factory=dict)
    revised_prompt: str | None = None


class Order(ABC):
    """Pictures of one model. What was read is settled; only the number of pictures is open."""

    @property
    @abstractmethod
    def vendor(self) -> str:
        """The name under which replies tell what the provider said."""

    @abstractmethod
    def draw(self, wishes: Wishes, count: int) -> Sequence[Drawn]:
        """So many pictures, in order. Call it off the event loop."""

    @abstractmethod
    def cost(self, count: int) -> float | None:
        """The price of so many pictures in dollars; None where no price is published."""

    @abstractmethod
    def blocked_prompt(self) -> tuple[str, str | None]:
        """The provider's sentence to a prompt that it blocks, and its code if it has one."""

    @abstractmethod
    def blocked_picture(self) -> tuple[str, str | None]:
        """The same for a picture that it does not show."""

    def usage(self, count: int) -> Mapping[str, Any] | None:
        """The tokens of so many pictures, where the provider counts tokens."""
        del count
        return None
