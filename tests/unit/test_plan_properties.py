"""What holds for every plan, whatever was asked for and whichever model of the registry it is for."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen.canonical import (
    Asked,
    ImageInput,
    ImageRequest,
    Limits,
    Message,
    Modality,
    Name,
    Notice,
    NoticeCode,
    Policy,
    Preferences,
    ResponseShape,
    Surface,
    TextPart,
)
from litellm_imagegen.errors import InvalidParameter
from litellm_imagegen.geometry import Dimensions, PixelRule, ratio_value, same_ratio, tier_of, tiers
from litellm_imagegen.plan import Plan, Target, make_plan
from litellm_imagegen.profiles import FAMILIES, Profile

VENDOR = "the vendor"
PICTURE = ImageInput(url="https://pictures.example/first.png", spelling="the picture")
TEXT = TextPart(text="a red dot")
MESSAGES = (Message(role="user", parts=(TEXT,)),)
MESSAGES_WITH_PICTURE = (Message(role="user", parts=(TEXT, PICTURE)),)
LIVE = [row for rows in FAMILIES.values() for row in rows if not row.gone]
_NO_DIFFERENCE = {"id", "family", "price", "former_ids", "successor"}
# Of rows that differ in their names and prices alone, one.
ROWS = list({repr(row.model_dump(exclude=_NO_DIFFERENCE)): row for row in LIVE}.values())
BY_RATIO = [
    row
    for row in ROWS
    if row.aspect_ratios and Name.ASPECT_RATIO in row.names and Name.DIMENSIONS not in row.names
]
RULES = list({repr(row.pixel_rule): row.pixel_rule for row in LIVE if row.pixel_rule is not None}.values())

EDGES = st.integers(1, 65_535) | st.sampled_from([256, 512, 768, 1024, 1344, 1536, 2048, 3840, 4096])
RATIOS = (
    st.builds("{}:{}".format, st.integers(1, 40), st.integers(1, 40))
    | st.builds("{}:{}".format, st.integers(1, 99_999), st.integers(1, 99_999))
    | st.sampled_from(
        ["1:1", "16:9", "9:16", "2:3", "3:2", "21:9", "2.35:1", "19.5:9", "0.0001:1", "1:99999"]
    )
)
TIERS = st.sampled_from(tiers())
DIMENSIONS = st.tuples(EDGES, EDGES)
WISHES: Mapping[Name, st.SearchStrategy[Any]] = {
    Name.QUALITY: st.sampled_from(["low", "medium", "high", "xhigh", "max"]),
    Name.STYLE: st.sampled_from(["vivid", "GENERAL", "digital_illustration"]),
    Name.BACKGROUND: st.sampled_from(["opaque", "transparent"]),
    Name.OUTPUT_FORMAT: st.sampled_from(["png", "jpeg", "webp", "gif", "svg"]),
    Name.OUTPUT_COMPRESSION: st.integers(0, 100),
    Name.NEGATIVE_PROMPT: st.text(min_size=1, max_size=9),
    Name.GUIDANCE: st.floats(0, 1_000),
    Name.STEPS: st.integers(1, 1_000),
    Name.STRENGTH: st.floats(0, 1),
    Name.PROMPT_UPSAMPLING: st.booleans(),
    Name.MODERATION: st.sampled_from(["auto", "low"]),
    Name.SAFETY_TOLERANCE: st.integers(0, 10),
    Name.PERSON_GENERATION: st.sampled_from(["dont_allow", "allow_adult", "allow_all"]),
    Name.WATERMARK: st.booleans(),
    Name.INPUT_FIDELITY: st.sampled_from(["low", "high"]),
    Name.PARTIAL_IMAGES: st.integers(0, 3),
    Name.RESPONSE_FORMAT: st.sampled_from(["b64_json", "url"]),
    Name.MUST_DRAW: st.just(True),
    Name.N: st.integers(1, 20),
    Name.MAX_TOKENS: st.integers(1, 99_999),
    Name.TEMPERATURE: st.floats(0, 2),
    Name.TOP_P: st.floats(0, 1),
    Name.TOP_K: st.integers(1, 99),
    Name.SEED: st.integers(-(2**63), 2**63 - 1) | st.integers(0, 99),
    Name.STOP: st.lists(st.text(max_size=5), max_size=8).map(tuple),
    Name.SAFETY_SETTINGS: st.just(({"category": "x"},)),
    Name.PROVIDER_OPTIONS: st.just({VENDOR: {"key": 1}}),
    Name.MASK: st.just(ImageInput(url="https://pictures.example/mask.png", spelling="the mask")),
}
_SHAPE = {Name.ASPECT_RATIO, Name.IMAGE_SIZE, Name.DIMENSIONS, Name.WIDTH, Name.HEIGHT}
# What asks for a shape without contradicting itself.
SHAPES: st.SearchStrategy[dict[Name, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={Name.ASPECT_RATIO: RATIOS, Name.IMAGE_SIZE: TIERS}),
    st.fixed_dictionaries({Name.DIMENSIONS: DIMENSIONS}),
    st.fixed_dictionaries({Name.WIDTH: EDGES, Name.HEIGHT: EDGES}),
    st.fixed_dictionaries({Name.WIDTH: EDGES}, optional={Name.ASPECT_RATIO: RATIOS}),
    st.fixed_dictionaries({Name.HEIGHT: EDGES}, optional={Name.ASPECT_RATIO: RATIOS}),
)
# What a wire may be unable to spell.
VOCABULARIES = st.sets(st.sampled_from(sorted(set(Name) - {Name.PROVIDER_OPTIONS})), max_size=3).map(
    lambda unknown: frozenset(Name) - unknown
)
MET_BY_ANY = {
    Name.PARTIAL_IMAGES: 0,
    Name.MODERATION: "auto",
    Name.RESPONSE_FORMAT: "b64_json",
    Name.MUST_DRAW: True,
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[Profile, dict[Name, Any]]:
    """A model, and wishes that are legal in themselves."""
    row = draw(st.sampled_from(ROWS))
    wishes = dict(draw(SHAPES))
    for name in draw(st.lists(st.sampled_from(tuple(WISHES)), unique=True, max_size=6)):
        wishes[name] = draw(WISHES[name])
    if draw(st.booleans()):
        wishes[Name.MODALITIES] = tuple(draw(st.sets(st.sampled_from(row.output), min_size=1)))
    return row, wishes


def spelling_of(name: Name) -> str:
    return f"the {name}"


def plan_for(
    row: Profile,
    wishes: Mapping[Name, Any],
    *,
    policy: Policy = Policy.ADAPT,
    vocabulary: frozenset[Name] = frozenset(Name),
    surface: Surface = Surface.IMAGES,
    stream: bool = True,
) -> Plan:
    """The plan for a stream of the Images API, which can show all that can be asked for."""
    asked = (Asked(name=name, value=value, spelling=spelling_of(name)) for name, value in wishes.items())
    return make_plan(
        ImageRequest(
            model=row.id,
            # A mask lies on a picture, which some models do not take.
            messages=MESSAGES_WITH_PICTURE
            if Name.MASK in wishes and row.maximum_reference_images != 0
            else MESSAGES,
            asked=tuple(asked),
            surface=surface,
            stream=stream,
        ),
        Target(
            provider="the provider",
            family=row.family,
            vocabulary=vocabulary,
            vendor=VENDOR,
            renames_models=False,
        ),
        preferences=Preferences(policy=policy, responses=ResponseShape.ITEMS),
        limits=Limits(n=20),
    )


def test_there_is_a_wish_of_every_name() -> None:
    assert {*WISHES, *_SHAPE, Name.MODALITIES} == set(Name)


def assert_shape_is_legal(values: Mapping[Name, Any], row: Profile) -> None:
    if (ratio := values.get(Name.ASPECT_RATIO)) is not None and row.aspect_ratios:
        assert ratio in row.aspect_ratios
    if ratio is not None and row.ratio_range is not None:
        lowest, highest = map(ratio_value, row.ratio_range)
        assert lowest <= ratio_value(ratio) <= highest
    if (tier := values.get(Name.IMAGE_SIZE)) is not None:
        assert tier in row.image_sizes
        assert not row.image_size_is_fixed
    if (dimensions := values.get(Name.DIMENSIONS)) is not None:
        is_drawn = row.pixel_rule.allows(dimensions) if row.pixel_rule else dimensions in row.sizes
        assert is_drawn


@given(requests(), VOCABULARIES)
def test_a_plan_is_legal_for_its_model(
    request: tuple[Profile, dict[Name, Any]], vocabulary: frozenset[Name]
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes, vocabulary=vocabulary)
    assert plan.values.keys() <= row.names & vocabulary
    assert_shape_is_legal(plan.values, row)
    for name, value in plan.values.items():
        if name in row.choices:
            assert value in row.choices[name]
        if name in row.ranges:
            low, high = row.ranges[name]
            assert low <= value <= high
            assert type(value) is type(wishes[name])
    assert all(1 <= count <= (row.maximum_n if Name.N in plan.values else 1) for count in plan.counts)
    assert sum(plan.counts) == wishes.get(Name.N, 1)
    assert plan.values.get(Name.N, plan.counts[0]) == plan.counts[0]
    assert plan.values.get(Name.MAX_TOKENS, 0) <= (row.maximum_output_tokens or math.inf)
    assert len(plan.values.get(Name.STOP, ())) <= (
        math.inf if row.maximum_stop_sequences is None else row.maximum_stop_sequences
    )
    assert abs(plan.values.get(Name.SEED, 0)) <= (math.inf if row.maximum_seed is None else row.maximum_seed)
    assert set(plan.output) <= set(row.output)


@given(requests())
def test_what_a_plan_sends_asked_for_again_is_sent_again_without_a_notice(
    request: tuple[Profile, dict[Name, Any]],
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes)
    values = dict(plan.values)
    if Name.PROVIDER_OPTIONS in values:
        values[Name.PROVIDER_OPTIONS] = {VENDOR: values[Name.PROVIDER_OPTIONS]}
    again = plan_for(row, values)
    assert again.values == plan.values
    assert again.notices == ()


def _factor(one: Fraction, other: Fraction) -> Fraction:
    """How many times wider the wider one is: the distance |log| without rounding."""
    return max(one / other, other / one)


def _exact(ratio: str) -> Fraction:
    width, height = ratio.split(":")
    return Fraction(width) / Fraction(height)


@given(st.sampled_from(BY_RATIO), DIMENSIONS)
def test_a_shape_in_pixels_lands_on_the_nearest_ratio_and_ties_on_the_one_nearer_to_square(
    row: Profile, dimensions: Dimensions
) -> None:
    used = _exact(plan_for(row, {Name.DIMENSIONS: dimensions}).values[Name.ASPECT_RATIO])
    asked = Fraction(*dimensions)
    legal = [_exact(ratio) for ratio in row.aspect_ratios]
    nearest = min(_factor(asked, ratio) for ratio in legal)
    # Distances that differ in the tenth digit are one distance.
    ties = [ratio for ratio in legal if _factor(asked, ratio) <= nearest * Fraction(1_000_000_001, 10**9)]
    assert used in ties
    assert _factor(used, Fraction(1)) == min(_factor(ratio, Fraction(1)) for ratio in ties)


def _names_in(notice: Notice) -> set[Name]:
    return {Name(spelling.removeprefix("the ")) for spelling in notice.field.split(", ")}


def _told(plan: Plan) -> set[Name]:
    return {name for notice in plan.notices for name in _names_in(notice)}


def _drawn(plan: Plan, row: Profile) -> list[Dimensions]:
    """The pixels that come out, where the registry tells them."""
    if Name.DIMENSIONS in plan.values:
        return [plan.values[Name.DIMENSIONS]]
    fixed = row.image_sizes[0] if row.image_size_is_fixed else row.default_tier
    tier, ratio = plan.values.get(Name.IMAGE_SIZE, fixed), plan.values.get(Name.ASPECT_RATIO, "1:1")
    edge = {"512": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}[tier]
    square = [(edge, edge)] if same_ratio(ratio, "1:1") else []
    return [*[pixels for of, pixels in row.pixels.get(tier, {}).items() if same_ratio(of, ratio)], *square]


def _shape_is_met(name: Name, wishes: Mapping[Name, Any], plan: Plan, row: Profile) -> bool:
    pixels = plan.values.get(Name.DIMENSIONS)
    match name:
        case Name.ASPECT_RATIO if pixels is not None:
            return bool(abs(math.log(pixels[0] / pixels[1] / ratio_value(wishes[name]))) < 0.035)
        case Name.ASPECT_RATIO:
            return same_ratio(plan.values.get(name, "0.0001:1"), wishes[name])
        case Name.IMAGE_SIZE if pixels is not None:
            return bool((row.default_tier if row.sizes else tier_of(pixels)) == wishes[name])
        case Name.IMAGE_SIZE:
            is_fixed = row.image_size_is_fixed and row.image_sizes == (wishes[name],)
            return is_fixed or plan.values.get(name) == wishes[name]
        case Name.DIMENSIONS:
            return wishes[name] in _drawn(plan, row)
    edges = wishes.get(Name.WIDTH, 0), wishes.get(Name.HEIGHT, 0)
    return edges in _drawn(plan, row)


def _is_met(name: Name, wishes: Mapping[Name, Any], plan: Plan, row: Profile) -> bool:
    """Whether the plan gives what was asked for, be it without a field."""
    value = wishes[name]
    if name in _SHAPE:
        return _shape_is_met(name, wishes, plan, row)
    if plan.values.get(name) == value or value in row.granted.get(name, ()):
        return True
    match name:
        case Name.MODALITIES:
            return set(plan.output) == set(value)
        case Name.N:
            return bool(sum(plan.counts) == value)
        case Name.OUTPUT_FORMAT:
            return plan.conversion is not None and bool(plan.conversion.format == value)
        case Name.OUTPUT_COMPRESSION:
            return plan.conversion is not None and bool(plan.conversion.quality == value)
        case Name.PROVIDER_OPTIONS:
            return bool(plan.values.get(name) == value[VENDOR])
    return bool(MET_BY_ANY.get(name) == value)


@given(requests(), VOCABULARIES)
def test_every_wish_is_sent_or_told_or_met_without_a_field(
    request: tuple[Profile, dict[Name, Any]], vocabulary: frozenset[Name]
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes, vocabulary=vocabulary)
    told = _told(plan)
    if told & {Name.WIDTH, Name.HEIGHT}:
        told.add(Name.ASPECT_RATIO)  # a ratio beside one edge gives the other one and has no word of its own
    lost = {name for name in wishes if name not in told and not _is_met(name, wishes, plan, row)}
    assert lost == set()
    assert _told(plan) <= set(wishes)
    assert all(notice.why for notice in plan.notices)


@pytest.mark.parametrize(
    "wishes", [{Name.IMAGE_SIZE: "2K"}, {Name.DIMENSIONS: (2048, 2048)}, {Name.DIMENSIONS: (2752, 1536)}]
)
def test_a_tier_that_the_wire_cannot_spell_is_told(wishes: dict[Name, Any]) -> None:
    row = next(row for row in LIVE if row.id == "gemini-3-pro-image")
    plan = plan_for(row, wishes, vocabulary=frozenset(Name) - {Name.IMAGE_SIZE})
    assert _told(plan) == set(wishes)


@pytest.mark.parametrize(
    "wishes",
    [
        {Name.WIDTH: 10, Name.ASPECT_RATIO: "16:9"},
        {Name.HEIGHT: 4, Name.ASPECT_RATIO: "2:3"},
        {Name.WIDTH: 1024, Name.ASPECT_RATIO: "99999:1"},
    ],
)
def test_one_edge_and_a_ratio_never_contradict_each_other(wishes: dict[Name, Any]) -> None:
    row = next(row for row in LIVE if row.id == "gemini-3-pro-image")
    assert Name.ASPECT_RATIO in plan_for(row, wishes).values


@given(requests())
def test_a_notice_of_something_left_out_means_that_nothing_is_sent_for_it(
    request: tuple[Profile, dict[Name, Any]],
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes)
    for notice in plan.notices:
        if notice.code is NoticeCode.UNSUPPORTED:
            assert notice.used is None
            assert not _names_in(notice) & set(plan.values)


@given(requests())
def test_the_strict_policy_changes_nothing_and_refuses_by_name_what_it_would_have_to_change(
    request: tuple[Profile, dict[Name, Any]],
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes)
    if plan.notices:
        with pytest.raises(InvalidParameter) as caught:
            plan_for(row, wishes, policy=Policy.STRICT)
        assert caught.value.field in [notice.field for notice in plan.notices]
        assert caught.value.message.startswith(f"{caught.value.field}: ")
    else:
        strict = plan_for(row, wishes, policy=Policy.STRICT)
        assert strict.preferences.policy is Policy.STRICT
        assert strict.model_copy(update={"preferences": plan.preferences}) == plan


# Where an answer has no place for pictures on the way.
UNSEEN = [(Surface.CHAT, False), (Surface.CHAT, True), (Surface.RESPONSES, False), (Surface.IMAGES, False)]


@given(requests(), st.integers(0, 3), st.sampled_from(UNSEEN))
def test_pictures_on_the_way_are_asked_for_only_where_they_are_seen(
    request: tuple[Profile, dict[Name, Any]], number: int, place: tuple[Surface, bool]
) -> None:
    row, wishes = request
    surface, stream = place
    plan = plan_for(row, {**wishes, Name.PARTIAL_IMAGES: number}, surface=surface, stream=stream)
    without: dict[Name, Any] = {**wishes}
    without.pop(Name.PARTIAL_IMAGES, None)
    plain = plan_for(row, without, surface=surface, stream=stream)
    assert (plan.values, plan.counts) == (plain.values, plain.counts)
    others = tuple(notice for notice in plan.notices if notice.field != spelling_of(Name.PARTIAL_IMAGES))
    assert others == plain.notices
    assert len(plan.notices) - len(others) == (number > 0)
    if number:
        with pytest.raises(InvalidParameter):
            plan_for(row, {Name.PARTIAL_IMAGES: number}, surface=surface, stream=stream, policy=Policy.STRICT)


@given(requests(), VOCABULARIES)
def test_pictures_on_the_way_are_of_one_picture_a_call(
    request: tuple[Profile, dict[Name, Any]], vocabulary: frozenset[Name]
) -> None:
    row, wishes = request
    plan = plan_for(row, wishes, vocabulary=vocabulary)
    if plan.values.get(Name.PARTIAL_IMAGES):
        assert set(plan.counts) == {1}
    else:
        assert max(plan.counts) == min(
            wishes.get(Name.N, 1), row.maximum_n if Name.N in row.names & vocabulary else 1
        )


@given(st.sampled_from(RULES), EDGES, EDGES)
def test_the_nearest_pixels_are_always_allowed(rule: PixelRule, width: int, height: int) -> None:
    nearest = rule.nearest(width, height)
    assert rule.allows(nearest)
    assert nearest == (width, height) or not rule.allows((width, height))
    assert rule.nearest(*nearest) == nearest


@given(st.sampled_from(RULES), EDGES, EDGES)
def test_a_picture_on_its_side_is_the_same_picture_on_its_side(
    rule: PixelRule, width: int, height: int
) -> None:
    assert rule.nearest(height, width) == rule.nearest(width, height)[::-1]


@pytest.mark.parametrize("row", LIVE, ids=lambda row: f"{row.family} {row.id}")
def test_a_model_that_only_draws_is_never_planned_to_speak(row: Profile) -> None:
    assert plan_for(row, {}).output == row.output
    assert Modality.IMAGE in row.output
