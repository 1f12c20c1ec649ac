"""Long strings are cut out of JSON text and found again, whatever stands around them."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.lifting import IncomingJson, LiftedJson

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(max_size=40)
    | st.text(max_size=40).map("data:image/png;base64,{}".format)
    | st.text(max_size=40).map("data:{}".format),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def cut(text: bytes, positions: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(positions), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def pieces_of(parsed: LiftedJson, value: Any) -> tuple[bytes, ...]:
    text = parsed.base64(value)
    assert text is not None
    return text.pieces


@given(value=VALUES, minimum=st.integers(1, 30), escaped=st.booleans(), data=st.data())
def test_what_is_lifted_comes_back_in_its_place_wherever_the_text_is_cut(
    value: Any, minimum: int, escaped: bool, data: st.DataObject
) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return  # half a character is no JSON text
    if any(0xD800 <= ord(character) < 0xE000 for character in json.dumps(value, ensure_ascii=False)):
        return  # nor is half a character written as an escape, to the parser
    incoming = IncomingJson(minimum)
    for piece in cut(body, data.draw(st.lists(st.integers(0, len(body)), max_size=12))):
        incoming.feed(piece)
    parsed = incoming.parse()
    assert parsed.whole(parsed.value) == value
    assert incoming.length == len(body)


def test_a_long_string_is_the_very_bytes_that_came() -> None:
    data = "A" * 100_000
    parsed = IncomingJson.of(json.dumps({"inlineData": {"data": data}, "text": 'say "so"'}).encode()).parse()
    assert len(parsed.value["inlineData"]["data"]) < 30, "the parser saw a placeholder"
    assert pieces_of(parsed, parsed.value["inlineData"]["data"]) == (data.encode(),)
    assert parsed.value["text"] == 'say "so"'


HEADS = {
    "data:image/png;base64,": "image/png",
    "data:;base64,": "",
    "data:image/svg+xml;charset=utf-8;base64,": "image/svg+xml",
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("size", [1, 7, 300, 100_000])
@pytest.mark.parametrize("length", [8, 90_000])
def test_of_a_data_url_the_base64_alone_is_set_apart(head: str, size: int, length: int) -> None:
    data = "AbC/" * (length // 4)
    body = json.dumps({"images": [{"image_url": {"url": head + data}}], "text": f"{head}, he said"}).encode()
    incoming = IncomingJson()
    for start in range(0, len(body), size):
        incoming.feed(body[start : start + size])
    parsed = incoming.parse()
    (image,) = parsed.value["images"]
    assert len(image["image_url"]["url"]) < 100, "the parser saw a placeholder"
    found = parsed.data_url(image["image_url"]["url"])
    assert found is not None
    mime, text = found
    assert text is not None
    assert (mime, b"".join(text.pieces).decode()) == (HEADS[head], data)
    assert parsed.whole(parsed.value) == json.loads(body)


@pytest.mark.parametrize(
    "value", ["https://example.com/x.png", "AAAA", "data:,x", "data:image/png,x", None, 3]
)
def test_what_is_no_data_url_is_none(value: Any) -> None:
    assert IncomingJson.of(json.dumps([value]).encode()).parse().data_url(value) is None


@pytest.mark.parametrize("cut", [1, 2, 50_000, 99_999])
def test_text_that_is_cut_off_is_no_json(cut: int) -> None:
    body = json.dumps({"data": "A" * 100_000}).encode()
    with pytest.raises(ValueError, match=r"JSON|unexpected|EOF|close"):
        IncomingJson.of(body[:-cut]).parse()


def test_a_long_string_is_lifted_wherever_the_text_is_cut() -> None:
    data = "AbC/" * 50
    body = json.dumps({"text": 'say "so"', "data": data, "more": data}).encode()
    for position in range(len(body)):
        incoming = IncomingJson(100)
        for piece in cut(body, [position, min(position + 90, len(body))]):
            incoming.feed(piece)
        parsed = incoming.parse()
        assert [b"".join(pieces_of(parsed, parsed.value[key])).decode() for key in ("data", "more")] == [
            data
        ] * 2
        assert incoming.remaining_length < 200, position


@pytest.mark.parametrize("escape", ["\\/", "\\n", '\\"', "\\\\", "\\u0041"])
@pytest.mark.parametrize("size", [1, 3, 64, 10_000])
def test_a_long_string_with_an_escape_late_in_it_is_parsed_as_it_is(escape: str, size: int) -> None:
    body = ('["' + "A" * 500 + escape + "B" * 500 + '", "' + "C" * 500 + '"]').encode()
    incoming = IncomingJson(100)
    for start in range(0, len(body), size):
        incoming.feed(body[start : start + size])
    parsed = incoming.parse()
    assert parsed.whole(parsed.value) == json.loads(body)
    assert parsed.value[0] == json.loads(body)[0]
    assert parsed.value[1] != json.loads(body)[1]


def test_text_of_strings_only_is_parsed_as_it_is() -> None:
    value = ["x"] * 50_000
    assert IncomingJson.of(json.dumps(value).encode()).parse().value == value


def test_a_placeholder_cannot_be_forged() -> None:
    data = "A" * 100_000
    bodies = [json.dumps([data, f"{number}"]).encode() for number in range(3)]
    placeholders = {IncomingJson.of(body).parse().value[0] for body in bodies}
    assert len(placeholders) == 3
