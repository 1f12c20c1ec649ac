import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Finish,
    ImageResult,
    Notice,
    NoticeCode,
    Picture,
    PictureDelta,
    TextDelta,
    TextPart,
    Usage,
)
from litellm_imagegen.surfaces.chat import CompletionChunks, completion, usage
from litellm_imagegen.surfaces.metadata import notices_header, provider_metadata
from tests.unit.helpers import data_url, picture_bytes

RED, BLUE = picture_bytes(color="red"), picture_bytes("JPEG", (8, 4), "blue")
RED_PART, BLUE_PART = Picture(blob=Blob.from_raw(RED), seed=7), Picture(blob=Blob.from_raw(BLUE))
NOTICE = Notice(code=NoticeCode.ADAPTED, field="aspect_ratio", asked="17:9", used="16:9", why="nearest")
COUNTED = Usage(prompt_tokens=4, completion_tokens=6, total_tokens=10)
COUNTS = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}


def image(index: int, raw: bytes, mime: str) -> dict[str, Any]:
    return {"type": "image_url", "index": index, "image_url": {"url": data_url(raw, mime)}}


IMAGES = [image(0, RED, "image/png"), image(1, BLUE, "image/jpeg")]


def result(*parts: TextPart | Picture, finish: Finish = Finish.STOP, **more: Any) -> ImageResult:
    return ImageResult(provider="gemini", model="m", parts=parts, finish=finish, **more)


STORY = result(
    TextPart(text="One. "), RED_PART, TextPart(text="Two."), BLUE_PART, usage=COUNTED, notices=(NOTICE,)
)
PICTURE = result(RED_PART)
WORDS = result(TextPart(text="Which one?"), finish=Finish.OTHER)
REFUSED = result(finish=Finish.REFUSED, refusal="gemini refused the prompt: SAFETY")
TRUNCATED = result(finish=Finish.LENGTH, usage=COUNTED)
PICTURE_THEN_REFUSAL = result(RED_PART, finish=Finish.REFUSED, refusal="gemini refused the answer: SAFETY")

SHOWN: dict[str, tuple[ImageResult, str, dict[str, Any]]] = {
    "pictures": (STORY, "stop", {"content": "One. Two.", "images": IMAGES}),
    "a picture alone": (PICTURE, "stop", {"content": "", "images": IMAGES[:1]}),
    "words alone": (WORDS, "stop", {"content": "Which one?"}),
    "a refusal": (REFUSED, "content_filter", {"content": "", "refusal": "gemini refused the prompt: SAFETY"}),
    "cut off": (TRUNCATED, "length", {"content": ""}),
    "a picture, then a refusal": (PICTURE_THEN_REFUSAL, "stop", {"content": "", "images": IMAGES[:1]}),
}


@pytest.mark.parametrize(("given_result", "reason", "message"), SHOWN.values(), ids=SHOWN)
def test_a_completion_for_each_outcome(
    given_result: ImageResult, reason: str, message: dict[str, Any]
) -> None:
    expected: dict[str, Any] = {
        "choices": [{"index": 0, "finish_reason": reason, "message": {"role": "assistant", **message}}],
        "provider_metadata": provider_metadata(given_result),
    }
    if given_result.usage:
        expected["usage"] = COUNTS
    assert completion(given_result) == expected


def _chunks(of: ImageResult) -> list[dict[str, Any]]:
    chunks = CompletionChunks()
    deltas = [
        TextDelta(text=part.text) if isinstance(part, TextPart) else PictureDelta(picture=part)
        for part in of.parts
    ]
    return [chunks.start(), *(chunk for delta in deltas for chunk in chunks.add(delta)), *chunks.end(of)]


@pytest.mark.parametrize("given_result", [row[0] for row in SHOWN.values()], ids=SHOWN)
def test_chunks_come_in_order_role_parts_metadata_usage_finish(given_result: ImageResult) -> None:
    first, *between, last = _chunks(given_result)
    assert first["choices"][0]["delta"]["role"] == "assistant"
    assert all("role" not in chunk["choices"][0]["delta"] for chunk in [*between, last])
    kinds = [
        "images" if "images" in chunk["choices"][0]["delta"]
        else "refusal" if "refusal" in chunk["choices"][0]["delta"]
        else "metadata" if "provider_metadata" in chunk
        else "usage" if "usage" in chunk
        else "words"
        for chunk in between
    ]  # fmt: skip
    assert kinds == [
        *("words" if isinstance(part, TextPart) else "images" for part in given_result.parts),
        *(["refusal"] if given_result in (REFUSED,) else []),
        "metadata",
        *(["usage"] if given_result.usage else []),
    ]
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in [first, *between])


@pytest.mark.parametrize(("given_result", "reason", "message"), SHOWN.values(), ids=SHOWN)
def test_chunks_put_together_say_what_the_completion_says(
    given_result: ImageResult, reason: str, message: dict[str, Any]
) -> None:
    chunks = _chunks(given_result)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    together: dict[str, Any] = {"content": "".join(delta.get("content", "") for delta in deltas)}
    if images := [shown for delta in deltas for shown in delta.get("images", [])]:
        together["images"] = images
    if refusals := [delta["refusal"] for delta in deltas if "refusal" in delta]:
        (together["refusal"],) = refusals
    assert together == message
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": reason}]
    assert [chunk["provider_metadata"] for chunk in chunks if "provider_metadata" in chunk] == [
        provider_metadata(given_result)
    ]
    assert [chunk["usage"] for chunk in chunks if "usage" in chunk] == (
        [COUNTS] if given_result.usage else []
    )


@pytest.mark.parametrize("given_result", [row[0] for row in SHOWN.values()], ids=SHOWN)
def test_content_is_never_null_and_each_picture_stands_alone(given_result: ImageResult) -> None:
    assert completion(given_result)["choices"][0]["message"]["content"] is not None
    for chunk in _chunks(given_result):
        delta = chunk["choices"][0]["delta"]
        assert delta.get("content", "") is not None
        if "images" in delta:
            assert len(delta["images"]) == 1
            assert not delta.get("content")


def test_the_index_of_pictures_runs_across_chunks() -> None:
    deltas = [chunk["choices"][0]["delta"] for chunk in _chunks(STORY)]
    assert [shown for delta in deltas for shown in delta.get("images", [])] == IMAGES


def test_provider_metadata_has_the_providers_facts_and_ours() -> None:
    shown = provider_metadata(STORY.model_copy(update={"facts": {"responseId": "r1"}}))
    assert shown == {
        "gemini": {"responseId": "r1"},
        "imagegen": {
            "provider": "gemini",
            "model": "m",
            "notices": [{"field": "aspect_ratio", "asked": "17:9", "used": "16:9", "why": "nearest"}],
            "images": [
                {
                    "mime": mime,
                    "width": width,
                    "height": height,
                    "bytes": len(raw),
                    "sha256": hashlib.sha256(raw).hexdigest(),
                    "seed": seed,
                }
                for mime, width, height, raw, seed in [
                    ("image/png", 3, 2, RED, 7),
                    ("image/jpeg", 8, 4, BLUE, None),
                ]
            ],
        },
    }


def _notice(field: str, code: NoticeCode = NoticeCode.ADAPTED) -> Notice:
    return Notice(
        code=code, field=field, asked="what the client asked", used="what was used", why="the reason"
    )


def test_the_header_names_fields_and_codes_and_nothing_else() -> None:
    header = notices_header([_notice("image_config.aspect_ratio"), _notice("style", NoticeCode.UNSUPPORTED)])
    assert header == "image_config.aspect_ratio=adapted; style=unsupported"
    assert notices_header([]) is None


@given(st.lists(st.text(st.characters(), min_size=1, max_size=400), max_size=20))
def test_the_header_is_ascii_and_at_most_one_kilobyte(fields: list[str]) -> None:
    header = notices_header(map(_notice, fields))
    if fields:
        assert header is not None
        assert header.isascii()
        assert header.isprintable()
        assert 0 < len(header) <= 1024


def test_a_header_that_is_cut_holds_whole_entries_only() -> None:
    header = notices_header(_notice(f"field_number_{number}") for number in range(100)) or ""
    assert len(header) > 900
    assert all(entry.partition("=")[2] == "adapted" for entry in header.split("; "))


def test_usage_has_openais_names_and_leaves_out_what_is_unknown() -> None:
    assert usage(COUNTED) == COUNTS
    everything = Usage(
        prompt_tokens=4,
        completion_tokens=6,
        total_tokens=10,
        prompt_text_tokens=3,
        prompt_image_tokens=1,
        cached_tokens=0,
        reasoning_tokens=1,
        completion_text_tokens=2,
        completion_image_tokens=3,
        cost=0.25,
    )
    assert usage(everything) == {
        **COUNTS,
        "cost": 0.25,
        "prompt_tokens_details": {"text_tokens": 3, "image_tokens": 1, "cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1, "text_tokens": 2, "image_tokens": 3},
    }
