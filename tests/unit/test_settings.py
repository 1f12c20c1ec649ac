from typing import Any, NamedTuple

import litellm
import pytest

from litellm_imagegen.canonical import ChatShape, Limits, Name, OnNoImage, Policy, Preferences, ResponseShape
from litellm_imagegen.errors import AuthenticationFailed, ConfigurationError, RequestError, UnknownModel
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.plugin.given import Given, Route
from litellm_imagegen.plugin.requests import make_plan
from tests.unit.helpers import GEMINI, HELLO, KEY, PRO


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config._Registered, "settings", None)
    monkeypatch.setattr(litellm, "imagegen_settings", None, raising=False)
    for variable in GEMINI.key_variables:
        monkeypatch.delenv(variable, raising=False)


UPSTREAM = config.upstream_of("imagegen/gemini/gemini-3-pro-image")
SIMULATED = config.upstream_of("imagegen/sandbox/gemini-3-pro-image")
WIRE = GEMINI.wire_named("content")


def configure(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(litellm, "imagegen_settings", settings, raising=False)


def plan_through_the_proxy(
    body: dict[str, Any] | None = None,
    *,
    headers: dict[str, str] | None = None,
    deployment: dict[str, Any] | None = None,
    team: dict[str, Any] | None = None,
    key: dict[str, Any] | None = None,
    model: str = f"imagegen/gemini/{PRO}",
    route: Route = Route.CHAT,
) -> Plan:
    """What the deployment hook makes of a request, given as LiteLLM's proxy gives it."""
    sent = {**({"messages": HELLO} if route is Route.CHAT else {"input": "a red dot"}), **(body or {})}
    arguments = {
        **sent,
        "model": model,
        "model_info": {"id": "x", **({"imagegen": deployment} if deployment else {})},
        "metadata" if route is Route.CHAT else "litellm_metadata": {
            "user_api_key_metadata": {"imagegen": key} if key else {},
            "user_api_key_team_metadata": {"imagegen": team} if team else {},
        },
        "proxy_server_request": {"body": {"model": "public", **sent}, "headers": headers or {}},
    }
    return make_plan(Given.to_hook(arguments, route))


def test_without_settings_the_defaults_of_the_documentation_hold() -> None:
    settings = config.settings()
    megabyte = 1024 * 1024
    assert settings.limits == Limits(n=10, picture_bytes=64 * megabyte, reference_bytes=20 * megabyte)
    assert (settings.timeout, settings.locked) == (None, frozenset())
    plan = plan_through_the_proxy()
    assert (plan.preferences.on_no_image, plan.deadline_seconds) == (OnNoImage.TEXT, 300)


def test_settings_come_from_the_proxys_yaml_and_python_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(
        monkeypatch, {"policy": "strict", "limits": {"n": 3}, "timeout": 60, "locked": ["seed", "output"]}
    )
    settings = config.settings()
    assert (settings.policy, settings.limits.n, settings.timeout) == (Policy.STRICT, 3, 60)
    assert settings.locked == {"seed", "output"}
    config.set_settings({"on_no_image": "error", "locked": {"seed"}})
    settings = config.settings()
    assert (settings.on_no_image, settings.policy) == (OnNoImage.ERROR, None)
    assert settings.locked == {"seed"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"unheard_of": 1}, ["imagegen_settings.unheard_of", "unknown", "policy"]),
        ({"limits": {"m": 1}}, ["imagegen_settings.limits.m"]),
        ({"limits": {"n": 0}}, ["imagegen_settings.limits.n", "0"]),
        ({"limits": 5}, ["imagegen_settings.limits", "5"]),
        ({"policy": "lax"}, ["imagegen_settings.policy", "'lax'", "strict"]),
        ({"on_no_image": True}, ["imagegen_settings.on_no_image", "True", "retry"]),
        ({"output": "video"}, ["imagegen_settings.output", "'video'", "images+markdown"]),
        ({"responses": "parts"}, ["imagegen_settings.responses", "'parts'", "output_image"]),
        ({"timeout": 0}, ["imagegen_settings.timeout", "0"]),
        ({"timeout": "soon"}, ["imagegen_settings.timeout", "'soon'"]),
        ({"locked": ["colour"]}, ["imagegen_settings.locked", "colour", "aspect_ratio"]),
        ({"locked": "seed"}, ["imagegen_settings.locked", "'seed'"]),
        (["policy"], ["imagegen_settings", "policy"]),
        ("strict", ["imagegen_settings", "strict"]),
        ({True: "yes"}, ["imagegen_settings", "True"]),
        ({"timeout": object()}, ["imagegen_settings.timeout"]),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) and "object" not in str(value) else "",
)
def test_a_mistake_in_the_settings_is_told_by_name_and_value(
    monkeypatch: pytest.MonkeyPatch, settings: Any, words: list[str]
) -> None:
    configure(monkeypatch, settings)
    with pytest.raises(ConfigurationError) as caught:
        config.settings()
    assert all(word in caught.value.message for word in words)


def test_a_mistake_in_settings_from_python_is_told_at_once_and_changes_nothing() -> None:
    config.set_settings({"timeout": 5})
    with pytest.raises(ConfigurationError, match=r"imagegen_settings\.unheard_of"):
        config.set_settings({"unheard_of": 1})
    assert config.settings().timeout == 5


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        ({"unheard_of": 1}, ["model_info.imagegen.unheard_of", "unknown"]),
        ({"policy": "lax"}, ["model_info.imagegen.policy", "'lax'"]),
        ({"defaults": ["1:1"]}, ["model_info.imagegen.defaults"]),
        ({"defaults": {"aspect_ratio": "wide"}}, ["default", "aspect_ratio", "'wide'"]),
        ({"locked": ["seed"]}, ["model_info.imagegen.locked"]),
    ],
)
def test_a_mistake_in_a_deployment_is_the_operators_and_told_by_name(
    deployment: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan_through_the_proxy(deployment=deployment)
    assert all(word in caught.value.message for word in words)


@pytest.mark.parametrize("level", ["team", "key"])
def test_a_mistake_in_a_teams_or_keys_metadata_is_the_operators(level: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{level}.*policy.*lax"):
        plan_through_the_proxy(**{level: {"policy": "lax"}})  # type: ignore[arg-type]


LEVELS = ("settings", "deployment", "team", "key", "client's body", "client's header")


class Choice(NamedTuple):
    """A choice with the endpoint that it is for, two values, and what it is where nobody chooses."""

    name: str
    route: Route
    asked: str
    other: str
    nobodys: str


CHOICES = [
    Choice("policy", Route.CHAT, "strict", "adapt", Policy.ADAPT),
    Choice("on_no_image", Route.CHAT, "error", "retry", OnNoImage.TEXT),
    Choice("output", Route.CHAT, "parts", "images+markdown", ChatShape.IMAGES),
    Choice("output", Route.CHAT, "markdown", "parts", ChatShape.IMAGES),
    Choice("responses", Route.RESPONSES, "output_image", "items", ResponseShape.ITEMS),
    Choice("responses", Route.RESPONSES, "items", "output_image", ResponseShape.ITEMS),
]
each_choice = pytest.mark.parametrize(
    "choice", CHOICES, ids=[f"{choice.name} {choice.asked}" for choice in CHOICES]
)


def _plan_with(
    monkeypatch: pytest.MonkeyPatch, choice: Choice, values: dict[str, str], **settings: Any
) -> Plan:
    name = choice.name
    configure(monkeypatch, {**settings, **({name: values["settings"]} if "settings" in values else {})})
    levels: dict[str, Any] = {
        level: {name: values[level]} for level in ("deployment", "team", "key") if level in values
    }
    body = {"imagegen": {name: values[LEVELS[4]]}} if LEVELS[4] in values else {}
    header = f"X-Imagegen-{name.replace('_', '-').title()}"
    headers = {header: values[LEVELS[5]]} if LEVELS[5] in values else {}
    return plan_through_the_proxy(body, headers=headers, route=choice.route, **levels)


def test_every_choice_is_tried() -> None:
    assert {choice.name for choice in CHOICES} == set(Preferences.model_fields)


@each_choice
def test_what_nobody_chooses_is_the_documented_default(
    monkeypatch: pytest.MonkeyPatch, choice: Choice
) -> None:
    plan = _plan_with(monkeypatch, choice, {})
    assert (getattr(plan.preferences, choice.name), plan.notices) == (choice.nobodys, ())


@pytest.mark.parametrize("number", range(len(LEVELS)), ids=LEVELS)
@each_choice
def test_each_level_goes_before_those_below_it(
    monkeypatch: pytest.MonkeyPatch, choice: Choice, number: int
) -> None:
    values = {**dict.fromkeys(LEVELS[:number], choice.other), LEVELS[number]: choice.asked}
    plan = _plan_with(monkeypatch, choice, values)
    assert (getattr(plan.preferences, choice.name), plan.notices) == (choice.asked, ())


@pytest.mark.parametrize("operators", LEVELS[:4])
@pytest.mark.parametrize("clients", LEVELS[4:])
@each_choice
def test_a_locked_choice_stops_at_the_operators_with_a_notice(
    monkeypatch: pytest.MonkeyPatch, choice: Choice, clients: str, operators: str
) -> None:
    values = {operators: choice.other, clients: choice.asked}
    plan = _plan_with(monkeypatch, choice, values, locked=[choice.name])
    assert getattr(plan.preferences, choice.name) == choice.other
    (notice,) = plan.notices
    assert notice.field.endswith(f".{choice.name}")
    assert (notice.code, notice.asked, notice.used) == ("unsupported", choice.asked, choice.other)


@each_choice
def test_a_locked_choice_that_no_operator_has_made_stays_the_default(
    monkeypatch: pytest.MonkeyPatch, choice: Choice
) -> None:
    plan = _plan_with(monkeypatch, choice, {LEVELS[4]: choice.asked}, locked=[choice.name])
    assert getattr(plan.preferences, choice.name) is choice.nobodys
    (notice,) = plan.notices
    assert (notice.asked, notice.used) == (choice.asked, None)


@pytest.mark.parametrize("level", LEVELS)
def test_parts_become_images_in_a_stream_whoever_chose_them(
    monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    configure(monkeypatch, {"output": "parts"} if level == "settings" else {})
    levels: dict[str, Any] = {level: {"output": "parts"}} if level in LEVELS[1:4] else {}
    body = {"stream": True, **({"imagegen": {"output": "parts"}} if level == LEVELS[4] else {})}
    headers = {"x-imagegen-output": "parts"} if level == LEVELS[5] else {}
    plan = plan_through_the_proxy(body, headers=headers, **levels)
    assert plan.preferences.output is ChatShape.IMAGES
    (notice,) = plan.notices
    assert (notice.code, notice.field, notice.asked, notice.used) == ("adapted", "output", "parts", "images")
    assert plan_through_the_proxy({**body, "stream": False}, headers=headers, **levels).notices == ()


def test_that_a_stream_has_no_parts_is_no_error_under_the_strict_policy() -> None:
    wishes = {"output": "parts", "policy": "strict"}
    plan = plan_through_the_proxy({"stream": True, "imagegen": wishes})
    assert (plan.preferences.output, len(plan.notices)) == (ChatShape.IMAGES, 1)


def test_the_shape_of_one_endpoint_says_nothing_of_another() -> None:
    shapes = {"output": "parts", "responses": "output_image"}
    for stream in (False, True):
        plan = plan_through_the_proxy({"stream": stream, "imagegen": shapes}, route=Route.RESPONSES)
        assert (plan.preferences.responses, plan.notices) == (ResponseShape.OUTPUT_IMAGE, ())


HELICONE = {"image_generation": {"aspect_ratio": "1:1", "image_size": "1K"}}


def test_who_writes_as_helicones_clients_do_gets_parts_of_the_message_unless_somebody_chose() -> None:
    def shape(body: dict[str, Any], deployment: dict[str, Any] | None = None) -> Any:
        plan = plan_through_the_proxy(body, deployment=deployment, route=Route.RESPONSES)
        return plan.preferences.responses

    assert shape(HELICONE) is ResponseShape.OUTPUT_IMAGE
    assert shape({"extra_body": HELICONE}) is ResponseShape.OUTPUT_IMAGE
    assert shape(HELICONE, {"responses": "items"}) is ResponseShape.ITEMS
    assert shape({**HELICONE, "imagegen": {"responses": "items"}}) is ResponseShape.ITEMS
    assert shape({}, {"defaults": HELICONE}) is ResponseShape.ITEMS


@pytest.mark.parametrize("place", ["imagegen", "extra_body.imagegen", "x-imagegen header"])
@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"policy": "lax"}, ["policy", "'lax'", "strict"]),
        ({"colour": "red"}, ["colour", "unknown", "policy"]),
        ({"timeout": "3"}, ["timeout", "unknown"]),
    ],
)
def test_a_bad_choice_of_the_clients_is_a_400_that_names_it(
    place: str, wish: dict[str, str], words: list[str]
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "imagegen": {"imagegen": wish},
        "extra_body.imagegen": {"extra_body": {"imagegen": wish}},
    }
    body = bodies.get(place, {})
    headers = {} if body else {f"x-imagegen-{name}": value for name, value in wish.items()}
    with pytest.raises(RequestError) as caught:
        plan_through_the_proxy(body, headers=headers)
    assert caught.value.status == 400
    assert all(word in caught.value.message for word in [place, *words])


@pytest.mark.parametrize(
    "wish",
    ["strict", ["policy"], 5, {"policy": "A" * 100_000}, {"B" * 100_000: 1}, {"policy": "word " * 500}],
    ids=["text", "list", "number", "a long value", "a long name", "many words"],
)
def test_odd_choices_of_the_clients_are_a_short_400(wish: Any) -> None:
    with pytest.raises(RequestError) as caught:
        plan_through_the_proxy({"imagegen": wish})
    assert len(caught.value.message) < 700


def test_defaults_of_a_deployment_are_used_until_the_client_says_otherwise() -> None:
    deployment = {"defaults": {"aspect_ratio": "16:9", "image_config": {"image_size": "2K"}}}
    assert plan_through_the_proxy(deployment=deployment).values == {
        Name.ASPECT_RATIO: "16:9",
        Name.IMAGE_SIZE: "2K",
    }
    plan = plan_through_the_proxy({"image_config": {"aspect_ratio": "1:1"}}, deployment=deployment)
    assert plan.values == {Name.ASPECT_RATIO: "1:1", Name.IMAGE_SIZE: "2K"}
    assert plan.notices == ()


def test_the_deadline_is_the_deployments_before_that_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"timeout": 50})
    assert plan_through_the_proxy().deadline_seconds == 50
    assert plan_through_the_proxy(deployment={"timeout": 20}).deadline_seconds == 20


@pytest.mark.parametrize(
    ("model", "split"),
    [
        ("imagegen/gemini/gemini-3-pro-image", ("gemini", "gemini", "gemini-3-pro-image")),
        ("gemini/gemini-3-pro-image", ("gemini", "gemini", "gemini-3-pro-image")),
        ("imagegen/gemini/tunedModels/x", ("gemini", "gemini", "tunedModels/x")),
        ("imagegen/sandbox/gemini-3-pro-image", ("sandbox", "gemini", "gemini-3-pro-image")),
        ("imagegen/sandbox/flux-2-pro", ("sandbox", "bfl", "flux-2-pro")),
        ("imagegen/sandbox/vertex/gemini-3-pro-image", ("sandbox", "vertex", "gemini-3-pro-image")),
    ],
)
def test_a_model_name_is_provider_and_model(model: str, split: tuple[str, str, str]) -> None:
    name, provider, model_id = config.upstream_of(model)
    assert (name, provider.name, model_id) == split


@pytest.mark.parametrize(
    "model", ["imagegen/gemini", "imagegen/", "imagegen/nobody/x", "gemini-3-pro-image", ""]
)
def test_a_model_name_without_a_known_provider_is_a_404_that_names_those_known(model: str) -> None:
    with pytest.raises(UnknownModel, match=r"imagegen/<provider>/<model>.*gemini.*sandbox"):
        config.upstream_of(model)


def test_without_a_key_the_answer_is_a_401_that_names_the_variables() -> None:
    with pytest.raises(AuthenticationFailed, match=r"api_key.*GEMINI_API_KEY or GOOGLE_API_KEY"):
        config.endpoint(UPSTREAM, Access(), WIRE)


def test_the_deployments_key_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def key_sent(api_key: str | None = None) -> str:
        return config.endpoint(UPSTREAM, Access(api_key), WIRE).authentication["x-goog-api-key"]

    monkeypatch.setenv("GOOGLE_API_KEY", "second")
    assert key_sent() == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "")
    assert key_sent() == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "first")
    assert key_sent() == "first"
    assert key_sent("own") == "own"


def test_the_endpoint_is_the_providers_until_the_deployment_names_another() -> None:
    endpoint = config.endpoint(UPSTREAM, Access(KEY), WIRE)
    assert endpoint.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert endpoint.secrets == (KEY,)
    assert KEY not in repr(endpoint)
    assert (
        config.endpoint(UPSTREAM, Access(KEY, "https://own.example/v1"), WIRE).base_url
        == "https://own.example/v1"
    )


def test_the_sandbox_needs_no_key_and_never_takes_one_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    endpoint = config.endpoint(SIMULATED, Access(None, "http://127.0.0.1:9/v1beta"), WIRE)
    assert KEY not in endpoint.authentication.values()


def test_headers_that_frame_or_route_a_call_are_not_sent() -> None:
    headers = {"Host": "evil.example", "Content-Length": "1", "Transfer-Encoding": "chunked", "Cookie": "a=b"}
    endpoint = config.endpoint(UPSTREAM, Access(KEY, headers={**headers, "X-Own": "1"}), WIRE)
    assert endpoint.headers == {"X-Own": "1"}
