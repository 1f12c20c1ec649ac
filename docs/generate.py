"""Writes the generated pages of this folder; with --check it only tells whether they are fresh."""

import sys
from pathlib import Path

from litellm_imagegen.canonical import Modality
from litellm_imagegen.profiles import FAMILIES, Profile
from litellm_imagegen.providers import PROVIDERS

FOLDER = Path(__file__).parent


def models() -> str:
    """The page of providers and models, from their registries."""
    lines = [
        "# Providers and models",
        "",
        "Generated from the registries by `make docs`.",
        "",
        "| provider | key: the deployment's `api_key`, else the first of | `api_base` (default) |",
        "|---|---|---|",
    ]
    for name, provider in sorted(PROVIDERS.items()):
        keys = ", ".join(f"`{variable}`" for variable in provider.key_variables)
        lines.append(f"| `{name}` | {keys} | {provider.base_url} |")
    lines += ["| `sandbox` | none | in the same process |", ""]
    for family, rows in FAMILIES.items():
        lines += [
            f"## {family}",
            "",
            "| model | aspect ratios | sizes | answers with | reference pictures | USD per million tokens: "
            "input, text, image |",
            "|---|---|---|---|---|---|",
            *(_row(profile) for profile in rows),
            "",
            f"An id that is not listed is taken for the newest of its family ({rows[-1].id}).",
            *_former(rows),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _row(profile: Profile) -> str:
    sizes = ", ".join(profile.image_sizes) + (" (fixed)" if profile.image_size_is_fixed else "")
    output = " and ".join(str(modality) for modality in Modality if modality in profile.output)
    price = profile.price
    prices = "" if price is None else f"{price.input:g}, {price.text_output:g}, {price.image_output:g}"
    references = f"at most {profile.maximum_reference_images}" if profile.maximum_reference_images else ""
    ratios = ", ".join(profile.aspect_ratios)
    return f"| `{profile.id}` | {ratios} | {sizes} | {output} | {references} | {prices} |"


def _former(rows: tuple[Profile, ...]) -> list[str]:
    former = [f"`{old}` is served by `{row.id}`" for row in rows for old in row.former_ids]
    return [f"Former ids: {'; '.join(former)}; a notice says so."] if former else []


PAGES = {"models.md": models}


def stale() -> list[str]:
    """Names of pages that differ from what they should be."""
    return [
        name
        for name, page in PAGES.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text() != page()
    ]


def main() -> int:
    """Write, or check. The exit status is 1 if a page is stale."""
    if "--check" in sys.argv[1:]:
        for name in stale():
            sys.stderr.write(f"docs/{name} is stale: run make docs\n")
        return 1 if stale() else 0
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
