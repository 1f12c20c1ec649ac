"""What happened, and what chat completions say about it: every row, whole and streamed, on a real proxy."""

import re
from typing import Any

import pytest

from tests.pictures import look_at
from tests.proxy.conftest import PROVIDER_KEY
from tests.proxy.support import Frames, Proxy
from tests.upstream import Upstream

MODEL = "nano-banana-pro"
REFUSALS = [
    ("refuse prompt", "refused the prompt: PROHIBITED_CONTENT"),
    ("block SAFETY", "refused the prompt: SAFETY"),
    ("block SOMETHING_NEW", "refused the prompt: SOMETHING_NEW"),
    ("refuse picture", "refused the answer: IMAGE_SAFETY: "),
    ("finish IMAGE_RECITATION", "refused the answer: IMAGE_RECITATION"),
    ("finish PROHIBITED_CONTENT", "refused the answer: PROHIBITED_CONTENT"),
    ("finish SPII", "refused the answer: SPII"),
]
EMPTY = [
    "no image",
    "empty",
    "finish OTHER",
    "finish MALFORMED_RESPONSE",
    "finish SOMETHING_NEW",
    "finish STOP",
]
BROKEN = ["cut off", "not json", "unknown shape", "bad base64"]
STATUSES = [
    ("400", 400, "nano-banana-pro"),
    ("401", 401, "nano-banana-pro"),
    ("402", 402, "nano-banana-pro"),
    ("403", 403, "nano-banana-pro"),
    ("404", 404, "nano-banana-pro"),
    ("500", 500, "nano-banana-pro"),
    ("503", 503, "nano-banana-pro"),
    ("504", 503, "nano-banana-pro"),
    ("html 502", 503, "nano-banana-pro"),
    ("status 413", 400, "nano-banana-pro"),
    ("nothing wrong", 401, "bad-key"),
    ("nothing wrong", 401, "no-key"),
    ("nothing wrong", 404, "gone"),
    ("nothing wrong", 503, "unreachable"),
]


def prompt(wish: str) -> str:
    return f"A lighthouse [sandbox: {wish}]"


def assert_harmless(message: str) -> None:
    """No key, no traceback, no base64, and not longer than what anyone reads."""
    assert PROVIDER_KEY not in message
    assert "Traceback" not in message
    assert 'File "' not in message
    assert not re.search(r"[A-Za-z0-9+/]{100}", message)
    assert len(message) < 1000


def assert_error_frame(frames: Frames, status: int) -> dict[str, Any]:
    """An error after the first frame: no end as after a success, and the error says its status."""
    assert frames.status == 200
    assert not frames.done
    assert not frames.finish_reasons
    assert frames.error is not None
    assert frames.error["code"] == str(status)
    assert_harmless(frames.error["message"])
    return frames.error


def test_pictures_with_words(proxy: Proxy) -> None:
    answer = proxy.draw(MODEL, "A lighthouse").json()
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    [image] = choice["message"]["images"]
    assert image.keys() == {"type", "index", "image_url"}
    assert (image["type"], image["index"]) == ("image_url", 0)
    seen = look_at(image["image_url"]["url"])
    assert answer["model"] == MODEL
    assert answer["usage"]["completion_tokens_details"]["image_tokens"] == 1120
    facts = answer["provider_metadata"]
    assert facts["gemini"]["finishReason"] == "STOP"
    assert facts["imagegen"]["provider"] == "gemini"
    assert facts["imagegen"]["notices"] == []
    [told] = facts["imagegen"]["images"]
    assert (told["width"], told["height"], told["sha256"], told["mime"]) == (
        *seen.size,
        seen.sha256,
        "image/jpeg",
    )


def test_pictures_with_words_streamed(proxy: Proxy) -> None:
    frames = proxy.draw_streamed(MODEL, prompt("pictures 2"), stream_options={"include_usage": True})
    assert frames.done
    assert frames.finish_reasons == ["stop"]
    assert frames.deltas[0] == {"role": "assistant", "content": ""}
    assert [image["index"] for image in frames.images] == [0, 1]
    assert all(delta.keys() == {"images"} for delta in frames.deltas if "images" in delta), (
        "each picture stands alone"
    )
    assert len({look_at(image["image_url"]["url"]).sha256 for image in frames.images}) == 2
    assert {chunk["model"] for chunk in frames.chunks} == {MODEL}
    assert len({chunk["id"] for chunk in frames.chunks}) == 1
    [usage] = [chunk["usage"] for chunk in frames.chunks if chunk.get("usage")]
    assert usage["completion_tokens_details"]["image_tokens"] == 2240
    [facts] = [chunk["provider_metadata"] for chunk in frames.chunks if "provider_metadata" in chunk]
    assert [image["width"] for image in facts["imagegen"]["images"]] == [1024, 1024]
    assert "provider_metadata" in frames.chunks[-3], "the last data before the finish, and the usage after it"


def test_without_include_usage_a_stream_has_none(proxy: Proxy) -> None:
    frames = proxy.draw_streamed(MODEL, "A lighthouse")
    assert not any(chunk.get("usage") for chunk in frames.chunks)
    assert "provider_metadata" in frames.chunks[-2]


def test_pictures_alone_have_empty_content(proxy: Proxy) -> None:
    [choice] = proxy.draw(MODEL, "A lighthouse", modalities=["image"]).json()["choices"]
    assert choice["message"]["content"] == ""
    assert len(choice["message"]["images"]) == 1


def test_words_and_pictures_keep_their_order_in_a_stream(proxy: Proxy) -> None:
    frames = proxy.draw_streamed(MODEL, prompt("pictures 3"))
    kinds = [
        "image" if "images" in delta else "text"
        for delta in frames.deltas
        if delta.get("content") or "images" in delta
    ]
    compressed = [kind for index, kind in enumerate(kinds) if index == 0 or kinds[index - 1] != kind]
    assert compressed == ["text", "image"] * 3


@pytest.mark.parametrize("streamed", [False, True])
def test_drafts_and_thoughts_are_never_shown(proxy: Proxy, streamed: bool) -> None:
    if streamed:
        frames = proxy.draw_streamed(MODEL, prompt("drafts"))
        urls, text = [image["image_url"]["url"] for image in frames.images], frames.text
    else:
        message = proxy.draw(MODEL, prompt("drafts")).json()["choices"][0]["message"]
        urls, text = [image["image_url"]["url"] for image in message["images"]], message["content"]
    assert [look_at(url).size for url in urls] == [(1024, 1024)]
    assert "thought" not in text.lower()


def test_words_only(proxy: Proxy) -> None:
    [choice] = proxy.draw(MODEL, prompt("words only")).json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"]
    assert "images" not in choice["message"]
    frames = proxy.draw_streamed(MODEL, prompt("words only"))
    assert (frames.finish_reasons, frames.done, frames.images) == (["stop"], True, [])
    assert frames.text


def test_words_only_where_that_is_an_error(proxy: Proxy) -> None:
    answer = proxy.draw("insists", prompt("words only"))
    assert answer.status_code == 422
    assert "no_image: gemini answered in words only: " in answer.json()["error"]["message"]
    frames = proxy.draw_streamed("insists", prompt("words only"))
    assert frames.text
    assert "no_image: " in assert_error_frame(frames, 422)["message"]
    by_client = proxy.draw(MODEL, prompt("words only"), imagegen={"on_no_image": "error"})
    assert by_client.status_code == 422


def test_words_asked_for_are_no_error(proxy: Proxy) -> None:
    answer = proxy.draw("insists", "A lighthouse", modalities=["text"])
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("streamed", [False, True])
def test_words_only_is_tried_once_more_where_that_is_wanted(
    proxy: Proxy, upstream: Upstream, streamed: bool
) -> None:
    said = {
        "candidates": [{"content": {"parts": [{"text": "Which cat?"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7},
    }
    choice = {"imagegen": {"on_no_image": "retry"}}
    if streamed:
        upstream.will_stream(said)
        frames = proxy.draw_streamed("recorded", "x", stream_options={"include_usage": True}, **choice)
        text, total = frames.text, frames.chunks[-1]["usage"]["total_tokens"]
    else:
        upstream.will_say(said)
        answer = proxy.draw("recorded", "x", **choice).json()
        text, total = answer["choices"][0]["message"]["content"], answer["usage"]["total_tokens"]
    assert len(upstream.requests) == 2
    assert text == "Which cat?", "the words of one answer, not of both"
    assert total == 14, "both tries were paid"


@pytest.mark.parametrize(("wish", "why"), REFUSALS)
def test_refused(proxy: Proxy, wish: str, why: str) -> None:
    answer = proxy.draw(MODEL, prompt(wish))
    assert answer.status_code == 200
    [choice] = answer.json()["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["content"] == ""
    assert why in choice["message"]["refusal"]
    assert "images" not in choice["message"]
    frames = proxy.draw_streamed(MODEL, prompt(wish))
    assert (frames.status, frames.finish_reasons, frames.done) == (200, ["content_filter"], True)
    [refusal] = [delta["refusal"] for delta in frames.deltas if delta.get("refusal")]
    assert why in refusal


def test_cut_by_max_tokens_before_a_picture(proxy: Proxy) -> None:
    [choice] = proxy.draw(MODEL, prompt("max tokens")).json()["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")
    frames = proxy.draw_streamed(MODEL, prompt("max tokens"))
    assert (frames.finish_reasons, frames.done) == (["length"], True)


@pytest.mark.parametrize("wish", EMPTY)
def test_empty_is_a_502(proxy: Proxy, wish: str) -> None:
    answer = proxy.draw(MODEL, prompt(wish))
    assert answer.status_code == 502
    assert "gemini: an empty answer" in answer.json()["error"]["message"]
    frames = proxy.draw_streamed(MODEL, prompt(wish))
    assert frames.status == 502 or assert_error_frame(frames, 502)


def test_no_image_with_words_is_words_only(proxy: Proxy) -> None:
    [choice] = proxy.draw(MODEL, prompt("finish NO_IMAGE; words")).json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"]


@pytest.mark.parametrize("wish", BROKEN)
def test_a_broken_reply_is_a_502(proxy: Proxy, wish: str) -> None:
    answer = proxy.draw(MODEL, prompt(wish))
    assert answer.status_code == 502
    assert_harmless(answer.json()["error"]["message"])
    frames = proxy.draw_streamed(MODEL, prompt(wish))
    if frames.status == 200:
        assert_error_frame(frames, 502)
    else:
        assert frames.status == 502


@pytest.mark.parametrize(("wish", "status", "model"), STATUSES)
def test_an_error_of_the_provider_keeps_its_meaning(proxy: Proxy, wish: str, status: int, model: str) -> None:
    answer = proxy.draw(model, prompt(wish) if wish != "nothing wrong" else wish)
    assert answer.status_code == status
    message = answer.json()["error"]["message"]
    assert "gemini: " in message
    assert_harmless(message)
    frames = proxy.draw_streamed(model, prompt(wish) if wish != "nothing wrong" else wish)
    assert frames.status == status
    assert frames.error is not None
    assert_harmless(frames.error["message"])


def test_an_unknown_model_is_told_with_the_nearest_known_ones(proxy: Proxy) -> None:
    message = proxy.draw("gone", "x").json()["error"]["message"]
    assert "gemini-3.1-flash-image" in message or "gemini-3-pro-image" in message


def test_quota_keeps_retry_after(proxy: Proxy) -> None:
    answer = proxy.draw(MODEL, prompt("429 after 17"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "17")
    frames = proxy.draw_streamed(MODEL, prompt("429 after 17"))
    assert frames.status == 429
    assert frames.error is not None
    assert "(retry after 17 s)" in frames.error["message"], (
        "LiteLLM sends no header of an error at a stream's start"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image_size": "9K"}, "image_size"),
        ({"image_config": {"aspect_ratio": "wide"}}, "image_config.aspect_ratio"),
        ({"image_config": "wide"}, "image_config"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"temperature": 3}, "temperature"),
        ({"seed": "x"}, "seed"),
        ({"imagegen": {"policy": "lenient"}}, "imagegen"),
        ({"imagegen": {"polici": "strict"}}, "imagegen"),
        ({"n": 11}, "n"),
    ],
)
def test_a_bad_parameter_is_a_400_that_names_it(proxy: Proxy, fields: dict[str, Any], field: str) -> None:
    for answer in (proxy.draw(MODEL, "x", **fields), proxy.draw_streamed(MODEL, "x", **fields)):
        error = answer.error if isinstance(answer, Frames) else answer.json()["error"]
        assert (answer.status if isinstance(answer, Frames) else answer.status_code) == 400
        assert error is not None
        assert error["param"] == field
        assert_harmless(error["message"])


def test_our_deadline_is_a_408(proxy: Proxy) -> None:
    answer = proxy.draw("hasty", prompt("slow 5"))
    assert answer.status_code == 408
    assert "within the deadline of 1 s" in answer.json()["error"]["message"]
    assert proxy.draw_streamed("hasty", prompt("slow 5")).status == 408
    assert_error_frame(proxy.draw_streamed("hasty", prompt("stall 5")), 408)


def test_an_error_after_the_first_frame_is_an_error_frame(proxy: Proxy) -> None:
    assert_error_frame(proxy.draw_streamed(MODEL, prompt("error mid-stream")), 503)
    assert_error_frame(proxy.draw_streamed(MODEL, prompt("cut off")), 502)
