import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.blob import Blob
from tests.unit.helpers import base64_of, picture_bytes

PNG = picture_bytes()
FORMS = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")]
JUNK = ["!!!!", "A", "AAAAA", "iVBORw0KGgo*", "=AAA", "AA=A", "é" * 4, "\ud800" * 4]


def _pixels(blob: Blob) -> tuple[int, int] | None:
    width, height = blob.facts["width"], blob.facts["height"]
    return None if width is None or height is None else (width, height)


@given(st.binary())
def test_raw_bytes_become_base64_and_come_back(raw: bytes) -> None:
    text = base64_of(raw)
    assert bytes(Blob.from_raw(raw).base64).decode() == text
    assert Blob.from_base64(text).raw == raw
    assert bytes(Blob.from_base64(text).base64).decode() == text


def test_base64_that_needs_no_change_is_passed_on_without_a_copy() -> None:
    text = base64_of(PNG * 20)
    given = text.encode()
    assert Blob.from_base64(given).base64 is given


@given(
    st.binary(min_size=1), st.booleans(), st.booleans(), st.lists(st.integers(0, 200), max_size=6), st.data()
)
def test_the_forms_of_base64_seen_on_the_wire_all_count(
    raw: bytes, url_safe: bool, padded: bool, breaks: list[int], data: st.DataObject
) -> None:
    text = base64_of(raw)
    if url_safe:
        text = text.replace("+", "-").replace("/", "_")
    if not padded:
        text = text.rstrip("=")
    for position in breaks:
        text = text[:position] + data.draw(st.sampled_from(["\n", "\r\n", " ", "\t"])) + text[position:]
    blob = Blob.from_base64(text)
    assert blob.raw == raw
    assert bytes(blob.base64).decode() == base64_of(raw)


@pytest.mark.parametrize("text", ["QUJD\t\t\t\tREVG", "QUJD\f\fREVG\v\v", "QUI====="])
def test_base64_goes_out_padded_and_on_one_line(text: str) -> None:
    blob = Blob.from_base64(text)
    assert bytes(blob.base64).decode() == base64_of(blob.raw)


@pytest.mark.parametrize("text", JUNK)
def test_what_is_no_base64_raises_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        _ = Blob.from_base64(text).raw


@pytest.mark.parametrize(("form", "mime"), FORMS)
def test_the_bytes_tell_the_mime_type_before_the_declared_one(form: str, mime: str) -> None:
    raw = picture_bytes(form)
    assert Blob.from_raw(raw, "text/html").mime == mime
    assert Blob.from_base64(base64_of(raw), "text/html").mime == mime


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["\n", "\r\n", " "])), max_size=8))
def test_line_breaks_in_base64_do_not_hide_the_mime_type(breaks: list[tuple[int, str]]) -> None:
    text = base64_of(PNG)
    for position, white in breaks:
        text = text[:position] + white + text[position:]
    assert Blob.from_base64(text, "image/jpeg").mime == "image/png"


@pytest.mark.parametrize("declared", ["image/heic", None])
def test_the_declared_mime_type_counts_where_the_bytes_do_not_tell(declared: str | None) -> None:
    expected = declared or "application/octet-stream"
    assert Blob.from_raw(b"no signature at all", declared).mime == expected
    assert Blob.from_base64("!!!!", declared).mime == expected
    assert Blob.from_raw(b"", declared).mime == expected


def test_the_data_url_has_the_mime_type_of_the_bytes() -> None:
    assert Blob.from_raw(PNG, "image/jpeg").data_url == f"data:image/png;base64,{base64_of(PNG)}"


@pytest.mark.parametrize(("form", "mime"), FORMS)
@pytest.mark.parametrize("size", [(1, 1), (640, 3)])
def test_pixels_and_hash_are_those_of_the_picture(form: str, mime: str, size: tuple[int, int]) -> None:
    raw = picture_bytes(form, size)
    assert Blob.from_base64(base64_of(raw)).facts == {
        "mime": mime,
        "width": size[0],
        "height": size[1],
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", PNG[:20], b"\xff\xd8\xff\xe0", b"<svg/>", b"BM" + PNG, b"%!PS-Adobe", b"II*\x00" * 9],
)
def test_bytes_that_cannot_be_read_have_no_size(raw: bytes) -> None:
    assert _pixels(Blob.from_raw(raw)) is None


@given(
    st.binary(max_size=200), st.sampled_from([b"", PNG[:33], b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
)
def test_any_bytes_have_a_size_or_none(raw: bytes, start: bytes) -> None:
    size = _pixels(Blob.from_raw(start + raw))
    assert size is None or all(edge >= 0 for edge in size)


def test_a_header_that_promises_a_billion_pixels_is_no_error() -> None:
    # The width stands in bytes 16 to 19 and the height in 20 to 23; the check sum that follows is mended.
    head = PNG[12:16] + (30_000).to_bytes(4) * 2 + PNG[24:29]
    bomb = PNG[:12] + head + zlib.crc32(head).to_bytes(4) + PNG[33:]
    assert _pixels(Blob.from_raw(bomb)) in (None, (30_000, 30_000))


def test_a_blob_never_shows_its_data() -> None:
    text = base64_of(PNG)
    for blob in (Blob.from_raw(PNG), Blob.from_base64(text), Blob.from_base64("junk" * 50)):
        shown = f"{blob!r} {blob}"
        assert len(shown) < 100
        assert not any(piece in shown for piece in (text[:12], "IHDR", "junkjunk"))
