"""Facts about model families, data only. A model is one row; a family is one file and one line here."""

from litellm_imagegen.profiles import gemini
from litellm_imagegen.profiles.profile import Price, Profile

FAMILIES: dict[str, tuple[Profile, ...]] = {
    gemini.FAMILY: gemini.ROWS,
}

__all__ = ["FAMILIES", "Price", "Profile", "find"]


def find(family: str, model: str) -> Profile:
    """The row of `model`, or of the newest model of its family when the id is unknown.

    Former ids find the row of the same model; its `id` is then the present one.
    """
    rows = FAMILIES[family]
    for row in rows:
        if model == row.id or model in row.former_ids:
            return row
    return rows[-1].model_copy(update={"id": model, "former_ids": ()})
