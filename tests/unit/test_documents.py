"""What the documents say is true now."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_imagegen.plugin.config import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_generated_pages_are_fresh() -> None:
    stale = runpy.run_path(str(ROOT / "docs" / "generate.py"))["stale"]
    assert stale() == [], "run make docs"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"| `{name}` |" in README


def test_the_readme_names_no_setting_that_is_none() -> None:
    section = README.partition("## Settings")[2].partition("\n## ")[0]
    named = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert set(named) == set(Settings.model_fields)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    targets = [part.partition(")")[0] for part in README.split("](")[1:]]
    assert [
        target for target in targets if not target.startswith("https://") and not (ROOT / target).exists()
    ] == []


def test_the_example_configuration_has_the_form_that_the_readme_shows() -> None:
    example: dict[str, Any] = yaml.safe_load((ROOT / "config.example.yaml").read_text())
    assert example["litellm_settings"]["callbacks"] == ["litellm_imagegen.callback"]
    shown = README.partition("```yaml")[2].partition("```")[0]
    assert yaml.safe_load(shown)["model_list"][0]["litellm_params"] in [
        deployment["litellm_params"] for deployment in example["model_list"]
    ]


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 150
