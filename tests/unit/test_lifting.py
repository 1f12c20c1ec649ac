"""Long strings are cut out of JSON text and found again, whatever stands around them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen import lifting

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, minimum=st.integers(1, 30), escaped=st.booleans())
def test_what_is_lifted_comes_back_in_its_place(value: Any, minimum: int, escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        return  # half a character is no JSON text
    if any(0xD800 <= ord(character) < 0xE000 for character in json.dumps(value, ensure_ascii=False)):
        return  # nor is half a character written as an escape, to the parser
    parsed = lifting.parse(body, minimum)
    assert parsed.whole(parsed.value) == value


def test_a_long_string_is_the_very_bytes_that_came() -> None:
    data = "A" * 100_000
    parsed = lifting.parse(json.dumps({"inlineData": {"data": data}, "text": 'say "so"'}).encode())
    assert len(parsed.value["inlineData"]["data"]) < 30, "the parser saw a placeholder"
    assert parsed.ascii(parsed.value["inlineData"]["data"]) == data.encode()
    assert parsed.value["text"] == 'say "so"'


@pytest.mark.parametrize("cut", [1, 2, 50_000, 99_999])
def test_text_that_is_cut_off_is_no_json(cut: int) -> None:
    body = json.dumps({"data": "A" * 100_000}).encode()
    with pytest.raises(ValueError, match=r"JSON|unexpected|EOF|close"):
        lifting.parse(body[:-cut])


def test_text_of_strings_only_is_parsed_as_it_is() -> None:
    value = ["x"] * 50_000
    assert lifting.parse(json.dumps(value).encode()).value == value


def test_a_placeholder_cannot_be_forged() -> None:
    data = "A" * 100_000
    bodies = [json.dumps([data, f"{number}"]).encode() for number in range(3)]
    placeholders = {lifting.parse(body).value[0] for body in bodies}
    assert len(placeholders) == 3
