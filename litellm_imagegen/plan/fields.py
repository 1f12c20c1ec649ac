"""Everything that is asked for beside the picture's shape, against what the model takes."""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Asked, Limits, Name
from litellm_imagegen.conversion import CONVERTIBLE, Conversion
from litellm_imagegen.errors import LimitExceeded
from litellm_imagegen.plan.decisions import Decisions
from litellm_imagegen.profiles import Profile

_QUALITIES = ("low", "medium", "high", "xhigh", "max")
_COMPRESSIBLE = ("jpeg", "webp")
# Wishes that a model meets which has no field for them; all are asked for a picture, tool or not.
_WITHOUT_MEANING = {
    Name.PARTIAL_IMAGES: 0,
    Name.MODERATION: "auto",
    Name.RESPONSE_FORMAT: "b64_json",
    Name.MUST_DRAW: True,
}


def decide_field(asked: Asked, *, profile: Profile, names: frozenset[Name], decisions: Decisions) -> Any:
    """The value to send for one wish, or None to leave the field out."""
    if asked.name is Name.RESPONSE_FORMAT and asked.value == "url":
        decisions.adapted(asked, "b64_json", "there is no store to keep pictures at an address", "b64_json")
        return None
    if asked.name not in names:
        if not _comes_anyway(asked, profile):
            here = " for this kind of call" if asked.name in profile.names else ""
            decisions.left_out(asked, f"{profile.id} has no such field{here}")
        return None
    match asked.name:
        case Name.MAX_TOKENS:
            return _at_most(asked, profile.maximum_output_tokens, decisions)
        case Name.STOP:
            return _first(asked, profile.maximum_stop_sequences, decisions)
        case Name.SEED:
            return _seed(asked, profile.maximum_seed, decisions)
        case name if name in profile.choices:
            return _chosen(asked, profile, decisions)
        case name if name in profile.ranges:
            return _within(asked, profile, decisions)
    return asked.value


def _comes_anyway(asked: Asked, profile: Profile) -> bool:
    """Whether the model does as asked without having a field for it."""
    return asked.value == _WITHOUT_MEANING.get(asked.name) or asked.value in profile.granted.get(
        asked.name, ()
    )


def decide_counts(
    asked: Asked | None, *, profile: Profile, limits: Limits, names: frozenset[Name]
) -> tuple[int, ...]:
    """Pictures to ask for, by call: as many a call as the model gives. Raises `LimitExceeded`."""
    if asked is None:
        return (1,)
    if asked.value > limits.n:
        raise LimitExceeded(asked.spelling, asked.value, f"{limits.n} (limits.n)")
    most = profile.maximum_n if Name.N in names else 1
    whole, rest = divmod(int(asked.value), most)
    return (most,) * whole + ((rest,) if rest else ())


def decide_format(
    settled: Mapping[Name, Asked], *, profile: Profile, names: frozenset[Name], decisions: Decisions
) -> tuple[dict[Name, Any], Conversion | None]:
    """The picture's file format: what to send, and what is left to do when the picture is there."""
    wish, compression = settled.get(Name.OUTPUT_FORMAT), settled.get(Name.OUTPUT_COMPRESSION)
    values: dict[Name, Any] = {}
    conversion = None
    if wish is not None:
        native = profile.choices.get(Name.OUTPUT_FORMAT, ())
        if Name.OUTPUT_FORMAT in names and (not native or wish.value in native):
            values[Name.OUTPUT_FORMAT] = wish.value
        elif wish.value in CONVERTIBLE:
            conversion = Conversion(format=wish.value)
        elif wish.value not in profile.granted.get(Name.OUTPUT_FORMAT, ()):
            allowed = tuple(dict.fromkeys((*native, *CONVERTIBLE)))
            decisions.left_out(wish, f"{profile.id} gives {', '.join(allowed)}")
    if compression is None:
        return values, conversion
    if conversion is not None and conversion.format in _COMPRESSIBLE:
        conversion = Conversion(format=conversion.format, quality=compression.value)
    elif Name.OUTPUT_COMPRESSION in names and values.get(Name.OUTPUT_FORMAT) in _COMPRESSIBLE:
        values[Name.OUTPUT_COMPRESSION] = compression.value
    else:
        has_form = values.get(Name.OUTPUT_FORMAT) in _COMPRESSIBLE
        why = (
            f"{profile.id} has no such field" if has_form else "it goes with an output format of jpeg or webp"
        )
        decisions.left_out(compression, why)
    return values, conversion


def options_of(asked: Asked, vendor: str, decisions: Decisions) -> Any:
    """Of all provider options, those meant for this vendor; None where there are none."""
    for other in sorted(name for name in asked.value if name != vendor and asked.value[name]):
        wish = asked.model_copy(
            update={"vendor": other, "spelling": f"{asked.spelling} ({other})", "value": asked.value[other]}
        )
        decisions.for_others(wish)
    return asked.value.get(vendor) or None


def without_refused(
    asked: Asked, options: Mapping[str, Any], refused: frozenset[str], decisions: Decisions
) -> dict[str, Any]:
    """Provider options without those that this wire of the vendor does not take."""
    for key in sorted(refused & options.keys()):
        wish = asked.model_copy(update={"spelling": f"{asked.spelling} ({key})", "value": options[key]})
        decisions.left_out(wish, "only another API of the same vendor has it")
    return {key: value for key, value in options.items() if key not in refused}


def _chosen(asked: Asked, profile: Profile, decisions: Decisions) -> Any:
    choices = profile.choices[asked.name]
    if asked.value in choices:
        return asked.value
    allowed = ", ".join(map(str, choices))
    if asked.name is Name.QUALITY and (known := [step for step in _QUALITIES if step in choices]):
        place = _QUALITIES.index(asked.value)
        nearest = min(known, key=lambda step: abs(_QUALITIES.index(step) - place))
        return decisions.adapted(asked, nearest, f"nearest quality of {profile.id}", allowed)
    decisions.left_out(asked, f"{profile.id} allows {allowed}")
    return None


def _within(asked: Asked, profile: Profile, decisions: Decisions) -> Any:
    low, high = profile.ranges[asked.name]
    if low <= asked.value <= high:
        return asked.value
    nearest = type(asked.value)(min(max(asked.value, low), high))
    return decisions.adapted(asked, nearest, "the model's limit", f"{low:g} to {high:g}")


def _seed(asked: Asked, maximum: int | None, decisions: Decisions) -> Any:
    """A seed that is too large is folded: equal seeds stay equal."""
    if maximum is None or abs(asked.value) <= maximum:
        return asked.value
    return decisions.adapted(
        asked, asked.value % (maximum + 1), "folded into the range", f"at most {maximum}"
    )


def _at_most(asked: Asked, limit: int | None, decisions: Decisions) -> Any:
    if limit is None or asked.value <= limit:
        return asked.value
    return decisions.adapted(asked, limit, "the model's limit", f"at most {limit}")


def _first(asked: Asked, limit: int | None, decisions: Decisions) -> Any:
    if limit is None or len(asked.value) <= limit:
        return asked.value
    return decisions.adapted(asked, asked.value[:limit], "the model's limit", f"at most {limit} sequences")
