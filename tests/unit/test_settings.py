from typing import Any

import litellm
import pytest

from litellm_imagegen.canonical import Limits, Name, OnNoImage, Policy
from litellm_imagegen.errors import AuthenticationFailed, ConfigurationError, RequestError, UnknownModel
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.plugin.requests import Given, Route, make_plan
from tests.unit.helpers import GEMINI, HELLO, KEY, PRO


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config._Registered, "settings", None)
    monkeypatch.setattr(litellm, "imagegen_settings", None, raising=False)
    for variable in GEMINI.key_variables:
        monkeypatch.delenv(variable, raising=False)


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
) -> Plan:
    """What the deployment hook makes of a request, given as LiteLLM's proxy gives it."""
    sent = {"messages": HELLO, **(body or {})}
    arguments = {
        **sent,
        "model": model,
        "model_info": {"id": "x", **({"imagegen": deployment} if deployment else {})},
        "metadata": {
            "user_api_key_metadata": {"imagegen": key} if key else {},
            "user_api_key_team_metadata": {"imagegen": team} if team else {},
        },
        "proxy_server_request": {"body": {"model": "public", **sent}, "headers": headers or {}},
    }
    return make_plan(Given.to_hook(arguments, Route.CHAT))


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
        ({"output": "video"}, ["imagegen_settings.output", "'video'", "images"]),
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


def _plan_with(monkeypatch: pytest.MonkeyPatch, choices: dict[str, str]) -> Plan:
    configure(monkeypatch, {"on_no_image": choices["settings"]} if "settings" in choices else {})
    levels: dict[str, Any] = {
        level: {"on_no_image": choices[level]} for level in ("deployment", "team", "key") if level in choices
    }
    body = {"imagegen": {"on_no_image": choices[LEVELS[4]]}} if LEVELS[4] in choices else {}
    headers = {"X-Imagegen-On-No-Image": choices[LEVELS[5]]} if LEVELS[5] in choices else {}
    return plan_through_the_proxy(body, headers=headers, **levels)


@pytest.mark.parametrize("number", range(len(LEVELS)), ids=LEVELS)
def test_each_level_goes_before_those_below_it(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    choices = {**dict.fromkeys(LEVELS[:number], "retry"), LEVELS[number]: "error"}
    plan = _plan_with(monkeypatch, choices)
    assert (plan.preferences.on_no_image, plan.notices) == (OnNoImage.ERROR, ())


@pytest.mark.parametrize("level", LEVELS[4:])
def test_a_locked_choice_stops_at_the_operators_with_a_notice(
    monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    configure(monkeypatch, {"locked": ["on_no_image"]})
    wish = {"on_no_image": "error"}
    in_body = level == LEVELS[4]
    plan = plan_through_the_proxy(
        {"imagegen": wish} if in_body else {},
        headers={} if in_body else {"x-imagegen-on-no-image": "error"},
        key={"on_no_image": "retry"},
    )
    assert plan.preferences.on_no_image is OnNoImage.RETRY
    (notice,) = plan.notices
    assert notice.field.endswith("on_no_image")
    assert (notice.code, notice.asked, notice.used) == ("unsupported", "error", "retry")


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
        ("imagegen/gemini/gemini-3-pro-image", ("gemini", "gemini-3-pro-image")),
        ("gemini/gemini-3-pro-image", ("gemini", "gemini-3-pro-image")),
        ("imagegen/sandbox/gemini-3-pro-image", ("sandbox", "gemini-3-pro-image")),
        ("imagegen/gemini/tunedModels/x", ("gemini", "tunedModels/x")),
    ],
)
def test_a_model_name_is_provider_and_model(model: str, split: tuple[str, str]) -> None:
    assert config.split_model(model) == split


@pytest.mark.parametrize(
    "model", ["imagegen/gemini", "imagegen/", "imagegen/nobody/x", "gemini-3-pro-image", ""]
)
def test_a_model_name_without_a_known_provider_is_a_404_that_names_those_known(model: str) -> None:
    with pytest.raises(UnknownModel, match=r"imagegen/<provider>/<model>.*gemini.*sandbox"):
        config.split_model(model)


def test_without_a_key_the_answer_is_a_401_that_names_the_variables() -> None:
    with pytest.raises(AuthenticationFailed, match=r"api_key.*GEMINI_API_KEY or GOOGLE_API_KEY"):
        config.endpoint("gemini", GEMINI, Access())


def test_the_deployments_key_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def key_sent(api_key: str | None = None) -> str:
        return config.endpoint("gemini", GEMINI, Access(api_key)).authentication["x-goog-api-key"]

    monkeypatch.setenv("GOOGLE_API_KEY", "second")
    assert key_sent() == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "")
    assert key_sent() == "second"
    monkeypatch.setenv("GEMINI_API_KEY", "first")
    assert key_sent() == "first"
    assert key_sent("own") == "own"


def test_the_endpoint_is_the_providers_until_the_deployment_names_another() -> None:
    endpoint = config.endpoint("gemini", GEMINI, Access(KEY))
    assert endpoint.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert endpoint.secrets == (KEY,)
    assert KEY not in repr(endpoint)
    assert (
        config.endpoint("gemini", GEMINI, Access(KEY, "https://own.example/v1")).base_url
        == "https://own.example/v1"
    )


def test_the_sandbox_needs_no_key_and_never_takes_one_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    endpoint = config.endpoint("sandbox", GEMINI, Access(None, "http://127.0.0.1:9/v1beta"))
    assert KEY not in endpoint.authentication.values()


def test_headers_that_frame_or_route_a_call_are_not_sent() -> None:
    headers = {"Host": "evil.example", "Content-Length": "1", "Transfer-Encoding": "chunked", "Cookie": "a=b"}
    endpoint = config.endpoint("gemini", GEMINI, Access(KEY, headers={**headers, "X-Own": "1"}))
    assert endpoint.headers == {"X-Own": "1"}
