"""Facts about model families, data only. A model is one row; a family is one file and one line here."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
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
_ALIKE = 0.7  # of the ratio of two ids
# How the ids of a family's models begin, after the vendor's name that gateways put before them.
_STARTS: dict[str, tuple[str, ...]] = {
    **{module.FAMILY: module.STARTS for module in _VENDORS},
    **{name: starts for name, (starts, _) in small_vendors.FAMILIES.items()},
}

__all__ = ["FAMILIES", "Price", "Profile", "begins_as", "find", "known_row", "row_from", "rows_of"]


def find(family: str, model: str, own_rows: Iterable[Profile] = ()) -> Profile:
    """The row of `model`; the operator's own rows go before ours.

    Former ids find the row of the same model; its `id` is then the present one. An id that is unknown finds
    the newest model of its family. On a gateway it finds the vendor's own row of the model, else that newest
    model as the gateway lists it, else the one of the same vendor that is most like it. Where there is none a
    row lets everything pass.
    """
    rows = rows_of(family, own_rows)
    if (row := known_row(family, model, own_rows)) is not None:
        return row
    found = _on_gateway(rows, model) if family in GATEWAY_ROWS else _newest(rows)
    return _renamed(found, model) if found is not None else _open(family, model)


def known_row(family: str, model: str, own_rows: Iterable[Profile] = ()) -> Profile | None:
    """The row of this very model, by its id or a former one, on a gateway else the vendor's; None without."""
    rows = rows_of(family, own_rows)
    for row in rows:
        if model == row.id or model in row.former_ids:
            return row
    own = _row_of_vendor(model) if family in GATEWAY_ROWS else None
    return None if own is None else _renamed(own, model)


def begins_as(family: str, model: str) -> bool:
    """Whether an id begins as a vendor's family do; those of gateways begin in no way of their own."""
    return model.startswith(_STARTS.get(family, ("",)))


def rows_of(family: str, own_rows: Iterable[Profile] = ()) -> tuple[Profile, ...]:
    """All rows of a family, the operator's own first."""
    return (*(row for row in own_rows if row.family == family), *FAMILIES.get(family, ()))


def row_from(
    family: str, model: str, changes: Mapping[str, Any], own_rows: Iterable[Profile] = ()
) -> Profile:
    """An operator's row: `changes` to the row that `model` has, or to the one that they name as `like`.

    Raises `ValueError` (pydantic's) for a field or a value that no row has, and for a `like` of no model.
    """
    given, rows = dict(changes), rows_of(family, own_rows)
    like = given.pop("like", None)
    if like is not None and not any(row.id == like for row in rows):
        raise ValueError(f"like: {like!r} is no model of {family}")
    base = find(family, like or model, rows).model_dump()
    return Profile.model_validate({**base, **given, "id": model, "family": family})


def _on_gateway(rows: Sequence[Profile], model: str) -> Profile | None:
    """What a model is like that a gateway is not known to list, and no vendor either."""
    newest = _of_a_vendor(model)
    listed = (row for row in rows if newest is not None and row.id.endswith(f"/{newest.id}"))
    return next(listed, None) or _most_like(rows, model) or newest


def _row_of_vendor(model: str) -> Profile | None:
    """The row of a model under the id that its vendor has for it."""
    parts = {model, *model.split("/")}
    rows = (row for vendor in _VENDORS for row in FAMILIES[vendor.FAMILY])
    return next((row for row in rows if parts & {row.id, *row.former_ids}), None)


def _most_like(rows: Sequence[Profile], model: str) -> Profile | None:
    """The gateway's row of the same vendor whose id resembles `model` most.

    Most gateways put the vendor before the model, some behind it.
    """
    before, slash, behind = model.partition("/")
    ends = f"{before}/", f"/{behind}"
    alike = {
        row.id: row for row in rows if not slash or row.id.startswith(ends[0]) or row.id.endswith(ends[1])
    }
    near = difflib.get_close_matches(model, alike, n=1, cutoff=_ALIKE)
    return alike[near[0]] if near else None


def _of_a_vendor(model: str) -> Profile | None:
    """The newest row of the vendor whose ids begin like this one, after the name that gateways put before."""
    bare = model.partition("/")[2] or model
    for family, starts in _STARTS.items():
        if bare.startswith(starts) or model.startswith(starts):
            return _newest(FAMILIES[family])
    return None


def _newest(rows: Sequence[Profile]) -> Profile | None:
    """The newest row that still answers."""
    return next((row for row in reversed(rows) if not row.gone), rows[-1] if rows else None)


def _renamed(row: Profile, model: str) -> Profile:
    return row.model_copy(update={"id": model, "former_ids": (), "successor": None, "gone": None})


def _open(family: str, model: str) -> Profile:
    return Profile(id=model, family=family, names=frozenset(Name), maximum_n=10)
