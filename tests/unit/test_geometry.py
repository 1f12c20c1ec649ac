from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.geometry import (
    covering_tier,
    nearest_ratio,
    parse_ratio,
    parse_tier,
    ratio_value,
    tiers,
)

EDGES = {"512": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
STANDARD = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
# Sides this small differ by more than any rounding, so that the properties may compare exactly.
RATIOS = st.builds("{}:{}".format, st.integers(1, 21), st.integers(1, 21))
SIDES = st.decimals(min_value="0.0001", max_value="99999", places=4).map(lambda side: f"{side:f}")


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("16:9", "16:9"),
        (" 16 : 9 ", "16:9"),
        ("16.0:9", "16:9"),
        ("016:09", "16:9"),
        ("2.39:1", "2.39:1"),
        ("1:1", "1:1"),
        *((text, None) for text in ("", "16", "16/9", "16x9", "1:1:1", "auto", "1024x1024")),
        *((text, None) for text in ("0:1", "1:0", "0.0:1", "-1:1", "nan:1", "inf:1", "1e3:1", "16:9 wide")),
        *((text, None) for text in ("123456:1", "1:" + "9" * 400)),
    ],
)
def test_a_ratio_is_read_in_its_canonical_spelling(text: str, ratio: str | None) -> None:
    assert parse_ratio(text) == ratio


@given(SIDES, SIDES)
def test_the_sides_of_a_ratio_stay_as_given(width: str, height: str) -> None:
    parsed = parse_ratio(f"{width}:{height}")
    assert parsed is not None
    assert [Fraction(side) for side in parsed.split(":")] == [Fraction(width), Fraction(height)]
    assert parse_ratio(parsed) == parsed


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("512", "512"),
        ("512px", "512"),
        ("0.5K", "512"),
        ("1k", "1K"),
        (" 2K ", "2K"),
        ("4K", "4K"),
        *((text, None) for text in ("", "8K", "1024", "1024x1024", "K", "auto", "hd")),
    ],
)
def test_a_size_tier_is_read_in_its_canonical_spelling(text: str, tier: str | None) -> None:
    assert parse_tier(text) == tier


def test_tiers_are_listed_smallest_first() -> None:
    assert tiers() == tuple(EDGES)


@pytest.mark.parametrize(
    ("asked", "legal", "nearest"),
    [
        ("16:9", STANDARD, "16:9"),
        ("17:9", STANDARD, "16:9"),
        ("9:21", STANDARD, "9:16"),
        ("100:1", STANDARD, "21:9"),
        ("32:18", STANDARD, "16:9"),
        ("2:1", ("4:1", "1:1"), "1:1"),
        ("2:1", ("1:1", "4:1"), "1:1"),
        ("1:2", ("1:4", "1:1"), "1:1"),
    ],
)
def test_the_nearest_ratio(asked: str, legal: tuple[str, ...], nearest: str) -> None:
    assert nearest_ratio(asked, legal) == nearest


def _factor(one: str, other: str) -> Fraction:
    """How many times wider the wider one is: the distance |log|, without the rounding of a logarithm."""
    (a, b), (c, d) = (map(int, ratio.split(":")) for ratio in (one, other))
    quotient = Fraction(a, b) / Fraction(c, d)
    return max(quotient, 1 / quotient)


@given(RATIOS, st.lists(RATIOS, min_size=1, max_size=14))
def test_no_legal_ratio_is_nearer_and_ties_go_to_the_one_nearer_to_square(
    asked: str, legal: list[str]
) -> None:
    nearest = nearest_ratio(asked, legal)
    assert nearest in legal
    assert (_factor(asked, nearest), _factor(nearest, "1:1")) == min(
        (_factor(asked, ratio), _factor(ratio, "1:1")) for ratio in legal
    )


@given(st.lists(RATIOS, min_size=1, max_size=14), st.data())
def test_a_legal_ratio_is_its_own_nearest(legal: list[str], data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from(legal))
    assert ratio_value(nearest_ratio(asked, legal)) == ratio_value(asked)


@given(st.sampled_from(tuple(EDGES)), st.lists(st.sampled_from(tuple(EDGES)), min_size=1))
def test_the_covering_tier_is_the_smallest_that_covers_else_the_largest(asked: str, legal: list[str]) -> None:
    covering = [tier for tier in legal if EDGES[tier] >= EDGES[asked]]
    expected = min(covering, key=EDGES.__getitem__) if covering else max(legal, key=EDGES.__getitem__)
    assert covering_tier(asked, legal) == expected
