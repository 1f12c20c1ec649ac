"""The picture's shape: what was asked for as ratio, tier, dimensions or edges, in the model's own terms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from litellm_imagegen.canonical import Asked, ImageInput, Name, Origin
from litellm_imagegen.errors import Contradiction
from litellm_imagegen.geometry import (
    Dimensions,
    PixelRule,
    as_text,
    covering_tier,
    dimensions_of,
    nearest_dimensions,
    nearest_ratio,
    ratio_of,
    ratio_value,
    resembles,
    same_ratio,
    tier_of,
)
from litellm_imagegen.plan.decisions import Decisions
from litellm_imagegen.profiles import Profile

_SQUARE = "1:1"


@dataclass(frozen=True)
class _Wanted:
    """What was asked for; where there are dimensions, nothing else is left to be asked."""

    ratio: Asked | None = None
    tier: Asked | None = None
    dimensions: Asked | None = None

    def __iter__(self) -> Iterator[Asked]:
        return (wish for wish in (self.ratio, self.tier, self.dimensions) if wish is not None)


def decide_shape(
    settled: Mapping[Name, Asked], *, profile: Profile, names: frozenset[Name], decisions: Decisions
) -> dict[Name, Any]:
    """The values to send, of `names` those that the model and its wire have.

    Raises `Contradiction` where a client's wishes for the shape exclude each other.
    """
    wanted = _wanted(settled, decisions)
    if not any(wanted):
        return {}
    if Name.DIMENSIONS in names and _is_told_pixels(wanted, profile, names):
        return {Name.DIMENSIONS: _dimensions(wanted, profile, decisions)}
    decided: dict[Name, Any] = {}
    if wanted.dimensions is not None:
        return _ratio_and_tier_of(wanted.dimensions, profile, names, decisions)
    if wanted.ratio is not None:
        if Name.ASPECT_RATIO in names:
            decided[Name.ASPECT_RATIO] = _ratio(wanted.ratio, profile, decisions)
        else:
            decisions.left_out(wanted.ratio, f"{profile.id} has no such field")
    if wanted.tier is not None:
        has_field = Name.IMAGE_SIZE in names and not profile.image_size_is_fixed
        if has_field and _is_open(profile):
            decided[Name.IMAGE_SIZE] = wanted.tier.value
        elif profile.image_sizes and (has_field or profile.image_size_is_fixed):
            tier = _tier(wanted.tier, profile, decisions)
            if has_field:
                decided[Name.IMAGE_SIZE] = tier
        else:
            decisions.left_out(wanted.tier, f"{profile.id} has no such field")
    return decided


def _is_open(profile: Profile) -> bool:
    """Whether nothing is known of a model's shapes: it is told what was asked for."""
    told = profile.sizes or profile.aspect_ratios or profile.image_sizes
    return not told and profile.pixel_rule is None and profile.ratio_range is None


def _is_told_pixels(wanted: _Wanted, profile: Profile, names: frozenset[Name]) -> bool:
    """Whether a model that may be told pixels is: one that nothing is known of is told what was asked for."""
    if not _is_open(profile):
        return bool(profile.sizes) or profile.pixel_rule is not None
    return wanted.dimensions is not None or not names & {Name.ASPECT_RATIO, Name.IMAGE_SIZE}


def rest_of_shape(
    values: Mapping[Name, Any],
    together: frozenset[Name],
    references: Sequence[ImageInput],
    profile: Profile,
) -> dict[Name, Any]:
    """What is missing of a shape that a wire takes whole or not at all: what the model would choose itself.

    Of the ratio that is the one of the last picture that it draws by, where there is one.
    """
    missing = together - values.keys()
    if not missing or missing == together:
        return {}
    drawn_by = references[-1].blob.facts if references and references[-1].blob is not None else None
    edges = (drawn_by["width"], drawn_by["height"]) if drawn_by else (None, None)
    ratio = _SQUARE if None in edges else _nearest_legal_ratio(f"{edges[0]}:{edges[1]}", profile)
    chosen = {Name.ASPECT_RATIO: ratio, Name.IMAGE_SIZE: profile.default_tier}
    return {name: value for name, value in chosen.items() if name in missing}


def _wanted(settled: Mapping[Name, Asked], decisions: Decisions) -> _Wanted:
    """The wishes brought together: a client's own go before, and may not exclude each other."""
    ratio, tier = settled.get(Name.ASPECT_RATIO), settled.get(Name.IMAGE_SIZE)
    dimensions = _given_dimensions(settled, ratio, decisions)
    if dimensions is None:
        return _Wanted(ratio=ratio, tier=tier)
    if dimensions.origin is Origin.OPERATOR:
        if _is_clients(ratio) or _is_clients(tier):
            width, height = dimensions.value
            ratio = ratio or dimensions.model_copy(
                update={"name": Name.ASPECT_RATIO, "value": f"{width}:{height}"}
            )
            tier = tier or dimensions.model_copy(
                update={"name": Name.IMAGE_SIZE, "value": tier_of((width, height))}
            )
            return _Wanted(ratio=ratio, tier=tier)
        return _Wanted(dimensions=dimensions)
    gave_one_edge = (Name.WIDTH in settled) != (Name.HEIGHT in settled)  # the other follows the ratio
    if _is_clients(ratio) and not (gave_one_edge or resembles(dimensions.value, ratio.value)):
        raise _contradiction(ratio, dimensions)
    if _is_clients(tier) and tier_of(dimensions.value) != tier.value:
        raise _contradiction(tier, dimensions)
    return _Wanted(dimensions=dimensions)


def _given_dimensions(
    settled: Mapping[Name, Asked], ratio: Asked | None, decisions: Decisions
) -> Asked | None:
    """Dimensions asked for as one value or as two edges; of one edge alone the other follows the ratio."""
    whole = settled.get(Name.DIMENSIONS)
    width, height = settled.get(Name.WIDTH), settled.get(Name.HEIGHT)
    edge = width or height
    if edge is None:
        return whole
    if whole is not None:
        for wish, expected in ((width, whole.value[0]), (height, whole.value[1])):
            if _is_clients(wish) and _is_clients(whole) and wish.value != expected:
                raise _contradiction(whole, wish)
        if _is_clients(whole) or not _is_clients(edge):
            return whole
    if width is not None and height is not None:
        spelling = f"{width.spelling}, {height.spelling}"
        value = (width.value, height.value)
        return edge.model_copy(update={"name": Name.DIMENSIONS, "value": value, "spelling": spelling})
    shape = ratio_value(ratio.value) if ratio is not None else 1.0
    length = edge.value
    value = (length, max(round(length / shape), 1)) if width else (max(round(length * shape), 1), length)
    decisions.adapted(edge, as_text(value), "only one edge was given", "width and height together")
    return edge.model_copy(update={"name": Name.DIMENSIONS, "value": value})


def _is_clients(wish: Asked | None) -> TypeGuard[Asked]:
    return wish is not None and wish.origin is not Origin.OPERATOR


def _contradiction(first: Asked, second: Asked) -> Contradiction:
    shown = [
        as_text(wish.value) if wish.name is Name.DIMENSIONS else str(wish.value) for wish in (first, second)
    ]
    return Contradiction((first.spelling, shown[0]), (second.spelling, shown[1]))


def _dimensions(wanted: _Wanted, profile: Profile, decisions: Decisions) -> Dimensions:
    """For models that are told pixels."""
    if wanted.dimensions is not None:
        asked: Dimensions = wanted.dimensions.value
        used = _nearest(asked[0], asked[1], profile)
        if used != asked:
            shown = wanted.dimensions.model_copy(update={"value": as_text(asked)})
            decisions.adapted(shown, as_text(used), f"nearest size of {profile.id}", _legal_pixels(profile))
        return used
    ratio = wanted.ratio.value if wanted.ratio is not None else _SQUARE
    tier = wanted.tier.value if wanted.tier is not None else profile.default_tier
    used = _nearest(*dimensions_of(ratio, tier), profile)
    if wanted.ratio is not None and not resembles(used, ratio):
        decisions.adapted(
            wanted.ratio, as_text(used), f"nearest ratio of {profile.id}", _legal_pixels(profile)
        )
    drawn = profile.default_tier if profile.sizes else tier_of(used)
    if wanted.tier is not None and drawn != tier:
        decisions.adapted(wanted.tier, as_text(used), f"nearest size of {profile.id}", _legal_pixels(profile))
    return used


def _nearest(width: float, height: float, profile: Profile) -> Dimensions:
    if profile.sizes:
        return nearest_dimensions(width, height, profile.sizes)
    return (profile.pixel_rule or PixelRule()).nearest(width, height)


def _legal_pixels(profile: Profile) -> str:
    if profile.sizes or profile.pixel_rule is None:
        return ", ".join(map(as_text, profile.sizes))
    return profile.pixel_rule.text()


def _ratio_and_tier_of(
    asked: Asked, profile: Profile, names: frozenset[Name], decisions: Decisions
) -> dict[Name, Any]:
    """For models that are told ratio and tier: the nearest shape, and the smallest tier that covers."""
    dimensions: Dimensions = asked.value
    decided: dict[Name, Any] = {}
    shown = asked.model_copy(update={"value": as_text(dimensions)})
    if Name.ASPECT_RATIO in names:
        decided[Name.ASPECT_RATIO] = _nearest_legal_ratio(ratio_of(dimensions), profile)
    tier = None
    if Name.IMAGE_SIZE in names and _is_open(profile):
        tier = decided[Name.IMAGE_SIZE] = tier_of(dimensions)
    elif profile.image_sizes and Name.IMAGE_SIZE in names and not profile.image_size_is_fixed:
        tier = decided[Name.IMAGE_SIZE] = tier_of(dimensions, profile.image_sizes)
    elif profile.image_size_is_fixed:
        tier = profile.image_sizes[0]
    if not decided:
        decisions.left_out(shown, f"{profile.id} has no such field")
        return {}
    drawn = _drawn(decided.get(Name.ASPECT_RATIO, _SQUARE), tier, profile)
    if drawn != dimensions:
        used = as_text(drawn) if drawn is not None else " at ".join(str(value) for value in decided.values())
        decisions.adapted(shown, used, f"nearest size of {profile.id}", _legal_shapes(profile))
    return decided


def _drawn(ratio: str, tier: str | None, profile: Profile) -> Dimensions | None:
    """The dimensions that come out, where that is known."""
    if _is_open(profile):
        return None
    tier = tier or profile.default_tier
    known = profile.pixels.get(tier, {}).get(ratio)
    if known is None and ratio == _SQUARE:
        edge = round(dimensions_of(_SQUARE, tier)[0])
        return edge, edge
    return known


def _legal_shapes(profile: Profile) -> str:
    told = [", ".join(profile.aspect_ratios) or " to ".join(profile.ratio_range or ())]
    told.append(", ".join(profile.image_sizes))
    return " at ".join(filter(None, told))


def _ratio(asked: Asked, profile: Profile, decisions: Decisions) -> str:
    ratio = _nearest_legal_ratio(asked.value, profile)
    if not same_ratio(ratio, asked.value):
        allowed = ", ".join(profile.aspect_ratios) or " to ".join(profile.ratio_range or ())
        decisions.adapted(asked, ratio, f"nearest ratio of {profile.id}", allowed)
    return ratio


def _nearest_legal_ratio(ratio: str, profile: Profile) -> str:
    """The model's own spelling of this ratio, or of the nearest one that it has."""
    if profile.ratio_range is not None:
        lowest, highest = profile.ratio_range
        if ratio_value(ratio) < ratio_value(lowest):
            return lowest
        return highest if ratio_value(ratio) > ratio_value(highest) else ratio
    if not profile.aspect_ratios:
        return ratio
    return nearest_ratio(ratio, profile.aspect_ratios)


def _tier(asked: Asked, profile: Profile, decisions: Decisions) -> str:
    tier = str(asked.value)
    if tier not in profile.image_sizes:
        allowed = ", ".join(profile.image_sizes)
        tier = covering_tier(tier, profile.image_sizes)
        decisions.adapted(asked, tier, f"nearest size of {profile.id}", allowed)
    return tier
