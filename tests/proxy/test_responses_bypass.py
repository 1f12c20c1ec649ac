"""Pictures of /v1/responses on their own way: the same answer as without, and nobody sees a reference."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from litellm_imagegen.plugin import references
from tests.pictures import data_url, look_at
from tests.proxy.responding import Events, pictures_of, respond, respond_streamed
from tests.proxy.support import Proxy
from tests.proxy.test_bypass import (
    IN_TIME,
    LOOK_ALIKES,
    OUTCOMES,
    Setup,
    comparable,
    picture_part,
    prompt,
    said,
    setup,
)

_PREFIX = references.PREFIX.decode()
WITH_PICTURES = ("nothing special", "pictures 3", "drafts")
CASES = [
    *((wish, "items") for wish in OUTCOMES if wish not in IN_TIME),
    *((wish, "output_image") for wish in WITH_PICTURES),
]
_HEADERS = ("content-type", "retry-after", "x-imagegen-", "x-litellm-", "x-ratelimit-")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Nobody looks at answers."""
    callbacks = ["probe.before", "litellm_imagegen.callback", "probe.after"]
    with setup(tmp_path_factory.mktemp("responses-plain"), callbacks) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """A guardrail looks at answers, and so does a callback."""
    guardrail = {"guardrail": "probe.Blocker", "mode": "post_call", "default_on": True}
    folder = tmp_path_factory.mktemp("responses-guarded")
    callbacks = ["litellm_imagegen.callback", "probe.observer"]
    guardrails = [{"guardrail_name": "blocker", "litellm_params": guardrail}]
    with setup(folder, callbacks, guardrails=guardrails) as started:
        yield started


def told(answer: httpx.Response | Events, wish: str) -> dict[str, Any]:
    """An answer without what differs from one to the next: ids by their order."""
    status = answer.status if isinstance(answer, Events) else answer.status_code
    body: Any = answer.body or answer.events if isinstance(answer, Events) else answer.json()
    if wish == "cut off" and isinstance(answer, Events):  # how much of it was read is chance
        body = [event for event in body if event["type"] == "response.failed"]
        body[0].pop("sequence_number")
        body[0]["response"].pop("output")
    text = json.dumps(body)
    assert _PREFIX not in text
    ids: dict[str, str] = {}

    def numbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: ids.setdefault(str(item), f"{name} {len(ids)}")
                if name in ("id", "item_id")
                else numbered(item)
                for name, item in value.items()
                if name not in ("created_at", "sequence_number")
            }
        return [numbered(item) for item in value] if isinstance(value, list) else value

    names = sorted(name.lower() for name in answer.headers if name.lower().startswith(_HEADERS))
    return {"status": status, "names": names, "body": comparable(numbered(body))}


@pytest.mark.parametrize(("wish", "shape"), CASES)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_response_is_the_same_whichever_way_its_pictures_go(
    plain: Setup, wish: str, shape: str, streamed: bool
) -> None:
    ask: Any = respond_streamed if streamed else respond
    both = {}
    for way in ("auto", "off"):
        model = f"plain-{way}"
        before = plain.kept
        answer = ask(plain.proxy, model, prompt(wish), seed=7, imagegen={"responses": shape})
        both[way] = told(answer, wish)
        expected = {"auto": wish in WITH_PICTURES, "off": False}[way]
        assert (plain.kept > before) == expected, "pictures take their own way, or do not"
    assert both["auto"] == both["off"]


@pytest.mark.parametrize("streamed", [False, True])
def test_who_looks_at_responses_sees_the_picture_first(guarded: Setup, streamed: bool) -> None:
    before, done = guarded.kept, len(guarded.seen)
    ask: Any = respond_streamed if streamed else respond
    for shape in ("items", "output_image"):
        answer = ask(guarded.proxy, "plain-auto", prompt("pictures 2"), imagegen={"responses": shape})
        response = answer.last if streamed else answer.json()
        shown = [url.partition(",")[2] for url in pictures_of(response)]
        assert len({look_at(url).sha256 for url in pictures_of(response)}) == 2
        what = "chunk" if streamed else "whole"
        seen = "".join(value for kind, value in guarded.seen[done:] if kind == what)
        assert all(picture in seen for picture in shown)
        assert _PREFIX not in seen
        if streamed:
            kinds = [event["type"] for event in answer.events]
            assert kinds.index("response.output_text.delta") < kinds.index("response.completed")
    assert guarded.kept == before


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("way", ["auto", "force"])
def test_what_a_guardrail_blocks_reaches_nobody(guarded: Setup, way: str, streamed: bool) -> None:
    done = len(guarded.seen)
    if streamed and way == "force":
        pytest.skip("who forces pictures past a guardrail sends them before it has seen the end")
    ask: Any = respond_streamed if streamed else respond
    answer = ask(guarded.proxy, f"plain-{way}", "A lighthouse [block]")
    if streamed:
        assert answer.events[-1]["type"] in ("response.failed", "error")
        text = json.dumps(answer.events)
    else:
        assert answer.status_code == 400
        text = answer.text
    assert "blocked after the handler" in text
    assert "base64" not in text
    assert not any(len(word) > 5000 for word in text.split('"'))
    seen = [value for what, value in guarded.seen[done:] if what == "guarded"]
    assert any("/9j/" in value for value in seen) == (way == "auto")
    settled = guarded.settled()
    assert (settled.held_bytes, settled.records) == (0, 0)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("look_alike", LOOK_ALIKES, ids=["a token", "the prefix", "full length"])
def test_words_that_look_like_a_reference_come_back_as_words(
    plain: Setup, streamed: bool, look_alike: str
) -> None:
    url = data_url("olive")
    texts = [f"This is {look_alike}", f" and {look_alike[:30]}", f"{look_alike[30:]}."]
    reply = said({"text": texts[0]}, picture_part(url), {"text": texts[1]}, {"text": texts[2]})
    (plain.upstream.will_stream if streamed else plain.upstream.will_say)(reply)
    ask: Any = respond_streamed if streamed else respond
    answer = ask(plain.proxy, "recorded-auto", f"Say {look_alike}")
    response = answer.last if streamed else answer.json()
    said_back = [item["content"][0]["text"] for item in response["output"] if item["type"] == "message"]
    assert said_back == [texts[0], texts[1] + texts[2]]
    assert pictures_of(response) == [url]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_fallback_gives_its_picture_and_a_foreign_one_its_words(plain: Setup, streamed: bool) -> None:
    ask: Any = respond_streamed if streamed else respond
    answer = ask(plain.proxy, "is-down-to-picture" if streamed else "fails-to-picture", "A lighthouse")
    response = answer.last if streamed else answer.json()
    [url] = pictures_of(response)
    assert look_at(url).size == (1024, 1024)
    model = "is-down-to-words" if streamed else "fails-to-words"
    text = respond(plain.proxy, model, "A lighthouse").text  # LiteLLM streams no response that is made up
    assert "just words" in text
    assert "imagegen" not in text, "LiteLLM's own answer, as it is without us"
    assert plain.state.held_bytes == 0


def hang_up(proxy: Proxy, streamed: bool, wish: str, after_bytes: int) -> None:
    body = {"model": "plain-force", "input": prompt(wish), "stream": streamed}
    headers = {"authorization": f"Bearer {proxy.key}"}
    with (
        httpx.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", f"{proxy.url}/v1/responses", json=body, headers=headers) as response,
    ):
        read = 0
        for piece in response.iter_raw():
            read += len(piece)
            if read >= after_bytes:
                break


def test_nothing_is_left_of_responses_of_every_kind(plain: Setup) -> None:
    def one(number: int) -> None:
        match number % 6:
            case 0:
                [url] = pictures_of(respond(plain.proxy, "plain-force", f"{number}").json())
                look_at(url)
            case 1:
                assert respond_streamed(plain.proxy, "plain-force", prompt("cut off")).status == 200
            case 2:
                hang_up(plain.proxy, True, "stall 60", 1)
            case 3:
                hang_up(plain.proxy, number % 4 > 1, "big 1", 100_000)
            case 4:
                assert respond(plain.proxy, "plain-force", prompt("500")).status_code == 500
            case 5:
                assert respond_streamed(plain.proxy, "plain-force", prompt("pictures 3")).done

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, range(36)))
    settled = plain.settled()
    assert (settled.held_bytes, settled.records) == (0, 0)
