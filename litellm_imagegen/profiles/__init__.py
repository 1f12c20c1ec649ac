"""Facts about model families, data only. A model is one row; a family is one file and one line here."""

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from litellm_imagegen.canonical import Name
from litellm_imagegen.profiles import (
    amazon,
    bytedance,
    fal,
    flux,
    gemini,
    gpt_5,
    gpt_image,
    ideogram,
    imagen,
    minimax,
    qwen,
    recraft,
    small_vendors,
    stability,
    xai,
)
from litellm_imagegen.profiles.gateways import GATEWAY_ROWS
from litellm_imagegen.profiles.profile import Price, Profile

_VENDORS: tuple[ModuleType, ...] = (
    gemini,
    imagen,
    flux,
    gpt_image,
    gpt_5,
    recraft,
    stability,
    fal,
    bytedance,
    qwen,
    xai,
    minimax,
    ideogram,
    amazon,
)

FAMILIES: dict[str, tuple[Profile, ...]] = {
    **{module.FAMILY: module.ROWS for module in _VENDORS},
    **{name: rows for name, (_, rows) in small_vendors.FAMILIES.items()},
    **GATEWAY_ROWS,
}
# How the ids of a family's models begin, after the vendor's name that gateways put before them.
_STARTS: dict[str, tuple[str, ...]] = {
    **{module.FAMILY: module.STARTS for module in _VENDORS},
    **{name: starts for name, (starts, _) in small_vendors.FAMILIES.items()},
}

__all__ = ["FAMILIES", "Price", "Profile", "find", "row_from", "rows_of"]


def find(family: str, model: str, own_rows: Iterable[Profile] = ()) -> Profile:
    """The row of `model`; the operator's own rows go before ours.

    Former ids find the row of the same model; its `id` is then the present one. An id that is unknown
    finds the newest model of its family, and on a gateway, where no family is known by the id, a row
    that lets everything pass.
    """
    for row in rows_of(family, own_rows):
        if model == row.id or model in row.former_ids:
            return row
    if family not in GATEWAY_ROWS:
        return _newest(family, model)
    bare = model.partition("/")[2] or model
    for name, starts in _STARTS.items():
        if bare.startswith(starts) or model.startswith(starts):
            return _newest(name, model)
    return Profile(id=model, family=family, names=frozenset(Name), maximum_n=10)


def rows_of(family: str, own_rows: Iterable[Profile] = ()) -> tuple[Profile, ...]:
    """All rows of a family, the operator's own first."""
    return (*(row for row in own_rows if row.family == family), *FAMILIES[family])


def row_from(family: str, model: str, changes: Mapping[str, Any]) -> Profile:
    """An operator's row: `changes` to the row that `model` has, or to the one that they name as `like`.

    Raises `ValueError` (pydantic's) for a field or a value that no row has, and for a `like` of no model.
    """
    given = dict(changes)
    like = given.pop("like", None)
    if like is not None and not any(row.id == like for row in FAMILIES[family]):
        raise ValueError(f"like: {like!r} is no model of {family}")
    base = find(family, like or model).model_dump()
    return Profile.model_validate({**base, **given, "id": model, "family": family})


def _newest(family: str, model: str) -> Profile:
    """The newest row of a family that still answers, under another id."""
    rows = FAMILIES[family]
    row = next((row for row in reversed(rows) if not row.gone), rows[-1])
    return row.model_copy(update={"id": model, "former_ids": (), "successor": None, "gone": None})
