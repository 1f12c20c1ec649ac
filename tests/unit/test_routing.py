"""What LiteLLM's router is told of streams and refusals. What it does then tests/proxy shows."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from litellm_imagegen.canonical import Finish, ImageResult, TextPart
from litellm_imagegen.errors import PictureRefused
from litellm_imagegen.plugin.routing import begin_at_once, raise_refusal_with_fallback

BY_ROUTER = {"metadata": {"model_group": "nano"}}
REFUSED = ImageResult(
    provider="gemini", model="m", finish=Finish.REFUSED, refusal="gemini refused the prompt: SAFETY"
)
WORDS = ImageResult(provider="gemini", model="m", parts=(TextPart(text="no"),))


@pytest.mark.parametrize(
    ("arguments", "is_awaited"),
    [
        (BY_ROUTER, True),
        ({"litellm_metadata": {"model_group": "nano"}}, True),
        ({}, False),
        ({"metadata": None, "litellm_metadata": {"user": "x"}}, False),
        ({**BY_ROUTER, "mock_response": "hi"}, False),
        ({**BY_ROUTER, "mock_response": None}, True),
    ],
)
def test_litellm_awaits_streams_that_a_router_asks_for(arguments: dict[str, Any], is_awaited: bool) -> None:
    given = {"model": "m", "stream": True, **arguments}
    begin_at_once(given)
    assert given == {"model": "m", **arguments} | ({} if is_awaited else {"stream": True})


@pytest.mark.parametrize(
    ("for_refusals", "for_failures", "goes_on"),
    [
        ([{"nano": ["other"]}], None, True),
        ([{"*": ["other"]}], None, True),
        ([{"another": ["other"]}], None, False),
        (None, [{"*": ["other"]}], True),
        (None, [{"nano": ["other"]}], False),
        ([{"another": ["other"]}], [{"*": ["other"]}], False),
        (None, None, False),
    ],
)
def test_a_refusal_is_an_error_where_another_model_may_make_it_good(
    monkeypatch: pytest.MonkeyPatch,
    for_refusals: list[Any] | None,
    for_failures: list[Any] | None,
    goes_on: bool,
) -> None:
    router = SimpleNamespace(content_policy_fallbacks=for_refusals, fallbacks=for_failures)
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", SimpleNamespace(llm_router=router))
    raise_refusal_with_fallback(WORDS, BY_ROUTER)
    raise_refusal_with_fallback(REFUSED, {"metadata": {}})
    if not goes_on:
        raise_refusal_with_fallback(REFUSED, BY_ROUTER)
        return
    with pytest.raises(PictureRefused, match=r"^gemini: refused the prompt: SAFETY$"):
        raise_refusal_with_fallback(REFUSED, BY_ROUTER)


def test_without_a_proxy_a_refusal_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "litellm.proxy.proxy_server", raising=False)
    raise_refusal_with_fallback(REFUSED, BY_ROUTER)
