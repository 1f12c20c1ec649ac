"""The only place with opinions: what was asked for, against what the model can do, gives the plan.

Everything that looks at two fields is decided here, once for all providers: contradictions, precedence,
nearest ratio, covering size, bounds, what is left out. Each departure from what was asked becomes a
Notice, or an error under the strict policy.
"""

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from litellm_imagegen.canonical import (
    Asked,
    Frozen,
    ImageInput,
    ImageRequest,
    Limits,
    Message,
    Modality,
    Name,
    Notice,
    NoticeCode,
    OnNoImage,
    Origin,
    Policy,
    Preferences,
    Unread,
    merged,
)
from litellm_imagegen.errors import Contradiction, InvalidParameter, LimitExceeded, RequestError, quote
from litellm_imagegen.geometry import covering_tier, nearest_ratio, parse_tier, same_ratio
from litellm_imagegen.profiles import FAMILIES, Price, Profile, find

_ENDINGS = ("-2k", "-4k")
_NOTICE_CHARACTERS = 100
_MAXIMUM_NOTICES = 100
DEFAULT_DEADLINE_SECONDS = 300.0
DEFAULT_DEADLINE_SECONDS_4K = 600.0


class Plan(Frozen):
    """Everything a codec needs to know, decided. `values` holds what is to be sent, by name."""

    provider: str
    model: str
    messages: tuple[Message, ...]
    values: Mapping[Name, Any]
    output: tuple[Modality, ...]
    stream: bool
    on_no_image: OnNoImage
    deadline_seconds: float
    notices: tuple[Notice, ...] = ()
    price: Price | None = None
    known_models: tuple[str, ...] = ()

    @property
    def wants_picture(self) -> bool:
        """False only where the caller asked for words alone."""
        return Modality.IMAGE in self.output

    @property
    def nearest_models(self) -> tuple[str, ...]:
        """Up to three known ids that resemble this plan's model, nearest first."""
        near = difflib.get_close_matches(self.model, self.known_models, n=3, cutoff=0.0)
        return tuple(near)


def make_plan(
    request: ImageRequest,
    *,
    provider: str,
    family: str,
    vocabulary: frozenset[Name],
    vendor: str,
    preferences: Preferences,
    limits: Limits,
    locked: frozenset[str] = frozenset(),
    deadline_seconds: float | None = None,
    renames_models: bool = True,
    drops_unsupported: bool = False,
) -> Plan:
    """Decide how to carry `request` out on `provider`.

    `vocabulary` holds the names that the provider's wire can spell and `vendor` the key under which
    provider options are meant for it. `renames_models` is true where we know the model ids ourselves
    (endings cut off, former ids replaced) and false on gateways, which get the configured id untouched.
    `locked` holds names at which a client's wish stops. With `drops_unsupported` (LiteLLM's drop_params)
    the strict policy leaves out what the model lacks as the other one does. `deadline_seconds` is what
    LiteLLM passed, None if nothing.

    Raises `RequestError` for anything that cannot be sent, and under `Policy.STRICT` for anything that
    would have to be changed or left out.
    """
    decisions = _Decisions(preferences.policy, drops_unsupported)
    model, asked_by_name = _model_and_ending(request) if renames_models else (request.model, ())
    profile = find(family, model)
    if renames_models and model != profile.id:
        decisions.renamed(model, profile.id)
    values = _settle(_without_locked((*request.asked, *asked_by_name), locked, decisions))
    _leave_out_unread(request.unread, decisions)
    output = _output(values, profile)
    kept = {
        name: value
        for name, asked in values.items()
        if (
            value := _decide(
                asked,
                profile=profile,
                vocabulary=vocabulary,
                vendor=vendor,
                limits=limits,
                decisions=decisions,
            )
        )
        is not None
    }
    _check_references(request.messages, profile, limits)
    return Plan(
        provider=provider,
        model=profile.id,
        messages=request.messages,
        values=MappingProxyType(kept),
        output=output,
        stream=request.stream,
        on_no_image=preferences.on_no_image,
        deadline_seconds=deadline_seconds or _default_deadline(kept),
        notices=tuple(decisions.notices),
        price=profile.price,
        known_models=tuple(row.id for row in FAMILIES[family]),
    )


class _Decisions:
    """Collects notices; under the strict policy a client's wish that would need one is an error."""

    def __init__(self, policy: Policy, drops_unsupported: bool) -> None:
        self.policy = policy
        self.drops_unsupported = drops_unsupported
        self.notices: list[Notice] = []

    def adapted(self, asked: Asked, used: Any, why: str, allowed: str) -> Any:
        """Use another value than the one asked for, and say so."""
        self._refuse_if_strict(asked.spelling, asked.value, asked.origin, allowed)
        self._note(NoticeCode.ADAPTED, asked.spelling, asked.value, used, why)
        return used

    def unsupported(self, spelling: str, value: Any, origin: Origin, why: str) -> None:
        """Leave a field out, and say so."""
        if not self.drops_unsupported:
            self._refuse_if_strict(spelling, value, origin, f"leaving it out ({why})")
        self._note(NoticeCode.UNSUPPORTED, spelling, value, None, why)

    def locked(self, spelling: str, value: Any, used: Any) -> None:
        """Stay at the operator's value, and say so: that is no departure the client could forbid."""
        self._note(NoticeCode.UNSUPPORTED, spelling, value, used, "the operator does not let clients set it")

    def renamed(self, asked: str, used: str) -> None:
        """Call a model by its present id, and say so: that is the operator's doing."""
        self._note(NoticeCode.ADAPTED, "model", asked, used, "former id")

    def _note(self, code: NoticeCode, field: str, asked: Any, used: Any, why: str) -> None:
        """Everything foreign in a notice is short and harmless."""
        if len(self.notices) == _MAXIMUM_NOTICES:
            return
        if len(self.notices) == _MAXIMUM_NOTICES - 1:
            field, asked, used, why = "...", None, None, "there are more notices than are told"
        notice = Notice(code=code, field=str(_short(field)), asked=_short(asked), used=_short(used), why=why)
        self.notices.append(notice)

    def _refuse_if_strict(self, spelling: str, value: Any, origin: Origin, allowed: str) -> None:
        if self.policy is Policy.STRICT and origin is Origin.CLIENT:
            raise InvalidParameter(spelling, value, allowed)


def _model_and_ending(request: ImageRequest) -> tuple[str, tuple[Asked, ...]]:
    """The model id without its size ending, and what the ending asks for."""
    for ending in _ENDINGS:
        if request.model.lower().endswith(ending):
            tier = parse_tier(ending.removeprefix("-"))
            origin = Origin.CLIENT if request.model_is_clients else Origin.MODEL_NAME
            asked = Asked(name=Name.IMAGE_SIZE, value=tier, spelling=f"model ...{ending}", origin=origin)
            return request.model[: -len(ending)], (asked,)
    return request.model, ()


def _without_locked(asked: Iterable[Asked], locked: frozenset[str], decisions: _Decisions) -> Iterable[Asked]:
    configured = {wish.name: wish.value for wish in asked if wish.origin is Origin.OPERATOR}
    for wish in asked:
        if wish.origin is Origin.CLIENT and wish.name in locked:
            decisions.locked(wish.spelling, wish.value, configured.get(wish.name))
        else:
            yield wish


def _settle(asked: Iterable[Asked]) -> dict[Name, Asked]:
    """One wish a name: the client's before the operator's; the client may not contradict itself."""
    settled: dict[Name, Asked] = {}
    for wish in asked:
        other = settled.get(wish.name)
        if other is None:
            settled[wish.name] = wish
            continue
        if Origin.OPERATOR not in (other.origin, wish.origin) and not _agree(other, wish):
            raise Contradiction((other.spelling, other.value), (wish.spelling, wish.value))
        stronger = other if wish.origin is Origin.OPERATOR else wish
        if wish.name is Name.PROVIDER_OPTIONS:
            stronger = stronger.model_copy(update={"value": merged(other.value, wish.value)})
        settled[wish.name] = stronger
    return settled


def _agree(first: Asked, second: Asked) -> bool:
    """Whether two wishes of one name mean the same, or at least do not exclude each other."""
    match first.name:
        case Name.ASPECT_RATIO:
            return same_ratio(first.value, second.value)
        case Name.MODALITIES:
            return frozenset(first.value) == frozenset(second.value)
        case Name.PROVIDER_OPTIONS:
            return _compatible(first.value, second.value)
    return bool(first.value == second.value)


def _compatible(first: Any, second: Any) -> bool:
    """Whether two objects have equal values wherever both have one."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return all(_compatible(first[key], second[key]) for key in first.keys() & second.keys())
    return bool(first == second)


def _leave_out_unread(unread: Iterable[Unread], decisions: _Decisions) -> None:
    for field in unread:
        decisions.unsupported(field.spelling, field.value, Origin.CLIENT, "no such field for this model")


def _output(values: Mapping[Name, Asked], profile: Profile) -> tuple[Modality, ...]:
    """What the answer may hold: what was asked for, else all that the model gives."""
    asked = values.get(Name.MODALITIES)
    if asked is None:
        return profile.output
    if not set(asked.value) <= set(profile.output):
        raise InvalidParameter(
            asked.spelling, list(asked.value), f"some of {[str(m) for m in profile.output]}"
        )
    return tuple(modality for modality in profile.output if modality in asked.value)


def _decide(
    asked: Asked,
    *,
    profile: Profile,
    vocabulary: frozenset[Name],
    vendor: str,
    limits: Limits,
    decisions: _Decisions,
) -> Any:
    """The value to send for one wish, or None to leave the field out."""
    match asked.name:
        case Name.MODALITIES:
            return None  # decided in `_output`
        case Name.N:
            return _decide_n(asked, profile, limits, decisions)
        case Name.PROVIDER_OPTIONS:
            return _options_of(asked, vendor, decisions)
    if asked.name not in profile.names or asked.name not in vocabulary:
        decisions.unsupported(asked.spelling, asked.value, asked.origin, f"{profile.id} has no such field")
        return None
    match asked.name:
        case Name.ASPECT_RATIO:
            return _decide_ratio(asked, profile, decisions)
        case Name.IMAGE_SIZE:
            return _decide_size(asked, profile, decisions)
        case Name.MAX_TOKENS:
            return _at_most(asked, profile.maximum_output_tokens, decisions)
        case Name.STOP:
            return _first(asked, profile.maximum_stop_sequences, decisions)
        case Name.SEED:
            return _decide_seed(asked, profile.maximum_seed, decisions)
        case Name.TEMPERATURE:
            low, high = profile.temperature_range
            if not low <= asked.value <= high:
                raise InvalidParameter(asked.spelling, asked.value, f"{low:g} to {high:g}")
    return asked.value


def _decide_n(asked: Asked, profile: Profile, limits: Limits, decisions: _Decisions) -> None:
    if asked.value > limits.n:
        raise LimitExceeded(asked.spelling, asked.value, f"{limits.n} (limits.n)")
    if asked.value > profile.maximum_n:
        decisions.adapted(
            asked, profile.maximum_n, f"{profile.id} answers once a call", f"1 to {profile.maximum_n}"
        )


def _options_of(asked: Asked, vendor: str, decisions: _Decisions) -> Any:
    """Of all provider options, those meant for this vendor."""
    for other in sorted(set(asked.value) - {vendor}):
        decisions.unsupported(
            f"{asked.spelling} ({other})",
            asked.value[other],
            asked.origin,
            f"meant for {other}, not for {vendor}",
        )
    return asked.value.get(vendor)


def _decide_ratio(asked: Asked, profile: Profile, decisions: _Decisions) -> str:
    equal = [ratio for ratio in profile.aspect_ratios if same_ratio(ratio, asked.value)]
    if equal:
        return equal[0]
    nearest = nearest_ratio(asked.value, profile.aspect_ratios)
    allowed = ", ".join(profile.aspect_ratios)
    return str(decisions.adapted(asked, nearest, f"nearest ratio of {profile.id}", allowed))


def _decide_size(asked: Asked, profile: Profile, decisions: _Decisions) -> str | None:
    tier = str(asked.value)
    if tier not in profile.image_sizes:
        allowed = ", ".join(profile.image_sizes)
        tier = covering_tier(tier, profile.image_sizes)
        decisions.adapted(asked, tier, f"nearest size of {profile.id}", allowed)
    return None if profile.image_size_is_fixed else tier


def _decide_seed(asked: Asked, maximum: int | None, decisions: _Decisions) -> Any:
    """A seed that is too large is folded: equal seeds stay equal."""
    if maximum is None or abs(asked.value) <= maximum:
        return asked.value
    return decisions.adapted(
        asked, asked.value % (maximum + 1), "folded into the range", f"at most {maximum}"
    )


def _at_most(asked: Asked, limit: int | None, decisions: _Decisions) -> Any:
    if limit is None or asked.value <= limit:
        return asked.value
    return decisions.adapted(asked, limit, "the model's limit", f"at most {limit}")


def _first(asked: Asked, limit: int | None, decisions: _Decisions) -> Any:
    if limit is None or len(asked.value) <= limit:
        return asked.value
    return decisions.adapted(asked, asked.value[:limit], "the model's limit", f"at most {limit} sequences")


def _check_references(messages: Iterable[Message], profile: Profile, limits: Limits) -> None:
    """Refuse what the provider would refuse, before anything is sent or paid."""
    pictures = [part for message in messages for part in message.parts if isinstance(part, ImageInput)]
    if not any(message.role == "user" and message.parts for message in messages):
        raise RequestError("messages: a message of role user with content is required", "messages")
    most = profile.maximum_reference_images
    if most is not None and len(pictures) > most:
        raise InvalidParameter("messages", f"{len(pictures)} pictures", f"at most {most} for {profile.id}")
    for picture in pictures:
        if picture.blob is None:
            continue
        length = picture.blob.facts["bytes"]
        if length > limits.reference_bytes:
            limit = f"{limits.reference_bytes} (limits.reference_bytes)"
            raise LimitExceeded(picture.spelling, f"{length} bytes", limit)
        if profile.accepted_mime and picture.blob.mime not in profile.accepted_mime:
            raise InvalidParameter(picture.spelling, picture.blob.mime, ", ".join(profile.accepted_mime))


def _default_deadline(values: Mapping[Name, Any]) -> float:
    return DEFAULT_DEADLINE_SECONDS_4K if values.get(Name.IMAGE_SIZE) == "4K" else DEFAULT_DEADLINE_SECONDS


def _short(value: Any) -> Any:
    """A value fit for a notice: small ones as they are, anything else as at most 100 characters."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = quote(value if isinstance(value, str) else reprlib.repr(value))
    if isinstance(value, tuple) and len(text) <= _NOTICE_CHARACTERS and text == repr(value):
        return value
    return text if len(text) <= _NOTICE_CHARACTERS else f"{text[: _NOTICE_CHARACTERS - 1]}…"
