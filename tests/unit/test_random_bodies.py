"""Ten thousand random bodies: whatever a client sends, there is a plan or an error that it can read."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from litellm_imagegen import dialects
from litellm_imagegen.canonical import ImageRequest, Limits, Name, Policy, Preferences
from litellm_imagegen.dialects import parse_chat, parse_images, parse_responses
from litellm_imagegen.errors import InvalidParameter, RequestError
from litellm_imagegen.plan import Plan, Target, make_plan
from litellm_imagegen.profiles import find
from tests.unit.helpers import GEMINI, HELLO, base64_of, data_url, picture_bytes

BATCHES, BODIES_OF_A_BATCH = 20, 500
# Family, model, and the vendor of its wire.
MODELS = (
    ("gemini", "gemini-3-pro-image", "google"),
    ("gemini", "gemini-2.5-flash-image", "google"),
    ("flux", "flux-2-flex", "bfl"),
    ("flux", "flux-kontext-pro", "bfl"),
    ("gpt_image", "gpt-image-1.5", "openai"),
    ("gpt_image", "gpt-image-2.5-flare", "openai"),
    ("openrouter", "recraft/recraft-v3", "openrouter"),
)
ENDPOINTS: tuple[tuple[Callable[..., ImageRequest], dict[str, Any]], ...] = (
    *[(parse_chat, {"messages": HELLO})] * 8,
    (parse_images, {"prompt": "a red dot"}),
    (parse_responses, {"input": "a red dot"}),
)
OPTIONS = ("providerOptions", "provider_options")
VENDORS = ("google", "vertex", "openai", "blackForestLabs", "bfl", "another_vendor")
CONTAINERS = (
    *("image_config", "imageConfig", "image_generation", "generation_config", "generationConfig"),
    *("imageOutputOptions", "extra_body", *OPTIONS),
)
UNKNOWN = ("unheard_of", "größe", "", "x y", "__proto__", "a" * 300, "half \ud800", "line\nbreak", "\x00")


def _words() -> list[str]:
    """Every quoted word in the dialects' sources: all names of fields are among them."""
    folder = Path(dialects.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    return sorted({word for source in sources for word in re.findall(r'"([A-Za-z_]{1,40})"', source)})


def _in_camel_case(word: str) -> str:
    first, *others = word.split("_")
    return first + "".join(other.capitalize() for other in others)


def _nested(depth: int, leaf: Any) -> Any:
    for level in range(depth):
        leaf = [leaf] if level % 2 else {"url": leaf}
    return leaf


def _nested_lists(depth: int) -> Any:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


NAMES = sorted({*_words(), *map(_in_camel_case, _words())} - {*CONTAINERS, *VENDORS})
HUGE = "QUJD" * 2_500_000
ODD: tuple[Any, ...] = (
    *("16x9", "abc", "", " ", "0", "-1", "NaN", "1e9", "true", "null", "\ud800", "\u202e", "🖼️" * 50),
    *("\r\nX: y", "x" * 5_000, "z" * 70, "a\n" * 999, "http://x", "https://[", b"bytes", (1, 2)),
    *(base64_of(b"\xffpicture" * 99), data_url(picture_bytes())),
    *(0, -1, 1, 65_536, 2**31, 2**53, 2**63, 2**64, -(2**70), 10**400, 1e9, 1e400, -1e400, 0.5, 1.5),
    *(float("nan"), None, True, False, [], {}, [[]], [None], [{}], {"": None}, ["text", 5]),
    *({"width": -1}, {"width": 10**9, "height": 1}, {f"key {i}": i for i in range(300)}),
    *({"type": "image_generation"}, [{"type": "image_generation", "size": 7}], [{"type": "function"}]),
    *(_nested(60, []), _nested(60, {"deep": 1}), _nested(31, "x")),
)
RIGHT: tuple[Any, ...] = (
    *("16:9", "1:1", "9:16", "2.35:1", "1K", "2k", "4K", 512, "1024x1024", "auto", "high", "low", "jpeg"),
    *(1, 2, 3, 7, 20, 0.5, 0.9, 1024, True, False, "3", "0.5", ["image"], ["text", "image"], ["a", "b"]),
    *([{"category": "x"}], {"width": 1024, "height": 1024}, {"thinkingLevel": "low"}),
)
# By the last word of a field's name, for those of which a value drawn from all would rarely be right.
FITTING: dict[str, tuple[Any, ...]] = {
    "ratio": ("16:9", "1:1", "21:9", "1:8", "auto"),
    "size": ("1K", "2k", "4K", "1024x1024", "1536x1024", {"width": 1024, "height": 768}, "square_hd"),
    "format": ("jpeg", "png", "webp", "gif", "b64_json", "url"),
    "quality": ("low", "high", "max", "hd", 80),
    "background": ("opaque", "transparent"),
    "moderation": ("low", "auto"),
    "fidelity": ("low", "high"),
    "type": ("image/png", "image/jpeg"),
    "tools": ([{"type": "image_generation", "size": "1024x1024", "quality": "high"}],),
    "modalities": (["image"], ["text", "image"]),
    "tokens": (100, 99_999),
    "temperature": (0, 0.5, 2),
    "seed": (0, 7, -1, 2**31),
    "n": (1, 2, 10),
    "stop": ("END", ["a", "b"]),
    "p": (0.5, 1),
    "k": (40,),
    "style": ("vivid", "GENERAL"),
    "steps": (20, 99),
    "prompt": ("blurry",),
    "upsampling": (True, "false"),
    "tolerance": (0, 6),
    "width": (1024, 768, 1000),
    "height": (1024, 768, 1000),
    "resolution": ("2K", "1024x1024"),
    "settings": ([{"category": "x"}],),
}
MESSAGES: tuple[Any, ...] = (
    *(None, [], {}, "draw", 5, [None], [{}], [{"role": "user"}], [{"role": "user", "content": 5}]),
    *([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}] for url in ODD),
    *([{"role": "user", "content": content}] for content in ODD),
)


def _last_word(name: str) -> str:
    return re.split(r"_|(?=[A-Z])", name)[-1].lower()


FIELDS = [name for name in NAMES if _last_word(name) in FITTING]


def _value(random: Random, name: str) -> Any:
    chance = random.random()
    fitting = FITTING.get(_last_word(name), RIGHT)
    return random.choice(fitting if chance < 0.7 else RIGHT if chance < 0.75 else ODD)


def _object(random: Random, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(random.randint(1, 4)):
        chance = random.random()
        if chance < 0.35 and depth:
            key = random.choice(CONTAINERS)
            made[key] = _object(random, depth - 1)
            if key in OPTIONS:  # of strange names of vendors there is a test of its own
                made[key] = {random.choice(VENDORS): made[key]}
            elif key == "image_generation" and chance < 0.3:
                made[key] |= {"aspect_ratio": "16:9", "image_size": "2K"}
        else:
            name = random.choice(FIELDS if chance < 0.65 else NAMES if chance < 0.95 else UNKNOWN)
            made[name] = _value(random, name)
    return made


def bodies(batch: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """A batch of numbered bodies; the same ones every time."""
    random = Random(batch)  # noqa: S311  # no secret
    for index in range(BODIES_OF_A_BATCH):
        number = batch * BODIES_OF_A_BATCH + index
        _, beside = ENDPOINTS[number % len(ENDPOINTS)]
        body = {**beside, **_object(random, 3)}
        if random.random() < 0.03:
            body["messages"] = random.choice(MESSAGES)
        if number % 2_000 == 0:
            body[random.choice(("n", "size", "unheard_of"))] = HUGE
        yield number, body


def _outcome(number: int, body: dict[str, Any]) -> Plan | RequestError:
    """What comes of a body; which model, endpoint and policy it is for shows in its number."""
    parse, _ = ENDPOINTS[number % len(ENDPOINTS)]
    family, model, vendor = MODELS[number % len(MODELS)]
    policy = Policy.STRICT if number % 9 == 0 else Policy.ADAPT
    try:
        return make_plan(
            parse(model=model, body=body, defaults={}),
            Target(
                provider="the provider",
                family=family,
                vocabulary=(
                    GEMINI.wires[-1].codec.vocabulary if family == "gemini" else find(family, model).names
                ),
                vendor=vendor,
            ),
            preferences=Preferences(policy=policy),
            limits=Limits(),
        )
    except RequestError as error:
        return error


def _assert_can_be_read(error: RequestError, body: dict[str, Any]) -> None:
    message = error.message
    assert error.status == 400
    assert 0 < len(message) < 2_000
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert re.search(r"[A-Za-z0-9+/]{64}", message) is None
    if isinstance(error, InvalidParameter):
        assert error.field is not None
        field = error.field.split(", ")[0]
        assert any(field.startswith(key) for key in body)
        shown = [word for word in re.split(r"[^A-Za-z0-9_]", field) if len(word) < 64]
        assert all(word in message for word in shown)


def _has_options(body: dict[str, Any]) -> bool:
    return any(
        key in OPTIONS or (isinstance(value, dict) and _has_options(value)) for key, value in body.items()
    )


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_random_body_gives_a_plan_or_an_error_that_can_be_read(batch: int) -> None:
    for number, body in bodies(batch):
        outcome = _outcome(number, body)
        if isinstance(outcome, RequestError):
            _assert_can_be_read(outcome, body)
            continue
        for notice in outcome.notices:
            shown = json.dumps(notice.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
            assert len(shown.encode()) < 2_000
        # Of provider options that JSON cannot carry on there is a test of its own.
        if outcome.model.startswith("gemini") and not _has_options(body):
            assert orjson.dumps(GEMINI.wires[-1].codec.encode(outcome).body)


def test_the_random_bodies_give_plans_with_values_of_every_kind_and_errors() -> None:
    outcomes = [_outcome(number, body) for batch in (3, 4) for number, body in bodies(batch)]
    plans = [outcome for outcome in outcomes if isinstance(outcome, Plan)]
    names = {name for plan in plans for name in plan.values}
    assert len(outcomes) / 4 < len(plans) < len(outcomes) * 3 / 4
    assert {Name.ASPECT_RATIO, Name.DIMENSIONS, Name.QUALITY, Name.SEED, Name.PROVIDER_OPTIONS} <= names


@pytest.mark.parametrize("name", ["two\nlines", "A" * 5_000, "half \ud800"])
def test_an_error_about_options_of_a_vendor_with_a_strange_name_can_be_read(name: str) -> None:
    body = {"messages": HELLO, "providerOptions": {name: {"aspectRatio": "1:1", "size": "1024x512"}}}
    outcome = _outcome(1, body)
    assert isinstance(outcome, RequestError)
    _assert_can_be_read(outcome, body)


@pytest.mark.parametrize(
    "options",
    [{"key": "\ud800"}, {"key": 2**70}, {"\udfff": 1}, {"thinkingConfig": _nested(60, [])}],
    ids=["half a character", "a number of over 64 bits", "half a character as name", "nested deep"],
)
def test_provider_options_that_json_cannot_carry_on_are_refused(options: dict[str, Any]) -> None:
    body = {"messages": HELLO, "providerOptions": {"google": options}}
    outcome = _outcome(1, body)
    assert isinstance(outcome, RequestError)
    _assert_can_be_read(outcome, body)


@pytest.mark.parametrize("name", ["n", "stop", "modalities", "safety_settings"])
@pytest.mark.parametrize(
    "value",
    [_nested(990, []), _nested_lists(990), [10**5_000]],
    ids=["nested 990 deep", "lists 990 deep", "5000 digits"],
)
def test_a_value_that_python_cannot_write_out_is_refused(name: str, value: Any) -> None:
    body = {"messages": HELLO, name: value}
    outcome = _outcome(1, body)
    assert isinstance(outcome, RequestError)
    _assert_can_be_read(outcome, body)


@pytest.mark.parametrize("value", [_nested_lists(990)], ids=["nested 990 deep"])
def test_a_field_that_nobody_knows_is_left_out_whatever_it_holds(value: Any) -> None:
    outcome = _outcome(1, {"messages": HELLO, "unheard_of": value})
    assert isinstance(outcome, Plan)
    [notice] = outcome.notices
    assert notice.field == "unheard_of"
    assert len(str(notice.asked)) <= 100
