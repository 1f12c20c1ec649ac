"""Base64 that comes in pieces is the same picture as base64 that comes in one."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from litellm_imagegen import base64_text
from litellm_imagegen.base64_text import Base64Text, in_batches
from litellm_imagegen.blob import Blob
from tests.pictures import data_url


def cut(text: bytes, positions: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(positions), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(st.binary(max_size=300), st.integers(1, 40), st.data())
def test_pieces_of_any_length_are_looked_at_as_one(raw: bytes, batch: int, data: st.DataObject) -> None:
    text = pybase64.b64encode(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_text, "BATCH_BYTES", batch)
        incoming = Base64Text()
        for piece in cut(text, data.draw(st.lists(st.integers(0, len(text)), max_size=20))):
            incoming.feed(piece)
        seen = incoming.inspection()
    assert seen is not None
    assert (seen.length, seen.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert seen.ending == raw
    assert b"".join(incoming.pieces) == text
    assert incoming.decoded() == raw


@given(st.sampled_from([b"AAA", b"AA==AAAA", b"AA==AA==", b"A", b"AA-_", b"AAAA\n", b"!!!!"]), st.data())
def test_what_is_not_in_the_standard_form_is_told_wherever_it_is_cut(
    text: bytes, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_text, "BATCH_BYTES", data.draw(st.integers(1, 8)))
        incoming = Base64Text()
        for piece in cut(text, data.draw(st.lists(st.integers(0, len(text)), max_size=4))):
            incoming.feed(piece)
        assert incoming.inspection() is None


def test_a_large_picture_that_comes_in_pieces_has_its_facts() -> None:
    noise = Image.effect_noise((1200, 900), 100)
    raw = pybase64.b64decode(data_url(picture=noise).partition(",")[2])
    text = pybase64.b64encode(raw)
    incoming = Base64Text()
    for start in range(0, len(text), 65_521):
        incoming.feed(text[start : start + 65_521])
    blob = Blob.from_base64(incoming)
    assert blob.facts == {
        "mime": "image/png",
        "width": 1200,
        "height": 900,
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }
    assert blob.flaw is None
    assert blob.base64 == text


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(1, 30))
def test_batches_hold_the_same_bytes(pieces: list[bytes], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base64_text, "BATCH_BYTES", size)
        batches = list(in_batches(pieces))
    assert b"".join(batches) == b"".join(pieces)
    assert all(size // 4 <= len(batch) < 2 * size for batch in batches[:-1])
