"""What a plan is made for, and what it is."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litellm_imagegen.canonical import (
    Frozen,
    ImageInput,
    Message,
    Modality,
    Name,
    Notice,
    Preferences,
    Surface,
)
from litellm_imagegen.conversion import Conversion
from litellm_imagegen.profiles import Price

_LARGEST_SEED = 2**31 - 1  # of the models that have the smallest range


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a plan is carried out: what the wire of the model can spell, and how its ids are known.

    `provider` is told by this name, `wire` is the name of its wire and `family` that of its models' rows.
    `vocabulary` holds the names that the wire can spell and `vendor` the key under which provider options
    are meant for it; with `passes_options` those of all vendors go on as they are. `refused_options` are
    options that the wire is known to refuse, of `together` it takes all or none, and of pictures to draw by
    `maximum_pictures`, None for any number. `renames_models` is true
    where we know the model ids ourselves (endings cut off, former ids replaced) and false on gateways, which
    get the configured id untouched; `prefix` stands before an id and is no part of the row's.
    """

    provider: str
    family: str
    vocabulary: frozenset[Name]
    vendor: str
    wire: str = ""
    refused_options: frozenset[str] = frozenset()
    together: frozenset[Name] = frozenset()
    maximum_pictures: int | None = None
    passes_options: bool = False
    renames_models: bool = True
    prefix: str = ""


class Plan(Frozen):
    """Everything a codec needs to know, decided. `values` holds what is to be sent, by name.

    `wire` is the name of the provider's wire that it is made for.
    `prompt` and `references` are the conversation as models take it that know no turns. `counts` holds the
    number of pictures for each call that it takes; a codec spells one call, with the number of its pictures
    under `Name.N`. `conversion` is what is left to do with a finished picture. Without `tells_cost` somebody
    else works out what it costs, whatever the provider says.
    """

    provider: str
    wire: str = ""
    model: str
    messages: tuple[Message, ...]
    prompt: str
    references: tuple[ImageInput, ...]
    accepted_mime: tuple[str, ...]
    values: Mapping[Name, Any]
    output: tuple[Modality, ...]
    stream: bool
    surface: Surface
    preferences: Preferences
    deadline_seconds: float
    counts: tuple[int, ...] = (1,)
    conversion: Conversion | None = None
    notices: tuple[Notice, ...] = ()
    price: Price | None = None
    tells_cost: bool = True
    known_models: tuple[str, ...] = ()
    successor: str | None = None

    @property
    def wants_picture(self) -> bool:
        """False only where the caller asked for words alone."""
        return Modality.IMAGE in self.output

    @property
    def must_draw(self) -> bool:
        """Whether an answer in words alone is of no use: nobody asked for words, or they cannot be shown."""
        asked = bool(self.values.get(Name.MUST_DRAW))
        return asked or self.output == (Modality.IMAGE,) or self.surface is Surface.IMAGES

    @property
    def calls(self) -> "tuple[Plan, ...]":
        """A plan for each call. A seed is another one for each, or all would draw the same picture."""
        if len(self.counts) == 1:
            return (self,)
        return tuple(self._of_count(count, number) for number, count in enumerate(self.counts))

    def _of_count(self, count: int, number: int) -> "Plan":
        values = {**self.values, Name.N: count} if Name.N in self.values else dict(self.values)
        if number and (seed := values.get(Name.SEED)) is not None:
            values[Name.SEED] = seed + number if seed + number <= _LARGEST_SEED else seed - number
        return self.model_copy(update={"counts": (count,), "values": values})

    @property
    def nearest_models(self) -> tuple[str, ...]:
        """Up to three known ids to go to: the model's successor, then those that resemble its id."""
        near = difflib.get_close_matches(self.model, self.known_models, n=3, cutoff=0.0)
        first = (self.successor,) if self.successor else ()
        return tuple(dict.fromkeys((*first, *near)))[:3]
