import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen import errors
from litellm_imagegen.errors import (
    Contradiction,
    DeadlineExceeded,
    Fault,
    ImagegenError,
    InvalidParameter,
    LimitExceeded,
    NoImage,
    ProviderError,
    RateLimited,
    RequestError,
    quote,
)
from tests.unit.helpers import base64_of, picture_bytes

LONG = base64_of(bytes(range(256)) * 20)
SECRET = "AIzaSy-secret-key"


@given(st.text(st.characters(), max_size=2_000) | st.binary() | st.integers())
def test_quoted_text_is_one_printable_line_of_at_most_500_characters(text: object) -> None:
    quoted = quote(text)
    assert len(quoted) <= 500
    assert quoted.isprintable()
    assert quoted == quoted.strip()


def test_quoted_text_keeps_the_words() -> None:
    assert quote("quota\n  exceeded:\t for\r\nproject\x00") == "quota exceeded: for project"
    assert quote("x y " * 400).endswith("…")


@pytest.mark.parametrize("text", [SECRET, f"bad key {SECRET}!", SECRET * 3, f"{'pad ' * 2_000}{SECRET}"])
def test_quoted_text_holds_no_secret(text: str) -> None:
    assert SECRET[:8] not in quote(text, [SECRET, ""])


def test_no_part_of_a_secret_is_left_where_text_is_cut() -> None:
    for padding in range(470, 505):
        text = ("a " * 300)[:padding] + SECRET
        assert SECRET[:4] not in quote(text, [SECRET])


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f"bad image {LONG} in part 2",
        f'{{"data": "{LONG}"}}',
        LONG.replace("+", "-").replace("/", "_"),
        LONG.replace("/", "\\/"),
        f"{'word ' * 780}{LONG}",
        textwrap.fill(LONG, 76),
        base64_of(picture_bytes()) * 40,
    ],
    ids=["alone", "in words", "in JSON", "URL-safe", "escaped", "where it is cut", "in lines", "PNGs"],
)
def test_quoted_text_holds_no_base64(text: str) -> None:
    pieces = [text[start : start + 40] for start in range(0, len(text) - 39, 7)]
    assert not [piece for piece in pieces if " " not in piece.strip() and piece in quote(text)]


def test_a_secret_that_an_upstream_repeats_is_hidden_in_every_form_of_the_error() -> None:
    error = ProviderError("gemini", f"key {SECRET} is not valid, {SECRET}")
    error.hide([SECRET, ""])
    assert error.message == str(error) == "gemini: key [key] is not valid, [key]"
    assert SECRET not in repr(error)


def test_messages_name_field_value_and_what_is_allowed() -> None:
    assert InvalidParameter("n", 0, "1 to 4").message == "n: 0 is not allowed; allowed: 1 to 4"
    contradiction = Contradiction(("size", "1024x1024"), ("extra_body.aspect_ratio", "16:9"))
    assert contradiction.message.startswith("size: '1024x1024' contradicts extra_body.aspect_ratio: '16:9'")
    assert LimitExceeded("n", 99, "10 (limits.n)").message == "n: 99 is over the limit of 10 (limits.n)"
    assert [error.field for error in (InvalidParameter("n", 0, ""), contradiction)] == [
        "n",
        "extra_body.aspect_ratio",
    ]


@pytest.mark.parametrize("value", [LONG, {"a": LONG}, ["x"] * 9_999, "line\nline", b"raw" * 999])
def test_a_value_in_a_message_is_short_and_on_one_line(value: object) -> None:
    for error in (
        InvalidParameter("f", value, "a"),
        Contradiction(("f", value), ("g", value)),
        LimitExceeded("f", value, "1"),
    ):
        assert len(error.message) < 300
        assert error.message.isprintable()
        assert LONG[:40] not in error.message


def test_what_an_upstream_says_is_cut_and_starts_with_the_providers_name() -> None:
    for error in (RateLimited("gemini", "busy " * 999, 3.0), NoImage("gemini", "words " * 999)):
        assert "gemini" in error.message[:20]
        assert len(error.message) <= 560
    assert RateLimited("gemini", "busy", 3.0).retry_after == 3.0
    assert (
        DeadlineExceeded("gemini", 0.5).message == "gemini: no complete answer within the deadline of 0.5 s"
    )


@pytest.mark.parametrize(
    ("name", "status", "fault"),
    [
        ("RequestError", 400, Fault.CLIENT),
        ("InvalidParameter", 400, Fault.CLIENT),
        ("Contradiction", 400, Fault.CLIENT),
        ("LimitExceeded", 400, Fault.CLIENT),
        ("ConfigurationError", 500, Fault.OPERATOR),
        ("ProviderError", 502, Fault.PROVIDER),
        ("ProviderRejected", 400, Fault.CLIENT),
        ("AuthenticationFailed", 401, Fault.OPERATOR),
        ("PaymentRequired", 402, Fault.OPERATOR),
        ("PermissionRefused", 403, Fault.OPERATOR),
        ("UnknownModel", 404, Fault.OPERATOR),
        ("RateLimited", 429, Fault.PROVIDER),
        ("ProviderFailed", 500, Fault.PROVIDER),
        ("BadReply", 502, Fault.PROVIDER),
        ("ProviderUnavailable", 503, Fault.PROVIDER),
        ("NoImage", 422, Fault.MODEL),
        ("DeadlineExceeded", 408, Fault.PROVIDER),
    ],
)
def test_every_error_has_a_status_and_says_whose_fault_it_is(name: str, status: int, fault: Fault) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, ImagegenError)
    assert (kind.status, kind.fault) == (status, fault)


def test_every_kind_of_error_has_its_own_code() -> None:
    def kinds(kind: type[ImagegenError]) -> list[type[ImagegenError]]:
        return [kind, *(each for below in kind.__subclasses__() for each in kinds(below))]

    codes = [kind.code for kind in kinds(ImagegenError) if kind.__module__ == errors.__name__]
    assert len(codes) == len(set(codes))
    assert RequestError("m").field is None
