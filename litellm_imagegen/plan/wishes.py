"""One wish a name: who is stronger, who may not contradict, and what clients may not set at all."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from litellm_imagegen.canonical import Asked, ImageRequest, Name, Origin, merged
from litellm_imagegen.errors import Contradiction
from litellm_imagegen.geometry import parse_tier, same_ratio
from litellm_imagegen.plan.decisions import Decisions

_ENDINGS = ("-2k", "-4k")
# Inside provider options these choose the upstream model, who is paid and called, and where pictures go.
OPERATORS = "it belongs to operators"
_OPERATORS_OPTIONS = frozenset(
    {
        "model",
        "models",
        "byok",
        "webhook_url",
        "webhook_secret",
        "storage_uri",
        "api_key",
        "api_base",
        "api_version",
        "base_url",
        "custom_llm_provider",
        "extra_headers",
        "headers",
        "organization",
        "project",
        "region_name",
        "ssl_verify",
        "quota_entity_id",
        "provider",
        "gateway",
        "plugins",
        "tools",
        "tool_choice",
    }
)
_OPERATORS_STARTS = ("aws_", "azure_", "vertex_")
# These are said by fields of the request that are looked at: options must not say them once more.
_TAKEN = "a field of the request says it"
_COUNTS = frozenset({"num_images", "num_outputs", "number_of_images", "sample_count", "candidate_count"})
_OF_THE_REQUEST = frozenset(
    {
        *("messages", "prompt", "input", "contents", "instances", "instructions", "system_instruction"),
        *("image", "images", "image_url", "image_urls", "mask", "input_references", "stream", "n"),
    }
)
_OPTIONS_DEPTH = 4
SHAPE = frozenset({Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.DIMENSIONS, Name.WIDTH, Name.HEIGHT})


def settle(
    asked: Iterable[Asked], *, vendor: str, locked: frozenset[str], decisions: Decisions
) -> dict[Name, Asked]:
    """What counts, by name.

    The client's wish goes before the operator's, and what it says to everybody or to this vendor before
    what it says to another one. Raises `Contradiction` where a client says two things of one kind.
    """
    settled: dict[Name, Asked] = {}
    for wish in _of_one_vendor(tuple(_permitted(tuple(asked), locked, decisions)), vendor, decisions):
        other = settled.get(wish.name)
        settled[wish.name] = wish if other is None else _stronger(other, wish, vendor, decisions)
    return settled


def model_and_ending(request: ImageRequest) -> tuple[str, tuple[Asked, ...]]:
    """The model id without its size ending, and what the ending asks for."""
    for ending in _ENDINGS:
        if request.model.lower().endswith(ending):
            tier = parse_tier(ending.removeprefix("-"))
            origin = Origin.CLIENT if request.model_is_clients else Origin.MODEL_NAME
            asked = Asked(name=Name.IMAGE_SIZE, value=tier, spelling=f"model ...{ending}", origin=origin)
            return request.model[: -len(ending)], (asked,)
    return request.model, ()


def _permitted(asked: Iterable[Asked], locked: frozenset[str], decisions: Decisions) -> Iterator[Asked]:
    """Without what clients may not set."""
    configured = {wish.name: wish.value for wish in asked if wish.origin is Origin.OPERATOR}
    for wish in asked:
        if wish.origin is not Origin.CLIENT:
            yield wish
        elif wish.name in locked:
            decisions.owned(wish.spelling, wish.value, configured.get(wish.name))
        elif wish.name is Name.PROVIDER_OPTIONS:
            value = _without_operators(wish.value, wish, decisions, _OPTIONS_DEPTH)
            yield wish.model_copy(update={"value": value})
        else:
            yield wish


def _of_one_vendor(asked: tuple[Asked, ...], vendor: str, decisions: Decisions) -> Iterator[Asked]:
    """A picture's shape is one thing: one vendor's words for it are taken, this one's if there are any."""
    shapes = [wish for wish in asked if wish.name in SHAPE and wish.origin is not Origin.OPERATOR]
    vendors = [wish.vendor for wish in sorted(shapes, key=lambda wish: _is_for_others(wish, vendor))]
    for wish in asked:
        if wish in shapes and _is_for_others(wish, vendor) and wish.vendor != vendors[0]:
            decisions.for_others(wish)
        else:
            yield wish


def belongs_to_operators(spelling: str) -> bool:
    """Whether a field, by its place in the request, chooses what only operators choose."""
    return _is_operators(_snake_case(spelling.rpartition(".")[2]))


def _is_operators(name: str) -> bool:
    return name in _OPERATORS_OPTIONS or name.startswith(_OPERATORS_STARTS)


def _without_operators(value: Any, wish: Asked, decisions: Decisions, depth: int) -> Any:
    if isinstance(value, list) and depth:
        return [_without_operators(inner, wish, decisions, depth - 1) for inner in value]
    if not isinstance(value, Mapping) or not depth:
        return value
    kept = {}
    for key, inner in value.items():
        name = _snake_case(key)
        is_taken = name in _COUNTS or (depth == _OPTIONS_DEPTH - 1 and name in _OF_THE_REQUEST)
        if is_taken or _is_operators(name):
            why = _TAKEN if is_taken else OPERATORS
            decisions.unsupported(f"{wish.spelling} ({key})", "[...]", wish.origin, why)
        else:
            kept[key] = _without_operators(inner, wish, decisions, depth - 1)
    return kept


def _snake_case(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in str(key))


def _stronger(first: Asked, second: Asked, vendor: str, decisions: Decisions) -> Asked:
    """Of two wishes of one name the one that counts."""
    weaker, stronger = sorted((first, second), key=lambda wish: _strength(wish, vendor))
    if weaker.name is Name.PROVIDER_OPTIONS:
        if _strength(weaker, vendor) == _strength(stronger, vendor) and not agree(weaker, stronger):
            raise _contradiction(first, second)
        return stronger.model_copy(update={"value": merged(weaker.value, stronger.value)})
    if weaker.origin is Origin.OPERATOR:
        return stronger
    if _is_for_others(weaker, vendor):
        if not agree(first, second):
            decisions.for_others(weaker)
        return stronger
    if not agree(first, second):
        raise _contradiction(first, second)
    return second


def _contradiction(first: Asked, second: Asked) -> Contradiction:
    return Contradiction((first.spelling, first.value), (second.spelling, second.value))


def _strength(wish: Asked, vendor: str) -> int:
    if wish.origin is Origin.OPERATOR:
        return 0
    return 1 if _is_for_others(wish, vendor) else 2


def _is_for_others(wish: Asked, vendor: str) -> bool:
    return wish.vendor not in (None, vendor)


def agree(first: Asked, second: Asked) -> bool:
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
