"""Writes the generated pages of this folder; with --check it only tells whether they are fresh."""

import sys
from pathlib import Path

from litellm_imagegen.cli.models import CONVERTED, Cells, cells, families, remarks
from litellm_imagegen.providers import PROVIDERS

FOLDER = Path(__file__).parent


def models() -> str:
    """The page of providers and models, from their registries."""
    lines = [
        "# Providers and models",
        "",
        "Generated from the registries by `make docs`; `litellm-imagegen models` prints the same, and "
        "`--json` all that is known of a model.",
        "",
        "| provider | key: the deployment's `api_key`, else the first of | `api_base` (default) |",
        "|---|---|---|",
    ]
    for name, provider in sorted(PROVIDERS.items()):
        keys = ", ".join(f"`{variable}`" for variable in provider.key_variables) or "see providers.md"
        bases = [f"`{variable}`" for variable in provider.base_variables]
        base = ", else ".join([*bases, provider.base_url or ""]).removesuffix(", else ")
        lines.append(f"| `{name}` | {keys} | {base or 'see providers.md'} |")
    lines += ["| `sandbox` | none | in the same process |", "", CONVERTED, ""]
    for family, rows in families().items():
        lines += [
            f"## {family}",
            "",
            "| model | aspect ratios or dimensions | sizes | answers with | pictures a call "
            "| reference pictures | price in USD |",
            "|---|---|---|---|---|---|---|",
            *(_row(cells(profile)) for profile in rows),
            "",
            *(f"* {remark}" for remark in remarks(family, rows)),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _row(row: Cells) -> str:
    told = (
        f"`{row.model}`",
        row.shape,
        row.tiers,
        row.answers_with,
        row.pictures_a_call,
        row.reference_pictures,
        row.price,
    )
    return f"| {' | '.join(told)} |"


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
