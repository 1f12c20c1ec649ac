"""The only place with opinions: what was asked for, against what the model can do, gives the plan.

Everything that looks at two fields is decided here, once for all providers: contradictions and precedence
(wishes.py), ratio, tier and pixels (shape.py), bounds and choices (fields.py). Each departure from what was
asked becomes a notice, or an error under the strict policy (decisions.py).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from litellm_imagegen.canonical import (
    Asked,
    ChatShape,
    ImageRequest,
    Limits,
    Message,
    Modality,
    Name,
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
from litellm_imagegen.plan.planned import Plan, Target
from litellm_imagegen.plan.prompt import prompt_of
from litellm_imagegen.plan.shape import decide_shape, rest_of_shape
from litellm_imagegen.plan.wishes import OPERATORS, SHAPE, belongs_to_operators, model_and_ending, settle
from litellm_imagegen.profiles import Profile, find, rows_of

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
# Whose own clients read pictures of a response as parts of its message.
_SHOWS_OUTPUT_IMAGE = ("helicone",)
_DECIDED_TOGETHER = frozenset({*SHAPE, Name.N, Name.MODALITIES, Name.OUTPUT_FORMAT, Name.OUTPUT_COMPRESSION})


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
    output = _output(settled, profile, target, decisions)
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
            if value and name not in target.vocabulary:
                wish = asked.model_copy(update={"value": value})
                decisions.left_out(wish, "they are not passed on for this kind of call")
                continue
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


def _output(
    settled: Mapping[Name, Asked], profile: Profile, target: Target, decisions: Decisions
) -> tuple[Modality, ...]:
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
        shown = asked.model_copy(update={"value": wanted})
        decisions.adapted(shown, [str(m) for m in given], why, allowed)
    if len(given) < len(profile.output) and Name.MODALITIES not in target.vocabulary:
        both = [str(m) for m in profile.output]
        why = f"{target.provider} cannot be told"
        if Modality.IMAGE not in given:  # a picture would be drawn, and paid for
            raise InvalidParameter(asked.spelling, wanted, f"{both}: {why}")
        decisions.adapted(asked.model_copy(update={"value": wanted}), both, why, str(both))
        return profile.output
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
