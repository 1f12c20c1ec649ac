"""Several pictures of a model that gives one a call, and pictures in another file format."""

import io
from typing import Any

import pytest
from PIL import Image

from litellm_imagegen.canonical import ImageResult, Name, Outcome, PictureDelta
from litellm_imagegen.errors import BadReply, LimitExceeded, ProviderUnavailable
from litellm_imagegen.providers import PROVIDERS
from tests.unit.helpers import (
    Said,
    ScriptedTransport,
    base64_of,
    carry_out,
    data_url,
    picture_bytes,
    plan_of,
)

USAGE = {"promptTokenCount": 4, "candidatesTokenCount": 10, "totalTokenCount": 14}


def drawn(color: str, words: str = "", form: str = "PNG") -> Said:
    raw = picture_bytes(form, (30, 20), color)
    parts: list[dict[str, Any]] = [{"text": words}] if words else []
    parts.append({"inlineData": {"mimeType": f"image/{form.lower()}", "data": base64_of(raw)}})
    return Said.json(
        {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": USAGE,
        }
    )


OVERLOADED = Said.json({"error": {"code": 503, "message": "overloaded"}}, 503)
REFUSED = Said.json({"candidates": [{"finishReason": "IMAGE_SAFETY"}], "usageMetadata": USAGE})


def colors_of(result: ImageResult) -> list[Any]:
    pictures = [Image.open(io.BytesIO(picture.blob.raw)).convert("RGB") for picture in result.pictures]
    return [picture.getpixel((5, 5)) for picture in pictures]


def test_n_pictures_take_n_calls_and_keep_their_order() -> None:
    transport = ScriptedTransport(drawn("red", "one"), drawn("lime", "two"), drawn("blue"))
    deltas, result = carry_out(plan_of({"n": 3}), transport)
    assert len(transport.calls) == 3
    assert len({str(call.body) for call in transport.calls}) == 1
    assert colors_of(result) == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert [delta.picture for delta in deltas if isinstance(delta, PictureDelta)] == [*result.pictures]
    assert result.text == "onetwo"
    assert result.usage is not None
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (12, 30)
    assert result.notices == ()


@pytest.mark.parametrize(("lost", "reason"), [(OVERLOADED, "overloaded"), (REFUSED, "IMAGE_SAFETY")])
def test_where_some_calls_fail_the_others_pictures_come_with_a_notice(lost: Said, reason: str) -> None:
    _, result = carry_out(plan_of({"n": 3}), ScriptedTransport(drawn("red"), lost, drawn("blue")))
    assert result.outcome is Outcome.PICTURES
    assert colors_of(result) == [(255, 0, 0), (0, 0, 255)]
    (notice,) = result.notices
    assert (notice.code, notice.field, notice.asked, notice.used) == ("adapted", "n", 3, 2)
    assert reason in notice.why


def test_a_notice_comes_once_for_all_calls_whatever_was_asked_for() -> None:
    body = {"n": 2, "safety_settings": [{"category": "x"}], "stop": ["END"], "style": "ink"}
    plan = plan_of(body, model="recraft/recraft-v4", provider=PROVIDERS["openrouter"])
    url = {"url": data_url(picture_bytes())}
    said = Said.json({"choices": [{"finish_reason": "stop", "message": {"images": [{"image_url": url}]}}]})
    _, result = carry_out(plan, ScriptedTransport(said, said))
    assert len(result.pictures) == 2
    assert sorted(notice.field for notice in result.notices) == ["safety_settings", "stop", "style"]


def test_where_all_calls_fail_the_first_failure_is_told() -> None:
    other = Said.json({"error": {"code": 429, "message": "slow down"}}, 429)
    with pytest.raises(ProviderUnavailable, match="overloaded"):
        carry_out(plan_of({"n": 2}), ScriptedTransport(OVERLOADED, other))


def test_where_all_calls_are_refused_the_answer_is_a_refusal() -> None:
    _, result = carry_out(plan_of({"n": 2}), ScriptedTransport(REFUSED, REFUSED))
    assert result.outcome is Outcome.REFUSED
    assert result.refusal is not None
    assert result.notices == ()


def test_more_pictures_than_the_operator_allows_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(LimitExceeded, match=r"n: 11 is over the limit of 10 \(limits\.n\)"):
        plan_of({"n": 11})


@pytest.mark.parametrize(
    ("given", "format_", "expected"),
    [("PNG", "jpeg", "JPEG"), ("JPEG", "webp", "WEBP"), ("WEBP", "png", "PNG"), ("PNG", "jpg", "JPEG")],
)
def test_a_format_that_the_model_lacks_is_made_of_what_it_gives(
    given: str, format_: str, expected: str
) -> None:
    _, result = carry_out(plan_of({"output_format": format_}), ScriptedTransport(drawn("red", form=given)))
    (picture,) = result.pictures
    with Image.open(io.BytesIO(picture.blob.raw)) as seen:
        assert (seen.format, seen.size) == (expected, (30, 20))
    assert picture.blob.mime == f"image/{expected.lower()}"
    assert picture.blob.facts["mime"] == picture.blob.mime
    assert result.notices == ()


def test_a_format_that_the_picture_has_already_leaves_its_bytes_untouched() -> None:
    raw = picture_bytes("PNG", (30, 20), "red")
    _, result = carry_out(plan_of({"output_format": "png"}), ScriptedTransport(drawn("red")))
    assert result.pictures[0].blob.raw == raw


def test_compression_makes_a_smaller_file_of_the_same_size() -> None:
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(noise, "PNG")
    parts = [{"inlineData": {"mimeType": "image/png", "data": base64_of(noise.getvalue())}}]
    said = Said.json({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    lengths = []
    for compression in (10, 90):
        body = {"output_format": "jpeg", "output_compression": compression}
        _, result = carry_out(plan_of(body), ScriptedTransport(said))
        lengths.append(result.pictures[0].blob.facts["bytes"])
    assert lengths[0] < lengths[1] / 2


def test_transparent_parts_become_white_in_a_jpeg() -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(clear, "PNG")
    parts = [{"inlineData": {"mimeType": "image/png", "data": base64_of(clear.getvalue())}}]
    said = Said.json({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    _, result = carry_out(plan_of({"output_format": "jpeg"}), ScriptedTransport(said))
    (color,) = colors_of(result)
    assert min(color) > 250


def test_a_picture_that_cannot_be_converted_is_a_bad_reply() -> None:
    parts = [{"inlineData": {"mimeType": "image/heic", "data": base64_of(b"\0\0\0\x18ftypheic" + b"x" * 50)}}]
    said = Said.json({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    with pytest.raises(BadReply, match="a picture that cannot be read"):
        carry_out(plan_of({"output_format": "jpeg"}), ScriptedTransport(said))


def test_each_call_of_several_has_a_seed_of_its_own_so_that_no_two_pictures_are_alike() -> None:
    seeds = [call.values[Name.SEED] for call in plan_of({"n": 3, "seed": 7}).calls]
    assert seeds == [7, 8, 9]
    largest = 2**31 - 1
    seeds = [call.values[Name.SEED] for call in plan_of({"n": 3, "seed": largest}).calls]
    assert seeds == [largest, largest - 1, largest - 2]
