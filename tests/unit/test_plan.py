import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_imagegen import engine
from litellm_imagegen.canonical import (
    Limits,
    Modality,
    Name,
    Notice,
    NoticeCode,
    Policy,
    Preferences,
    ResponseShape,
)
from litellm_imagegen.dialects import parse_chat, parse_edits, parse_images, parse_responses
from litellm_imagegen.errors import Contradiction, InvalidParameter, LimitExceeded, RequestError
from litellm_imagegen.geometry import same_ratio
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.surfaces.metadata import notices_header
from tests.unit.helpers import HELLO, PRO, data_url, picture_bytes, plan_of

FIRST = "gemini-2.5-flash-image"
FLASH = "gemini-3.1-flash-image"
LITE = "gemini-3.1-flash-lite-image"
NEWEST = "gemini-nano-banana-2.1"
STANDARD = "1:1, 2:3, 3:2, 3:4, 4:3, 4:5, 5:4, 9:16, 16:9, 21:9"
STRICT = Preferences(policy=Policy.STRICT)
PNG = data_url(picture_bytes())


def user(*urls: str) -> dict[str, Any]:
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "mix"}, *pictures]}]}


def notices_of(plan: Plan) -> list[tuple[NoticeCode, str, Any]]:
    return [(notice.code, notice.field, notice.used) for notice in plan.notices]


@pytest.mark.parametrize(
    "body",
    [
        {"aspect_ratio": "16:9", "image_config": {"aspect_ratio": "16:9"}},
        {"aspect_ratio": "16:9", "generationConfig": {"imageConfig": {"aspectRatio": " 16 : 9"}}},
        {"aspect_ratio": "16:9", "image_config": {"aspect_ratio": "32:18"}},
        {"aspect_ratio": "1.0:1", "extra_body": {"aspect_ratio": "2:2"}},
        {"image_size": "2k", "extra_body": {"image_config": {"image_size": "2K"}}},
        {"modalities": ["image", "text"], "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
        {"max_tokens": 100, "max_completion_tokens": 100},
        {"temperature": 1, "generationConfig": {"temperature": 1.0}},
        {"stop": "END", "generationConfig": {"stopSequences": ["END"]}},
        {"image_size": "512", "image_config": {"image_size": "512px"}},
    ],
    ids=str,
)
def test_two_spellings_that_mean_the_same_agree(body: dict[str, Any]) -> None:
    plan = plan_of(body, model=FLASH)
    assert plan.notices == ()


@pytest.mark.parametrize(
    ("body", "first", "second"),
    [
        (
            {"aspect_ratio": "16:9", "extra_body": {"image_config": {"aspect_ratio": "1:1"}}},
            "aspect_ratio: '16:9'",
            "extra_body.image_config.aspect_ratio: '1:1'",
        ),
        (
            {
                "image_config": {"image_size": "2K"},
                "image_generation": {"aspect_ratio": "1:1", "image_size": "4K"},
            },
            "image_config.image_size: '2K'",
            "image_generation.image_size: '4K'",
        ),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens: 5", "max_completion_tokens: 6"),
        (
            {"modalities": ["image"], "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
            "modalities: ",
            "generationConfig.responseModalities: ",
        ),
        ({"seed": 1, "generationConfig": {"seed": 2}}, "seed: 1", "generationConfig.seed: 2"),
        ({"n": 1, "generationConfig": {"candidateCount": 2}}, "n: 1", "generationConfig.candidateCount: 2"),
        (
            {
                "generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}},
                "generation_config": {"thinkingConfig": {"thinkingLevel": "high"}},
            },
            "generationConfig.thinkingConfig: ",
            "generation_config.thinkingConfig: ",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("preferences", [Preferences(), STRICT], ids=["adapt", "strict"])
def test_two_spellings_that_differ_are_refused_with_both_spellings_and_values(
    body: dict[str, Any], first: str, second: str, preferences: Preferences
) -> None:
    with pytest.raises(Contradiction) as caught:
        plan_of(body, preferences=preferences)
    assert caught.value.status == 400
    assert first in caught.value.message
    assert second in caught.value.message


def test_a_client_that_contradicts_the_operators_default_wins() -> None:
    plan = plan_of(
        {"extra_body": {"aspect_ratio": "16:9"}},
        defaults={"aspect_ratio": "1:1", "image_config": {"image_size": "2K"}, "seed": 5},
    )
    assert plan.values == {Name.ASPECT_RATIO: "16:9", Name.IMAGE_SIZE: "2K", Name.SEED: 5}
    assert plan.notices == ()


THINKING = {"thinkingConfig": {"thinkingLevel": "high"}}
RESOLUTION = {"mediaResolution": "MEDIA_RESOLUTION_LOW"}


@pytest.mark.parametrize(
    ("body", "defaults"),
    [
        ({"generationConfig": {**THINKING, **RESOLUTION}}, {}),
        ({"generationConfig": THINKING, "extra_body": {"generationConfig": RESOLUTION}}, {}),
        ({"generationConfig": THINKING}, {"generationConfig": RESOLUTION}),
        ({}, {"generationConfig": {**THINKING, **RESOLUTION}}),
        (
            {"generationConfig": THINKING},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}, **RESOLUTION}},
        ),
    ],
    ids=["of one client", "in two places", "of client and operator", "of the operator", "the client's first"],
)
def test_provider_options_add_up(body: dict[str, Any], defaults: dict[str, Any]) -> None:
    plan = plan_of(body, defaults=defaults)
    assert plan.values[Name.PROVIDER_OPTIONS] == {"generationConfig": {**THINKING, **RESOLUTION}}
    assert plan.notices == ()


@pytest.mark.parametrize(
    ("model", "used", "size"),
    [
        (f"{PRO}-2k", PRO, "2K"),
        (f"{PRO}-4K", PRO, "4K"),
        (f"{PRO}-preview-4k", PRO, "4K"),
        ("gemini-9-image-2k", "gemini-9-image", "2K"),
    ],
)
def test_an_ending_sets_the_size_and_is_cut_off(model: str, used: str, size: str) -> None:
    plan = plan_of(model=model)
    assert (plan.model, plan.values) == (used, {Name.IMAGE_SIZE: size})


def test_an_ending_agrees_with_the_same_explicit_size_and_goes_before_a_default() -> None:
    plan = plan_of({"image_size": "4k"}, model=f"{PRO}-4k", defaults={"image_config": {"image_size": "1K"}})
    assert plan.values == {Name.IMAGE_SIZE: "4K"}
    assert plan.notices == ()


def test_an_ending_contradicts_another_explicit_size() -> None:
    with pytest.raises(Contradiction, match=r"image_size: '1K'.*-4k"):
        plan_of({"image_size": "1K"}, model=f"{PRO}-4k")


@pytest.mark.parametrize(
    ("former", "present"),
    [
        (f"{PRO}-preview", PRO),
        (f"{FIRST}-preview", FIRST),
        (f"{FLASH}-preview", FLASH),
    ],
)
def test_a_former_id_becomes_the_same_models_present_id_with_a_notice(former: str, present: str) -> None:
    plan = plan_of(model=former)
    assert plan.model == present
    (notice,) = plan.notices
    assert (notice.code, notice.field, notice.asked, notice.used) == ("adapted", "model", former, present)


def test_an_unknown_id_is_planned_as_the_newest_and_keeps_its_name() -> None:
    plan = plan_of({"aspect_ratio": "1:8", "image_size": "512"}, model="gemini-9-image")
    newest = plan_of({"aspect_ratio": "1:8", "image_size": "512"}, model=NEWEST)
    assert plan.model == "gemini-9-image"
    assert plan.values == newest.values == {Name.ASPECT_RATIO: "1:8", Name.IMAGE_SIZE: "1K"}
    assert newest.model in plan.known_models


class Adapted(NamedTuple):
    """A wish that a model cannot fulfil, what is sent in its place, and what strict calls allowed."""

    model: str
    body: dict[str, Any]
    name: Name
    sent: Any
    spelling: str
    allowed: str


ADAPTED = [
    Adapted(PRO, {"aspect_ratio": "17:9"}, Name.ASPECT_RATIO, "16:9", "aspect_ratio", STANDARD),
    Adapted(
        PRO,
        {"image_config": {"aspect_ratio": "1:8"}},
        Name.ASPECT_RATIO,
        "9:16",
        "image_config.aspect_ratio",
        STANDARD,
    ),
    Adapted(PRO, {"image_size": "512"}, Name.IMAGE_SIZE, "1K", "image_size", "1K, 2K, 4K"),
    Adapted(NEWEST, {"image_size": "512"}, Name.IMAGE_SIZE, "1K", "image_size", "1K, 2K, 4K"),
    Adapted(LITE, {"image_size": "4K"}, Name.IMAGE_SIZE, "1K", "image_size", "1K"),
    Adapted(FIRST, {"image_size": "4K"}, Name.IMAGE_SIZE, None, "image_size", "1K"),
    Adapted(PRO, {"max_tokens": 32_769}, Name.MAX_TOKENS, 32_768, "max_tokens", "at most 32768"),
    Adapted(
        LITE,
        {"max_completion_tokens": 9_999},
        Name.MAX_TOKENS,
        4_096,
        "max_completion_tokens",
        "at most 4096",
    ),
    Adapted(PRO, {"stop": list("abcdef")}, Name.STOP, tuple("abcde"), "stop", "at most 5"),
]


@pytest.mark.parametrize("row", ADAPTED, ids=lambda row: f"{row.body} on {row.model}")
def test_a_value_that_the_model_lacks_becomes_the_nearest_with_a_notice(row: Adapted) -> None:
    plan = plan_of(row.body, model=row.model)
    assert plan.values.get(row.name) == row.sent
    used = row.sent or "1K"
    assert notices_of(plan) == [(NoticeCode.ADAPTED, row.spelling, used)]


@pytest.mark.parametrize("row", ADAPTED, ids=lambda row: f"{row.body} on {row.model}")
def test_under_the_strict_policy_it_is_refused_with_field_value_and_what_is_allowed(row: Adapted) -> None:
    with pytest.raises(InvalidParameter) as caught:
        plan_of(row.body, model=row.model, preferences=STRICT)
    assert (caught.value.status, caught.value.field) == (400, row.spelling)
    assert row.allowed in caught.value.message.partition("allowed: ")[2]


UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    ({"frequency_penalty": 0.5}, "frequency_penalty"),
    ({"extra_body": {"style": "vivid"}}, "extra_body.style"),
    ({"generationConfig": {"responseMimeType": "text/plain"}}, "generationConfig.responseMimeType"),
]


@pytest.mark.parametrize(("body", "spelling"), UNSUPPORTED)
def test_a_field_that_the_model_lacks_is_left_out_with_a_notice(body: dict[str, Any], spelling: str) -> None:
    plan = plan_of(body)
    assert plan.values == {}
    assert notices_of(plan) == [(NoticeCode.UNSUPPORTED, spelling, None)]


@pytest.mark.parametrize(("body", "spelling"), UNSUPPORTED)
def test_under_the_strict_policy_it_is_refused_by_name(body: dict[str, Any], spelling: str) -> None:
    with pytest.raises(InvalidParameter, match="allowed") as caught:
        plan_of(body, preferences=STRICT)
    assert caught.value.field == spelling


def test_an_extra_body_of_the_operators_counts_like_other_defaults() -> None:
    extra = {"aspect_ratio": "16:9", "provider_options": {"google": {"a": 1}}, "nobodys": 1}
    plan = plan_of(defaults={"extra_body": extra}, preferences=STRICT)
    assert plan.values == {Name.ASPECT_RATIO: "16:9", Name.PROVIDER_OPTIONS: {"a": 1}}
    assert plan.notices == ()
    assert plan_of({"aspect_ratio": "1:1"}, defaults={"extra_body": extra}).values[Name.ASPECT_RATIO] == "1:1"


@pytest.mark.parametrize("body", [body for body, _ in UNSUPPORTED if "extra_body" not in body])
def test_a_default_that_nobody_understands_is_no_clients_business(body: dict[str, Any]) -> None:
    assert plan_of(defaults=body, preferences=STRICT).notices == ()


@pytest.mark.parametrize(("model", "defaults"), [(row.model, row.body) for row in ADAPTED])
def test_the_strict_policy_never_refuses_a_client_for_the_operators_defaults(
    model: str, defaults: dict[str, Any]
) -> None:
    assert len(plan_of(model=model, defaults=defaults, preferences=STRICT).notices) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"aspect_ratio": "16:9", "image_size": "2K", "seed": 1, "max_tokens": 32_768, "n": 1},
        {"modalities": ["image", "text"], "stop": list("abcde"), "temperature": 2, "top_p": 0.1, "top_k": 3},
        {"aspect_ratio": "32:18"},
    ],
    ids=str,
)
def test_the_strict_policy_lets_pass_what_the_model_can_do(body: dict[str, Any]) -> None:
    assert plan_of(body, preferences=STRICT).notices == ()


class Locked(NamedTuple):
    """Locked names, what the client sends and the operator has, what goes out, and the notice's field."""

    names: list[str]
    body: dict[str, Any]
    defaults: dict[str, Any]
    values: dict[Name, Any]
    spelling: str


@pytest.mark.parametrize(
    "row",
    [
        Locked(
            ["image_size"], {"image_size": "4K"}, {"image_size": "1K"}, {Name.IMAGE_SIZE: "1K"}, "image_size"
        ),
        Locked(["image_size"], {"extra_body": {"image_size": "4K"}}, {}, {}, "extra_body.image_size"),
        Locked(["seed", "n"], {"seed": 4}, {"n": 1}, {}, "seed"),
        Locked(
            ["aspect_ratio"], {"image_config": {"aspect_ratio": "9:16"}}, {}, {}, "image_config.aspect_ratio"
        ),
    ],
    ids=lambda row: row.spelling,
)
@pytest.mark.parametrize("preferences", [Preferences(), STRICT], ids=["adapt", "strict"])
def test_a_locked_name_stops_at_the_operators_value_with_a_notice(
    row: Locked, preferences: Preferences
) -> None:
    plan = plan_of(row.body, defaults=row.defaults, locked=row.names, preferences=preferences)
    assert plan.values == row.values
    assert notices_of(plan) == [(NoticeCode.UNSUPPORTED, row.spelling, next(iter(row.values.values()), None))]


def test_more_than_the_operators_limit_of_pictures_is_refused() -> None:
    with pytest.raises(LimitExceeded, match=r"n: 4 .*limits\.n"):
        plan_of({"n": 4}, limits=Limits(n=3))


@pytest.mark.parametrize("value", [0, 2])
def test_the_bounds_of_temperature_are_legal(value: float) -> None:
    assert plan_of({"temperature": value}).values == {Name.TEMPERATURE: value}


@pytest.mark.parametrize(("model", "most"), [(FIRST, 3), (PRO, 14)])
def test_too_many_reference_pictures_are_refused_before_anything_is_sent(model: str, most: int) -> None:
    assert len(plan_of(user(*[PNG] * most), model=model).messages[0].parts) == most + 1
    with pytest.raises(InvalidParameter, match=f"picture {most + 1} of {most + 1}.*at most {most}"):
        plan_of(user(*[PNG] * (most + 1)), model=model)


def test_a_reference_picture_over_the_limit_is_refused() -> None:
    size = len(picture_bytes())
    assert plan_of(user(PNG), limits=Limits(reference_bytes=size))
    with pytest.raises(LimitExceeded, match=rf"content\[1\].*{size} bytes.*limits\.reference_bytes"):
        plan_of(user(PNG), limits=Limits(reference_bytes=size - 1))


def test_a_reference_picture_of_a_type_that_the_model_does_not_take_is_refused() -> None:
    gif = data_url(picture_bytes("GIF"), "image/png")
    with pytest.raises(
        InvalidParameter, match=r"content\[2\].*'image/gif'.*image/png, image/jpeg, image/webp"
    ):
        plan_of(user(PNG, gif))


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "draw"}],
        [{"role": "assistant", "content": "hi"}],
        [{"role": "user", "content": ""}],
    ],
)
def test_a_conversation_in_which_the_user_says_nothing_is_refused(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(RequestError, match="user"):
        plan_of({"messages": messages})


@pytest.mark.parametrize(
    ("model", "body", "passed", "seconds"),
    [
        (PRO, {}, None, 300),
        (PRO, {"image_size": "2K"}, None, 300),
        (PRO, {"image_size": "4K"}, None, 600),
        (f"{PRO}-4k", {}, None, 600),
        (LITE, {"image_size": "4K"}, None, 300),
        (PRO, {"image_size": "4K"}, 12.5, 12.5),
    ],
)
def test_the_deadline(model: str, body: dict[str, Any], passed: float | None, seconds: float) -> None:
    assert plan_of(body, model=model, deadline_seconds=passed).deadline_seconds == seconds


@pytest.mark.parametrize(
    ("modalities", "output", "wants_picture"),
    [
        (None, (Modality.TEXT, Modality.IMAGE), True),
        (["image"], (Modality.IMAGE,), True),
        (["text"], (Modality.TEXT,), False),
        (["image", "text", "image"], (Modality.TEXT, Modality.IMAGE), True),
    ],
)
def test_what_the_answer_may_hold(
    modalities: list[str] | None, output: tuple[Modality, ...], wants_picture: bool
) -> None:
    plan = plan_of({"modalities": modalities})
    assert (plan.output, plan.wants_picture) == (output, wants_picture)


@pytest.mark.parametrize(("provider", "model"), [("aione", f"{PRO}-preview"), ("helicone", f"{PRO}-preview")])
def test_a_wire_that_cannot_be_told_what_to_answer_with_draws_or_refuses(provider: str, model: str) -> None:
    given: dict[str, Any] = {"model": model, "provider": PROVIDERS[provider]}
    plan = plan_of({"modalities": ["image"]}, **given)
    assert plan.output == (Modality.TEXT, Modality.IMAGE)
    assert notices_of(plan) == [(NoticeCode.ADAPTED, "modalities", "text, image")]
    for modalities, preferences in ((["text"], Preferences()), (["image"], STRICT)):
        with pytest.raises(InvalidParameter) as caught:
            plan_of({"modalities": modalities}, preferences=preferences, **given)
        assert (caught.value.status, caught.value.field) == (400, "modalities")
    assert plan_of({"modalities": ["text", "image"]}, preferences=STRICT, **given).notices == ()


# What is known of none of these: OpenRouter has a field for each shape, Vercel pixels, AIone ratio and tier.
@pytest.mark.parametrize(
    ("body", "openrouter", "vercel", "aione"),
    [
        (
            {"aspect_ratio": "5:3"},
            {Name.ASPECT_RATIO: "5:3"},
            {Name.DIMENSIONS: (1322, 793)},
            {Name.ASPECT_RATIO: "5:3"},
        ),
        (
            {"image_size": "2K"},
            {Name.IMAGE_SIZE: "2K"},
            {Name.DIMENSIONS: (2048, 2048)},
            {Name.IMAGE_SIZE: "2K"},
        ),
        (
            {"size": "1000x700"},
            {Name.DIMENSIONS: (1000, 700)},
            {Name.DIMENSIONS: (1000, 700)},
            {Name.ASPECT_RATIO: "10:7", Name.IMAGE_SIZE: "1K"},
        ),
    ],
    ids=str,
)
def test_a_model_that_nobody_knows_is_told_the_shape_that_was_asked_for(
    body: dict[str, Any],
    openrouter: dict[Name, Any],
    vercel: dict[Name, Any],
    aione: dict[Name, Any],
) -> None:
    for name, values in (("openrouter", openrouter), ("vercel", vercel), ("aione", aione)):
        plan = plan_of(body, model="acme/painter-1", provider=PROVIDERS[name])
        assert plan.values == values, name
        is_told_as_asked = name != "aione" or "size" not in body
        assert [notice.field for notice in plan.notices] == ([] if is_told_as_asked else ["size"])


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**70, "\ud800", "x" * 9_000, picture_bytes() * 99, {"deep": [[1] * 999]}],
    ids=["nan", "infinity", "huge", "surrogate", "long", "bytes", "deep"],
)
def test_a_notice_is_short_and_can_be_shown_as_json(value: Any) -> None:
    for notice in plan_of({"unheard_of": value}).notices:
        shown = json.dumps(notice.model_dump(mode="json"), allow_nan=False, ensure_ascii=False).encode()
        assert len(shown) < 400


def test_a_notice_about_a_changed_value_is_short_too() -> None:
    (notice,) = plan_of({"stop": ["x" * 5_000] * 6}).notices
    assert len(notice.model_dump_json()) < 600


def test_a_notice_about_a_picture_shows_nothing_of_it() -> None:
    plan = plan_of({"prompt": "x", "image": PNG, "mask": PNG}, parse=parse_edits)
    (notice,) = plan.notices
    assert (notice.code, notice.field, notice.asked) == ("unsupported", "mask", "a picture")


@pytest.mark.parametrize(
    ("form", "why"),
    [("jpeg", "flux-2-pro has no such field"), ("png", "it goes with an output format of jpeg or webp")],
)
def test_a_notice_about_compression_tells_whether_another_format_would_help(form: str, why: str) -> None:
    body = {"output_format": form, "output_compression": 40}
    (notice,) = plan_of(body, model="flux-2-pro", provider=PROVIDERS["bfl"]).notices
    assert (notice.field, notice.why) == ("output_compression", why)


def test_a_notice_about_a_strange_field_name_can_be_shown() -> None:
    plan = plan_of({"\ud800\r\nX-Evil: 1" + "y" * 5_000: 1})
    shown = json.dumps([notice.model_dump(mode="json") for notice in plan.notices], ensure_ascii=False)
    assert len(shown.encode()) < 1_000
    assert (notices_header(plan.notices) or "").isprintable()


RATIOS = st.builds("{}:{}".format, st.integers(1, 40), st.integers(1, 40))
TIERS = st.sampled_from(["512", "1K", "1k", "2K", "4K"])
MODALITIES = st.lists(st.sampled_from(["text", "image", "IMAGE"]), min_size=1)
WORDS = st.lists(st.text(max_size=5), max_size=8)
PLACES: dict[Name, tuple[st.SearchStrategy[Any], tuple[str, ...]]] = {
    Name.ASPECT_RATIO: (
        RATIOS,
        ("aspect_ratio", "image_config.aspect_ratio", "generationConfig.imageConfig.aspectRatio"),
    ),
    Name.IMAGE_SIZE: (TIERS, ("image_size", "image_config.image_size", "imageConfig.imageSize")),
    Name.MODALITIES: (MODALITIES, ("modalities", "generationConfig.responseModalities")),
    Name.N: (st.integers(1, 12), ("n", "generationConfig.candidateCount")),
    Name.MAX_TOKENS: (st.integers(1, 99_999), ("max_tokens", "generationConfig.maxOutputTokens")),
    Name.TEMPERATURE: (st.floats(0, 2), ("temperature", "generationConfig.temperature")),
    Name.TOP_P: (st.floats(0, 1), ("top_p", "generationConfig.topP")),
    Name.TOP_K: (st.integers(1, 99), ("top_k", "generationConfig.topK")),
    Name.SEED: (st.integers(-(2**31), 2**31 - 1), ("seed", "generationConfig.seed")),
    Name.STOP: (WORDS | st.text(max_size=5), ("stop", "generationConfig.stopSequences")),
    Name.SAFETY_SETTINGS: (st.lists(st.just({"category": "x"}), max_size=2), ("safetySettings",)),
    Name.PROVIDER_OPTIONS: (st.just({"thinkingLevel": "low"}), ("generationConfig.thinkingConfig",)),
}


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for key in outer:
        body = body.setdefault(key, {})
    body[last] = value


@st.composite
def _bodies(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(tuple(PLACES)), unique=True)):
        values, places = PLACES[name]
        _put(body, draw(st.sampled_from(places)), draw(values))
    for place in draw(st.lists(st.sampled_from(["odd", "image_config.odd", "generationConfig.odd"]))):
        _put(body, place, 1)
    return {"extra_body": body} if draw(st.booleans()) else body


def _told(notices: tuple[Notice, ...]) -> Mapping[str, Notice]:
    return {notice.field: notice for notice in notices}


@given(
    body=_bodies(),
    model=st.sampled_from([FIRST, PRO, FLASH, LITE, NEWEST, "gemini-9-image"]),
    policy=st.sampled_from(list(Policy)),
    are_defaults=st.booleans(),
)
def test_nothing_that_was_asked_for_is_lost_in_silence(
    body: dict[str, Any], model: str, policy: Policy, are_defaults: bool
) -> None:
    is_met_without_a_field = [(Name.IMAGE_SIZE, "1K")] if model == FIRST else []
    try:
        plan = plan_of(
            {} if are_defaults else body,
            defaults=body.get("extra_body", body) if are_defaults else {},
            model=model,
            preferences=Preferences(policy=policy),
        )
    except RequestError:
        return
    told = _told(plan.notices)
    request = parse_chat(model=model, body={"messages": HELLO, **body}, defaults={})
    for wish in request.asked:
        spelling = wish.spelling.removeprefix("extra_body.") if are_defaults else wish.spelling
        if wish.name is Name.MODALITIES:
            assert set(plan.output) == set(wish.value)
        elif wish.name is Name.N:
            assert sum(plan.counts) == wish.value
        elif wish.name is Name.PROVIDER_OPTIONS:
            assert plan.values[wish.name] == wish.value["google"]
        elif wish.name is Name.ASPECT_RATIO and same_ratio(plan.values[wish.name], wish.value):
            continue
        elif (
            plan.values.get(wish.name) != wish.value and (wish.name, wish.value) not in is_met_without_a_field
        ):
            assert spelling in told
            assert told[spelling].code is NoticeCode.ADAPTED
    for unread in () if are_defaults else request.unread:  # an operator is told at start
        assert told[unread.spelling].code is NoticeCode.UNSUPPORTED
    if policy is Policy.STRICT and not are_defaults:
        assert plan.notices == ()


GPT = "gpt-image-2"
TOOL = {"type": "image_generation", "partial_images": 2}
# Where the wish may stand, by endpoint, with the place that it has in a notice.
PARTIAL: dict[str, tuple[engine.Parse, dict[str, Any], str]] = {
    "chat": (parse_chat, {"messages": HELLO, "partial_images": 2}, "partial_images"),
    "responses": (parse_responses, {"input": "a fox", "tools": [TOOL]}, "tools[0].partial_images"),
    "generations": (parse_images, {"prompt": "a fox", "partial_images": 2}, "partial_images"),
    "edits": (parse_edits, {"prompt": "a fox", "image": PNG, "partial_images": "2"}, "partial_images"),
}


def gpt_plan(body: dict[str, Any], parse: engine.Parse, **given: Any) -> Plan:
    return plan_of(body, model=GPT, provider=PROVIDERS["openai"], parse=parse, **given)


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("endpoint", PARTIAL)
def test_pictures_on_the_way_are_asked_for_only_where_a_stream_shows_them(
    endpoint: str, streams: bool
) -> None:
    parse, body, place = PARTIAL[endpoint]
    body = {**body, "stream": streams}
    plan = gpt_plan(body, parse)
    if streams and endpoint != "chat":
        assert plan.values[Name.PARTIAL_IMAGES] == 2
        assert gpt_plan(body, parse, preferences=STRICT).notices == plan.notices == ()
        return
    assert Name.PARTIAL_IMAGES not in plan.values
    assert notices_of(plan) == [(NoticeCode.UNSUPPORTED, place, None)]
    with pytest.raises(InvalidParameter, match="streams of /responses and /images") as caught:
        gpt_plan(body, parse, preferences=STRICT)
    assert (caught.value.status, caught.value.field) == (400, place)


def test_no_pictures_on_the_way_are_no_wish_where_none_are_shown() -> None:
    plan = gpt_plan({"messages": HELLO, "partial_images": 0}, parse_chat, preferences=STRICT)
    assert (plan.values.get(Name.PARTIAL_IMAGES), plan.notices) == (None, ())


def test_an_operators_pictures_on_the_way_are_left_out_with_a_notice_and_never_refused() -> None:
    plan = gpt_plan({"prompt": "a fox"}, parse_images, defaults={"partial_images": 3}, preferences=STRICT)
    assert notices_of(plan) == [(NoticeCode.UNSUPPORTED, "partial_images", None)]
    streamed = gpt_plan({"prompt": "a fox", "stream": True}, parse_images, defaults={"partial_images": 3})
    assert (streamed.values[Name.PARTIAL_IMAGES], streamed.notices) == (3, ())


@pytest.mark.parametrize(
    ("wishes", "counts"),
    [
        ({"n": 3}, (3,)),
        ({"n": 3, "partial_images": 0}, (3,)),
        ({"n": 3, "partial_images": 1}, (3,)),
        ({"n": 1, "partial_images": 3}, (1,)),
        ({"partial_images": 3}, (1,)),
    ],
    ids=str,
)
def test_pictures_on_the_way_are_shown_for_one_picture_alone(
    wishes: dict[str, Any], counts: tuple[int, ...]
) -> None:
    plan = gpt_plan({"prompt": "a fox", "stream": True, **wishes}, parse_images)
    assert plan.counts == counts
    asked = wishes.get("partial_images", 0)
    is_shown = asked and wishes.get("n", 1) == 1
    assert plan.values.get(Name.PARTIAL_IMAGES, 0) == (asked if is_shown else 0)
    assert [notice.field for notice in plan.notices] == (["partial_images"] if asked and not is_shown else [])


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_pictures_on_the_way_that_do_not_come_cost_no_calls(streams: bool) -> None:
    """A whole answer shows none, and Imagen gives none."""
    body = {"prompt": "a fox", "stream": streams, "n": 4, "partial_images": 2}
    imagen = plan_of(body, model="imagen-4.0-generate-001", parse=parse_images)
    assert (imagen.counts, notices_of(imagen)) == (
        (4,),
        [(NoticeCode.UNSUPPORTED, "partial_images", None)],
    )
    assert gpt_plan(body, parse_images).counts == (4,)


def test_pictures_on_the_way_are_not_asked_for_where_nobody_would_see_them() -> None:
    body = {"input": "a fox", "tools": [{"type": "image_generation", "partial_images": 2}], "stream": True}
    place = "tools[0].partial_images"
    cases: list[dict[str, Any]] = [
        {"preferences": Preferences(responses=ResponseShape.OUTPUT_IMAGE)},
        {"answers_are_watched": True},
    ]
    for case in cases:
        plan = gpt_plan(body, parse_responses, **case)
        assert Name.PARTIAL_IMAGES not in plan.values
        assert notices_of(plan) == [(NoticeCode.UNSUPPORTED, place, None)]
    assert gpt_plan(body, parse_responses).values[Name.PARTIAL_IMAGES] == 2
