"""What is known of each model, in words and as plain data: for the command and for docs/models.md."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from litellm_imagegen.canonical import Modality, Name
from litellm_imagegen.conversion import CONVERTIBLE
from litellm_imagegen.geometry import as_text
from litellm_imagegen.profiles import FAMILIES, Price, Profile, find
from litellm_imagegen.providers import PROVIDERS

_PRICES_IN_A_CELL = 4
_GAP = "  "
# Heading, the cell that stands under it, and the width from which on it is wrapped.
_COLUMNS = (
    ("model", "model", 34),
    ("aspect ratios or dimensions", "shape", 38),
    ("sizes", "tiers", 14),
    ("formats", "formats", 16),
    ("a call", "pictures_a_call", 6),
    ("references", "reference_pictures", 10),
    ("USD", "price", 40),
)
_NOBODYS_ID = "-"
CONVERTED = (
    f"{', '.join(CONVERTIBLE[:-1])} and {CONVERTIBLE[-1]} can be asked of every model: "
    "where it lacks the format the picture is converted."
)


class UnknownFamily(Exception):
    """There is no such family; the message names those that there are."""


@dataclass(frozen=True)
class Cells:
    """A model's row in words; what nobody knows, or what the model has none of, is an empty cell."""

    model: str
    shape: str
    tiers: str
    formats: str
    answers_with: str
    pictures_a_call: str
    reference_pictures: str
    price: str


def cells(profile: Profile) -> Cells:
    """The cells of one model."""
    return Cells(
        model=profile.id,
        shape="; ".join(_shapes(profile)),
        tiers=", ".join(profile.image_sizes) + (" (fixed)" if profile.image_size_is_fixed else ""),
        formats=", ".join(profile.formats),
        answers_with=" and ".join(str(modality) for modality in Modality if modality in profile.output),
        pictures_a_call=str(profile.pictures_a_call),
        reference_pictures=_references(profile),
        price="; ".join(_prices(profile.price)),
    )


def families(family: str | None = None) -> Mapping[str, Sequence[Profile]]:
    """All families with their rows, or the one that is named. Raises `UnknownFamily`."""
    if family is None:
        return FAMILIES
    if family not in FAMILIES:
        raise UnknownFamily(f"there is no family {family!r}; there are: {', '.join(sorted(FAMILIES))}")
    return {family: FAMILIES[family]}


def table(family: str | None = None) -> str:
    """All models for people, a fixed-width table for each family. Raises `UnknownFamily`."""
    blocks = []
    for name, rows in families(family).items():
        lines = [name, "", *_lines([[getattr(cells(row), key) for _, key, _ in _COLUMNS] for row in rows])]
        blocks.append("\n".join([*lines, "", *remarks(name, rows)]))
    return "\n\n".join([*blocks, CONVERTED])


def remarks(family: str, rows: Sequence[Profile]) -> list[str]:
    """What is to be said below a family's table, one line each."""
    told = [_served(family), _unlisted(family, rows)]
    if former := [f"{old} is served by {row.id}" for row in rows for old in row.former_ids]:
        told.append(f"Former ids: {'; '.join(former)}; a notice says so.")
    told.extend(f"{row.id}: {status(row)}." for row in rows if status(row))
    return told


def status(profile: Profile) -> str:
    """Since when the model is gone and which one to take instead, as far as it is so; else an empty text."""
    told = [f"gone {profile.gone}"] if profile.gone else []
    told += [f"successor {profile.successor}"] if profile.successor else []
    return ", ".join(told)


def _shapes(profile: Profile) -> Iterable[str]:
    """The ways in which the wire can ask for the picture's shape."""
    if profile.sizes:
        yield ", ".join(map(as_text, profile.sizes))
    if profile.pixel_rule is not None:
        yield profile.pixel_rule.text()
    if Name.ASPECT_RATIO not in profile.names and (profile.sizes or profile.pixel_rule):
        return  # then the ratios are those of the dimensions
    if profile.aspect_ratios:
        yield ", ".join(profile.aspect_ratios)
    if profile.ratio_range is not None:
        yield " to ".join(profile.ratio_range)


def _references(profile: Profile) -> str:
    most = profile.maximum_reference_images
    if most is None:
        return ""
    return f"at most {most}" if most else "none"


def _prices(price: Price | None) -> Iterable[str]:
    """The ways in which the vendor charges."""
    if price is None:
        return
    rates = {
        "input": price.input,
        "input pictures": price.image_input,
        "text": price.text_output,
        "image": price.image_output,
    }
    if told := [f"{what} {rate:g}" for what, rate in rates.items() if rate is not None]:
        yield f"a million tokens: {', '.join(told)}"
    if price.picture is not None:
        yield f"a picture: {price.picture:g}"
    if len(price.pictures) > _PRICES_IN_A_CELL:
        yield f"a picture: {min(price.pictures.values()):g} to {max(price.pictures.values()):g}"
    elif price.pictures:
        yield f"a picture: {', '.join(f'{what} {rate:g}' for what, rate in price.pictures.items())}"
    if price.first_megapixel is not None:
        further = price.further_megapixel
        yield f"the first megapixel: {price.first_megapixel:g}" + (
            f", each further one: {further:g}" if further is not None else ""
        )


def _served(family: str) -> str:
    """By whom."""
    names = sorted(
        name for name, provider in PROVIDERS.items() if any(wire.family == family for wire in provider.wires)
    )
    return f"Served by: {', '.join(names)}." if names else "No provider here serves this family yet."


def _unlisted(family: str, rows: Sequence[Profile]) -> str:
    """What becomes of an id that is in no row."""
    newest = next((row for row in reversed(rows) if not row.gone), rows[-1]) if rows else None
    if newest is not None and find(family, _NOBODYS_ID).names == newest.names:
        return f"An id that is not listed is taken for the newest of its family ({newest.id})."
    return (
        "An id that is not listed is taken for the newest of the family that it begins like; "
        "if there is none, every field of the wire is sent."
    )


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table under its headings; long cells go on below themselves."""
    headings = [heading for heading, _, _ in _COLUMNS]
    wrapped = [
        [_wrapped(text, width) for text, (_, _, width) in zip(row, _COLUMNS, strict=True)]
        for row in (headings, *rows)
    ]
    widths = [max(len(line) for row in wrapped for line in row[column]) for column in range(len(_COLUMNS))]
    lines = []
    for row in wrapped:
        for index in range(max(map(len, row))):
            texts = [cell[index] if index < len(cell) else "" for cell in row]
            padded = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
            lines.append(_GAP.join(padded).rstrip())
    ruler = _GAP.join("-" * width for width in widths)
    height = max(map(len, wrapped[0]))
    return [*lines[:height], ruler, *lines[height:]]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
