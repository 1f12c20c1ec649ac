"""Rows of models that operators add or correct, models that are gone, and models that draw nothing."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import litellm
import pytest

from litellm_imagegen.canonical import Name
from litellm_imagegen.errors import ConfigurationError, InvalidParameter, RequestError
from litellm_imagegen.plugin import config
from litellm_imagegen.profiles import FAMILIES, find, rows_of
from tests.unit.test_settings import configure, plan_through_the_proxy

NEW = "gemini-9-image"


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config._Registered, "settings", None)
    monkeypatch.setattr(litellm, "imagegen_settings", None, raising=False)


def test_an_operators_row_adds_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"like": "gemini-3-pro-image", "aspect_ratios": ["1:1", "5:1"], "image_sizes": ["2K"]}
    configure(monkeypatch, {"models": {f"gemini/{NEW}": row}})
    body = {"aspect_ratio": "5:1", "image_size": "2K"}
    plan = plan_through_the_proxy(body, model=f"imagegen/gemini/{NEW}")
    assert plan.values == {Name.ASPECT_RATIO: "5:1", Name.IMAGE_SIZE: "2K"}
    assert plan.notices == ()
    assert plan.model == NEW
    assert NEW in plan.known_models
    other = plan_through_the_proxy(body)
    assert [notice.field for notice in other.notices] == ["aspect_ratio"]


def test_an_operators_row_corrects_a_model_and_keeps_what_it_does_not_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(monkeypatch, {"models": {"gemini/gemini-3-pro-image": {"maximum_output_tokens": 5}}})
    plan = plan_through_the_proxy({"max_tokens": 9, "aspect_ratio": "21:9"})
    assert plan.values == {Name.MAX_TOKENS: 5, Name.ASPECT_RATIO: "21:9"}


def test_an_operators_sizes_go_before_the_rule_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"sizes": [[1024, 1024], [1536, 1024]]}
    configure(monkeypatch, {"models": {"openai/gpt-image-2": row}})
    plan = plan_through_the_proxy({"size": "2048x1024"}, model="imagegen/openai/gpt-image-2")
    assert plan.values == {Name.DIMENSIONS: (1536, 1024)}
    assert [(notice.field, notice.used) for notice in plan.notices] == [("size", "1536x1024")]
    with pytest.raises(InvalidParameter, match=r"allowed: 1024x1024, 1536x1024$"):
        plan_through_the_proxy(
            {"size": "2048x1024", "imagegen": {"policy": "strict"}}, model="imagegen/openai/gpt-image-2"
        )


def test_rows_of_a_file_count_after_those_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(
        f"gemini/{NEW}: {{maximum_output_tokens: 7}}\n"
        "imagegen/gemini/gemini-3-pro-image: {maximum_output_tokens: 8}\n"
    )
    own = {f"gemini/{NEW}": {"maximum_output_tokens": 6}}
    configure(monkeypatch, {"models_file": str(path), "models": own})
    tokens = [
        plan_through_the_proxy({"max_tokens": 99}, model=f"imagegen/gemini/{model}").values[Name.MAX_TOKENS]
        for model in (NEW, "gemini-3-pro-image")
    ]
    assert tokens == [6, 8]


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ({"gemini-9-image": {}}, "models.gemini-9-image is no <provider>/<model>"),
        ({"nobody/x": {}}, "models.nobody/x is no <provider>/<model> with a provider of"),
        ({"gemini/x": {"aspect_ratio": ["1:1"]}}, "gemini/x.aspect_ratio is unknown; known: id, family"),
        ({"gemini/x": {"maximum_n": "many"}}, "gemini/x.maximum_n: 'many' is not allowed"),
        ({"gemini/x": {"names": ["looks"]}}, "gemini/x.names"),
        ({"gemini/x": {"like": "gpt-9"}}, "gemini/x.like: 'gpt-9' is no model of gemini"),
        ({"gemini/x": {"aspect_ratios": ["wide"]}}, "gemini/x.aspect_ratios"),
        ({"gemini/x": {"image_sizes": ["9K"]}}, "gemini/x.image_sizes"),
        ("gemini/x", "imagegen_settings.models"),
        ({"gemini/x": []}, "imagegen_settings.models.gemini/x"),
    ],
)
def test_a_mistake_in_a_row_is_told_by_name_and_value(
    monkeypatch: pytest.MonkeyPatch, models: Any, told: str
) -> None:
    configure(monkeypatch, {"models": models})
    with pytest.raises(ConfigurationError) as caught:
        config.settings()
    assert told in caught.value.message


@pytest.mark.parametrize("content", [None, "- a\n- b\n", "a: [", "\udce9"])
def test_a_file_of_rows_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "models.yaml"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    configure(monkeypatch, {"models_file": str(path)})
    with pytest.raises(ConfigurationError, match="models_file"):
        config.settings()


GONE = {"like": "gemini-3-pro-image", "gone": "2026-06-25", "successor": "gemini-nano-banana-2.1"}


def test_a_model_that_is_gone_keeps_its_id_and_its_404_will_name_the_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(monkeypatch, {"models": {"gemini/gemini-old-image": GONE}})
    plan = plan_through_the_proxy(model="imagegen/gemini/gemini-old-image")
    assert plan.model == "gemini-old-image"
    assert plan.notices == ()
    assert plan.nearest_models[0] == "gemini-nano-banana-2.1"
    assert "gemini-old-image" not in plan.known_models


def test_with_successor_the_next_model_serves_it_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"models": {"gemini/gemini-old-image": GONE}})
    plan = plan_through_the_proxy(
        {"aspect_ratio": "8:1"}, model="imagegen/gemini/gemini-old-image", deployment={"successor": True}
    )
    assert plan.model == "gemini-nano-banana-2.1"
    assert plan.values == {Name.ASPECT_RATIO: "8:1"}
    (notice,) = plan.notices
    assert (notice.field, notice.asked, notice.used) == ("model", "gemini-old-image", plan.model)
    assert "2026-06-25" in notice.why


def test_a_picture_of_a_model_that_answers_in_words_only_is_refused_and_image_models_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def deployment(name: str, model: str) -> dict[str, Any]:
        return {"model_name": name, "litellm_params": {"model": model}}

    deployments = [
        deployment("painter", "imagegen/gemini/gemini-3-pro-image"),
        deployment("writer", "imagegen/gemini/gemini-2.5-flash"),
        deployment("other", "openai/gpt-4o"),
    ]
    proxy = SimpleNamespace(llm_router=SimpleNamespace(model_list=deployments))
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", proxy)
    with pytest.raises(RequestError) as caught:
        plan_through_the_proxy(model="imagegen/gemini/gemini-2.5-flash")
    assert (caught.value.status, caught.value.field) == (400, "model")
    assert caught.value.message == "model: gemini-2.5-flash answers in words only; image models here: painter"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_is_found_by_its_id_and_its_former_ids(family: str) -> None:
    for row in rows_of(family):
        assert find(family, row.id) is row
        assert all(find(family, former) is row for former in row.former_ids)
        assert row.family == family
    ids = [row.id for row in rows_of(family)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("family", "model", "like"),
    [
        ("gemini", NEW, ("gemini", "gemini-nano-banana-2.1")),
        ("flux", "flux-9", ("flux", "flux-3-image")),
        ("openrouter", f"google/{NEW}", ("openrouter", "google/gemini-nano-banana-2.1")),
        ("openrouter", "recraft/recraft-v9", ("openrouter", "recraft/recraft-v4")),
        ("vercel", "bfl/flux-9", ("vercel", "bfl/flux-3-image")),
        ("vercel", "openai/gpt-5.9", ("vercel", "openai/gpt-5")),
        ("helicone", f"{NEW}/google-ai-studio", ("helicone", "gemini-3-pro-image-preview/google-ai-studio")),
        ("helicone", "gemini-3.1-flash-image/google-ai-studio", ("gemini", "gemini-3.1-flash-image")),
        ("openrouter", "openai/gpt-image-1.5", ("gpt_image", "gpt-image-1.5")),
        ("aione", "gemini-3-pro-image-2k", ("aione", "gemini-3-pro-image-preview-2k")),
        ("helicone", "flux-9", ("flux", "flux-3-image")),
    ],
)
def test_an_unknown_id_of_a_known_family_behaves_as_its_newest(
    family: str, model: str, like: tuple[str, str]
) -> None:
    newest = find(*like)
    unlisted = {"id": model, "former_ids": (), "successor": None, "gone": None}
    assert find(family, model) == newest.model_copy(update=unlisted)


def test_an_unknown_id_of_an_unknown_family_lets_everything_pass() -> None:
    row = find("openrouter", "somebody/painter-1")
    assert row.names == frozenset(Name)
    assert (row.aspect_ratios, row.image_sizes, row.choices, row.ranges) == ((), (), {}, {})
