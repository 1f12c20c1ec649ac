"""The only place with opinions: what was asked for, against what the model can do, gives the plan.

Everything that looks at two fields is decided here, once for all providers: contradictions and precedence
(wishes.py), ratio, tier and pixels (shape.py), bounds and choices (fields.py). Each departure from what was
asked becomes a notice, or an error under the strict policy (decisions.py).
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from litellm_imagegen.canonical import (
    Asked,
    ChatShape,
    Frozen,
    ImageInput,
    ImageRequest,
    Limits,
    Message,
    Modality,
    Name,
    Notice,
    Origin,
    Preferences,
    ResponseShape,
    Surface,
)
from litellm_imagegen.conversion import Conversion
from litellm_imagegen.errors import InvalidParameter, RequestError
from litellm_imagegen.plan.decisions import Decisions
from litellm_imagegen.plan.fields import (
    decide_counts,
    decide_field,
    decide_format,
    options_of,
    without_refused,
)
from litellm_imagegen.plan.pictures import check_picture, masks_of, references_of
from litellm_imagegen.plan.prompt import prompt_of
from litellm_imagegen.plan.shape import decide_shape, rest_of_shape
from litellm_imagegen.plan.wishes import OPERATORS, SHAPE, belongs_to_operators, model_and_ending, settle
from litellm_imagegen.profiles import Price, Profile, find, rows_of

__all__ = [
    "DEFAULT_DEADLINE_SECONDS",
    "DEFAULT_DEADLINE_SECONDS_4K",
    "Plan",
    "Target",
    "check_picture",
    "make_plan",
]

DEFAULT_DEADLINE_SECONDS = 300.0
DEFAULT_DEADLINE_SECONDS_4K = 600.0
_4K_EDGE = 3000
_LARGEST_SEED = 2**31 - 1  # of the models that have the smallest range
# Whose own clients read pictures of a response as parts of its message.
_SHOWS_OUTPUT_IMAGE = ("helicone",)
_DECIDED_TOGETHER = frozenset({*SHAPE, Name.N, Name.MODALITIES, Name.OUTPUT_FORMAT, Name.OUTPUT_COMPRESSION})


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


def make_plan(
    request: ImageRequest,
    target: Target,
    *,
    preferences: Preferences,
    limits: Limits,
    locked: frozenset[str] = frozenset(),
    deadline_seconds: float | None = None,
    drops_unsupported: bool = False,
    own_rows: Iterable[Profile] = (),
    answers_are_watched: bool = False,
) -> Plan:
    """Decide how to carry `request` out on `target`.

    `locked` holds names at which a client's wish stops. With `drops_unsupported` (LiteLLM's drop_params)
    the strict policy leaves out what the model lacks as the other one does. `deadline_seconds` is what
    LiteLLM passed, None if nothing. `own_rows` are the operator's, and go before ours. With
    `answers_are_watched` nothing is shown before the whole answer has been looked at.

    Raises `RequestError` for anything that cannot be sent, and under `Policy.STRICT` for anything that
    would have to be changed or left out.
    """
    decisions = Decisions(preferences.policy, target.vendor, drops_unsupported=drops_unsupported)
    model, asked_by_name = model_and_ending(request) if target.renames_models else (request.model, ())
    profile = find(target.family, model.removeprefix(target.prefix), own_rows)
    if target.renames_models and model != profile.id:
        decisions.renamed(model, profile.id, "former id")
    settled = settle(
        (*request.asked, *asked_by_name), vendor=target.vendor, locked=locked, decisions=decisions
    )
    for field in request.unread:
        why = OPERATORS if belongs_to_operators(field.spelling) else "no such field for this model"
        decisions.unsupported(field.spelling, field.value, Origin.CLIENT, why)
    preferences = _preferences(preferences, request, target.provider, decisions)
    unseen = _hides_partial_images(settled, request, preferences, watched=answers_are_watched)
    if unseen is not None:
        partial = settled.pop(Name.PARTIAL_IMAGES, None)
        if partial is not None and partial.value:
            decisions.left_out(partial, unseen)
    output = _output(settled, profile, decisions)
    values, counts, conversion = _decided(
        settled, profile=profile, target=target, limits=limits, decisions=decisions
    )
    if Name.PROVIDER_OPTIONS in values:
        asked, options = settled[Name.PROVIDER_OPTIONS], values[Name.PROVIDER_OPTIONS]
        values[Name.PROVIDER_OPTIONS] = without_refused(asked, options, target.refused_options, decisions)
    references = references_of(request.messages, profile, target.maximum_pictures, decisions)
    values |= rest_of_shape(values, target.together, references, profile)
    for picture in (*references, *masks_of(values, references)):
        check_picture(picture, profile.accepted_mime, limits)
    return Plan(
        provider=target.provider,
        wire=target.wire,
        model=profile.id if target.renames_models else request.model,
        messages=request.messages,
        prompt=_prompt(request.messages, profile),
        references=references,
        accepted_mime=profile.accepted_mime,
        values=MappingProxyType(values),
        output=output,
        stream=request.stream,
        surface=request.surface,
        preferences=preferences,
        deadline_seconds=deadline_seconds or _default_deadline(values),
        counts=counts,
        conversion=conversion,
        notices=tuple(decisions.notices),
        price=profile.price,
        known_models=tuple(
            f"{target.prefix}{row.id}" for row in rows_of(target.family, own_rows) if not row.gone
        ),
        successor=profile.successor,
    )


def _decided(
    settled: Mapping[Name, Asked],
    *,
    profile: Profile,
    target: Target,
    limits: Limits,
    decisions: Decisions,
) -> tuple[dict[Name, Any], tuple[int, ...], Conversion | None]:
    """The values to send, the pictures by call, and what is left to do afterwards."""
    names = profile.names & target.vocabulary
    values = decide_shape(settled, profile=profile, names=names, decisions=decisions)
    formats, conversion = decide_format(settled, profile=profile, names=names, decisions=decisions)
    values |= formats
    counts = decide_counts(settled.get(Name.N), profile=profile, limits=limits, names=names)
    if Name.N in names and Name.N in settled:
        values[Name.N] = counts[0]
    for name, asked in settled.items():
        if name in _DECIDED_TOGETHER:
            continue
        if name is Name.PROVIDER_OPTIONS:
            value = asked.value if target.passes_options else options_of(asked, target.vendor, decisions)
        else:
            value = decide_field(asked, profile=profile, names=names, decisions=decisions)
        if value is not None:
            values[name] = value
    for name, excluded in profile.excludes.items():
        if name not in values:
            continue
        for other in filter(values.get, excluded):
            decisions.adapted(settled[other], False, f"not possible beside {name}", f"off beside {name}")
        values |= dict.fromkeys(names.intersection(excluded), False)
    return values, counts, conversion


def _hides_partial_images(
    settled: Mapping[Name, Asked], request: ImageRequest, preferences: Preferences, *, watched: bool
) -> str | None:
    """Why nobody would see pictures on the way, which cost something; None where they are seen."""
    count = settled.get(Name.N)
    if not request.stream or request.surface is Surface.CHAT:
        return "only streams of /responses and /images show pictures on the way"
    if request.surface is Surface.RESPONSES and preferences.responses is ResponseShape.OUTPUT_IMAGE:
        return "parts of a message show finished pictures alone"
    if count is not None and count.value > 1:
        return "pictures on the way are shown for one picture alone"
    return "nothing is sent here before the whole answer is there" if watched else None


def _preferences(
    preferences: Preferences, request: ImageRequest, provider: str, decisions: Decisions
) -> Preferences:
    """The preferences with nothing left open, as far as the endpoint can follow them."""
    output, responses = preferences.output, preferences.responses
    if output is ChatShape.PARTS and request.surface is Surface.CHAT and request.stream:
        decisions.preference("output", output, ChatShape.IMAGES, "a stream has no parts")
        output = ChatShape.IMAGES
    if responses is None:
        is_part = request.reads_output_image or provider in _SHOWS_OUTPUT_IMAGE
        responses = ResponseShape.OUTPUT_IMAGE if is_part else ResponseShape.ITEMS
    return preferences.model_copy(update={"output": output, "responses": responses})


def _output(settled: Mapping[Name, Asked], profile: Profile, decisions: Decisions) -> tuple[Modality, ...]:
    """What the answer may hold: what was asked for, else all that the model gives."""
    asked = settled.get(Name.MODALITIES)
    if asked is None:
        return profile.output
    given = tuple(modality for modality in profile.output if modality in asked.value)
    wanted, allowed = [str(m) for m in asked.value], f"some of {[str(m) for m in profile.output]}"
    if not given:
        raise InvalidParameter(asked.spelling, wanted, allowed)
    if not set(asked.value) <= set(given):
        why = f"{profile.id} answers with {' and '.join(given)} alone"
        decisions.adapted(asked, [str(m) for m in given], why, allowed)
    return given


def _prompt(messages: tuple[Message, ...], profile: Profile) -> str:
    """Raises `RequestError` where there is nothing to draw by."""
    if not any(message.role == "user" and message.parts for message in messages):
        raise RequestError("messages: a message of role user with content is required", "messages")
    prompt = prompt_of(messages)
    if not prompt and Modality.TEXT not in profile.output:
        raise RequestError(f"messages: {profile.id} needs words that say what to draw", "messages")
    return prompt


def _default_deadline(values: Mapping[Name, Any]) -> float:
    is_large = values.get(Name.IMAGE_SIZE) == "4K" or max(values.get(Name.DIMENSIONS, (0,))) > _4K_EDGE
    return DEFAULT_DEADLINE_SECONDS_4K if is_large else DEFAULT_DEADLINE_SECONDS
