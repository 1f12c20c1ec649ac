"""A model that only its gateway knows: its list is asked for once, and nobody fails first."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import litellm
import pytest

import litellm_imagegen
from litellm_imagegen.plugin import catalogs
from tests.pictures import look_at
from tests.unit.helpers import data_url, picture_bytes
from tests.vendor import Vendor, running_vendor

LIST = "/models?output_modalities=image"
ASKED = [{"role": "user", "content": "a red dot"}]
DRAWN = {
    "choices": [
        {
            "finish_reason": "stop",
            "message": {"content": "", "images": [{"image_url": {"url": data_url(picture_bytes())}}]},
        }
    ]
}


def described(model: str, *outputs: str) -> dict[str, Any]:
    return {"id": model, "architecture": {"output_modalities": list(outputs)}}


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """OpenRouter with two models of a vendor that nobody else knows."""
    litellm_imagegen.register()
    monkeypatch.setattr(catalogs.CATALOGS, "_kept", {})
    models = [described("acme/painter-1", "image"), described("acme/talker-1", "text", "image")]
    with running_vendor() as vendor:
        vendor.files[LIST] = json.dumps({"data": models}).encode()
        vendor.will_say(DRAWN)
        yield vendor


def draw(vendor: Vendor, model: str) -> dict[str, Any]:
    """What the gateway was asked to draw."""
    answer = asyncio.run(
        litellm.acompletion(
            model=f"imagegen/openrouter/{model}", api_key="key", api_base=vendor.url, messages=ASKED
        )
    )
    assert look_at(answer.choices[0].message.images[0]["image_url"]["url"]).size == (3, 2)
    body: dict[str, Any] = vendor.asked[-1].body
    return body


def asked_for_lists(vendor: Vendor) -> int:
    return sum(asked.path == LIST for asked in vendor.asked)


def test_a_model_that_only_draws_is_asked_for_pictures_alone(gateway: Vendor) -> None:
    assert (draw(gateway, "acme/painter-1"))["modalities"] == ["image"]
    assert (draw(gateway, "acme/talker-1"))["modalities"] == ["image", "text"]
    assert (draw(gateway, "acme/painter-1"))["modalities"] == ["image"]
    assert asked_for_lists(gateway) == 1


def test_a_model_that_has_a_row_asks_for_no_list(gateway: Vendor) -> None:
    assert (draw(gateway, "black-forest-labs/flux.2-pro"))["modalities"] == ["image"]
    assert asked_for_lists(gateway) == 0


def test_a_synchronous_caller_asks_for_the_list_too(gateway: Vendor) -> None:
    litellm.completion(
        model="imagegen/openrouter/acme/painter-1", api_key="key", api_base=gateway.url, messages=ASKED
    )
    assert gateway.asked[-1].body["modalities"] == ["image"]
    assert asked_for_lists(gateway) == 1


@pytest.mark.parametrize("listed", [None, b"no JSON", b'{"data": []}'])
def test_a_list_counts_on_where_the_next_one_cannot_be_had(
    gateway: Vendor, listed: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "_KEPT_SECONDS", 0)
    assert (draw(gateway, "acme/painter-1"))["modalities"] == ["image"]
    gateway.files.clear()
    if listed is not None:
        gateway.files[LIST] = listed
    assert (draw(gateway, "acme/painter-1"))["modalities"] == ["image"]
    assert asked_for_lists(gateway) == 2


@pytest.mark.parametrize("listed", [None, b"no JSON", b"[]", b'{"data": [3, {"id": "acme/painter-1"}]}'])
def test_without_a_list_a_model_is_asked_for_all_that_it_may_give(
    gateway: Vendor, listed: bytes | None
) -> None:
    gateway.files.clear()
    if listed is not None:
        gateway.files[LIST] = listed
    assert (draw(gateway, "acme/painter-1"))["modalities"] == ["image", "text"]
    draw(gateway, "acme/painter-1")
    assert asked_for_lists(gateway) == 1, "it is not asked for again at once"
