"""What a client may say of a call, and what is the operator's to say, wherever in a request it stands.

All upstreams keep what they are sent: the sandbox, which has each provider's wire, and a server of somebody's
that answers what a test has put there.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.proxy.support import NO_TLS, OUR_CALLBACK, Proxy, running_proxy
from tests.proxy.test_adoption import (
    ASKED,
    CHAT,
    EDITS,
    GENERATIONS,
    GIVEN,
    NANO,
    PATHS,
    PROMPT,
    RESPONSES,
    Call,
    Upstream,
    events_of,
    operators_key,
    shown,
)
from tests.proxy.test_fallbacks import Message, running_provider
from tests.proxy.test_jobs import wait_until
from tests.upstream import Upstream as Recording
from tests.upstream import running_upstream

HELPERS = '''
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.custom_prompt_management import CustomPromptManagement
from litellm.proxy._types import UserAPIKeyAuth

class Hook(CustomLogger):
    """Has requests of the model "hooked" called elsewhere."""

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        if data.get("model") == "hooked":
            data["api_base"], data["api_key"] = HOOKS_BASE, "key-of-the-hook"
            data["extra_headers"] = {"x-tenant": "of-the-hook"}
        return data

class Prompts(CustomPromptManagement):
    """Keeps one prompt."""

    def should_run_prompt_management(self, prompt_id, **others):
        return prompt_id is not None

    async def async_get_chat_completion_prompt(self, model, messages, non_default_params, *others, **more):
        return model, [{"role": "user", "content": KEPT}], non_default_params

hook, prompts = Hook(), Prompts()

async def auth(request, api_key):
    """A key's last letter is its team and its user."""
    return UserAPIKeyAuth(api_key=api_key, team_id=f"team-{api_key[-1]}", user_id=f"user-{api_key[-1]}")
'''
GPT = "openai/gpt-image-2"
ENVIRONMENTS_KEY = "key-of-the-environment"
CLIENTS_KEY = "clients-own-key"
FORWARDING = "forward_llm_provider_auth_headers"
KEYS = {"a": "sk-key-of-a", "b": "sk-key-of-b"}
# LiteLLM shows log sinks the keys, and the pictures, of what it answers itself, and none may stand there.
SHORT = "k"
KEPT = "A kept prompt [sandbox: refuse picture]"
FAULTS = {
    "fallbacks": (404, "broken"),
    "context_window_fallbacks": (400, "This model's maximum context length is 9 tokens"),
    "content_policy_fallbacks": (400, "invalid_request_error: content_policy_violation"),
}
# Where the sandbox is as well, and no deployment says so.
ELSEWHERE = "/elsewhere"


class Sandbox(Upstream):
    """Has all once more at `ELSEWHERE`, and tells so."""

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        _, found, path = scope["path"].rpartition(ELSEWHERE)
        came_by = [(b"x-came-by", found.encode())] if found else []
        await super().__call__(
            {**scope, "path": path, "headers": [*scope["headers"], *came_by]}, receive, send
        )


@dataclass(frozen=True)
class Setup:
    """A proxy, the sandbox behind its image models, and the server behind those named "own" and "failing"."""

    proxy: Proxy
    url: str
    sandbox: Upstream
    own: Recording

    def ask(
        self, path: str, model: str, team: str = "a", headers: Mapping[str, str] | None = None, **fields: Any
    ) -> httpx.Response:
        """The answer to a request; `sandbox.calls` and `own.requests` are those it has led to."""
        self.sandbox.calls.clear()
        self.own.requests.clear()
        given: dict[str, Any] = {"prompt": PROMPT}
        if path in (CHAT, RESPONSES):
            given = ASKED if path == CHAT else {"input": PROMPT}
        elif path == EDITS:
            given["images"] = [{"image_url": GIVEN}]
        return httpx.post(
            f"{self.proxy.url}/v1/{path}",
            json={"model": model, **given, **fields},
            headers={"authorization": f"Bearer {KEYS[team]}", **(headers or {})},
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )

    def will_fail(self, field: str = "fallbacks") -> None:
        """Let model "failing" fail so that LiteLLM goes on as `field` says."""
        status, message = FAULTS[field]
        self.own.will_say({"error": {"message": message}}, status)

    def has_meanwhile_called(self, path: str) -> bool:
        """Whether an image model has been called, after the proxy has had the time for it."""
        httpx.get(f"{self.proxy.url}/health/liveliness", timeout=60, trust_env=False, verify=NO_TLS)
        return any(path in call.path for call in self.sandbox.calls)

    @property
    def call(self) -> Call:
        """The only call of an image model."""
        (call,) = self.sandbox.calls
        return call


def deployments(url: str, own: str) -> list[dict[str, Any]]:
    """Each with a key of its own, or with a credential that LiteLLM keeps."""

    def one(name: str, model: str, base: str | None, **more: Any) -> dict[str, Any]:
        info = {"id": f"the {name}", **more.pop("model_info", {})}
        parameters = {"model": model, "api_key": operators_key(name), "api_base": base, **more}
        given = {field: value for field, value in parameters.items() if value is not None}
        return {"model_name": name, "litellm_params": given, "model_info": info}

    stored = {"api_key": None, "litellm_credential_name": "stored"}
    strict = {"imagegen": {"policy": "strict"}}
    text = f"{url}/text/v1"
    return [
        one("nano", NANO, f"{url}/v1beta"),
        one("hooked", NANO, f"{url}/v1beta"),
        one("gpt", GPT, f"{url}/openai/v1"),
        one("stored", GPT, None, **stored),
        one("stored strict", GPT, None, **stored, model_info=strict),
        one("left", NANO, f"{url}/v1beta", api_key=SHORT, model_info={"imagegen": {"adopt": False}}),
        one("prompted", NANO, f"{url}/v1beta", api_key=SHORT, prompt_id="kept"),
        one(
            "routed",
            "openrouter/google/gemini-3-pro-image",
            f"{url}/api/v1",
            extra_body={"provider": {"order": ["x"]}},
        ),
        one("text", "openai/gpt-4o", text, api_key=SHORT),
        one("shadowed", "openai/gpt-4o", text, api_key=SHORT, silent_model="nano"),
        one("failing", "openai/gpt-4o", f"{own}/v1", api_key=SHORT),
        one(
            "own",
            "openai/flux-schnell-local",
            f"{own}/v1",
            api_key=SHORT,
            model_info={"mode": "image_generation"},
        ),
    ]


def credentials(url: str) -> list[dict[str, Any]]:
    """Those that LiteLLM keeps by name."""
    kept = {
        "stored": {"api_key": "key-of-stored", "api_base": f"{url}/openai/v1", "organization": "org-stored"},
        "another": {
            "api_key": "key-of-another",
            "api_base": f"{url}{ELSEWHERE}/openai/v1",
            "organization": "org-another",
        },
    }
    return [
        {"credential_name": name, "credential_values": values, "credential_info": {}}
        for name, values in kept.items()
    ]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Setup, Setup]]:
    """One proxy, and one that lets clients show keys of their own."""
    with running_provider() as provider, running_upstream() as own, ExitStack() as stack:
        provider.app = sandbox = Sandbox()
        base = f"{provider.url}{ELSEWHERE}/v1beta"

        def start(folder: Path, general: dict[str, Any]) -> Setup:
            (folder / "helpers.py").write_text(f"HOOKS_BASE = {base!r}\nKEPT = {KEPT!r}\n{HELPERS}")
            config = {
                "model_list": deployments(provider.url, own.url),
                "credential_list": credentials(provider.url),
                "environment_variables": {"OPENAI_API_KEY": ENVIRONMENTS_KEY},
                "litellm_settings": {"callbacks": ["helpers.hook", "helpers.prompts", OUR_CALLBACK]},
                "general_settings": {"custom_auth": "helpers.auth", **general},
            }
            proxy = stack.enter_context(running_proxy(config, folder))
            return Setup(proxy, provider.url, sandbox, own)

        folders = [tmp_path_factory.mktemp(name) for name in ("limits", "forwarding")]
        with ThreadPoolExecutor() as threads:
            setup, forwarding = threads.map(start, folders, ({}, {FORWARDING: True}))
        yield setup, forwarding


@pytest.fixture
def setup(started: tuple[Setup, Setup]) -> Setup:
    return started[0]


@pytest.fixture
def forwarding(started: tuple[Setup, Setup]) -> Setup:
    return started[1]


def notices(answer: httpx.Response) -> dict[str, str]:
    """What was noticed of each field, by its name."""
    told = answer.headers.get("x-imagegen-notices")
    return dict(part.split("=") for part in told.split("; ")) if told else {}


def message_of(answer: httpx.Response) -> str:
    told: str = answer.json()["error"]["message"]
    return told


# Whose a conversation is.

SECRET = "the secret of team a"
TEAM_A = {"user_api_key_team_id": "team-a", "user_api_key_user_id": "user-a", "user_api_key": KEYS["a"]}
A_REQUEST = {"url": "http://proxy.example/v1/responses", "headers": {}, "body": {"model": "nano"}}
FORGED: list[dict[str, Any]] = [
    {},
    {"litellm_metadata": TEAM_A},
    {"metadata": TEAM_A},
    {"litellm_metadata": TEAM_A, "metadata": TEAM_A, "user": "user-a"},
    {"litellm_metadata": TEAM_A, "proxy_server_request": A_REQUEST},
    {"litellm_metadata": TEAM_A, "proxy_server_request": None},
    {
        "litellm_metadata": {**TEAM_A, "is_silent_experiment": True},
        "metadata": {"is_silent_experiment": True},
    },
]


@pytest.fixture(scope="module")
def goings_on(started: tuple[Setup, Setup]) -> list[dict[str, Any]]:
    """What goes on from a response of team A, and what uses its picture."""
    answer = started[0].ask(RESPONSES, "nano", "a", input=SECRET, stream=True)
    response = events_of(answer)[-1]["response"]
    (item,) = [item["id"] for item in response["output"] if item["type"] == "image_generation_call"]
    mention = [{"role": "user", "content": "More"}, {"type": "image_generation_call", "id": item}]
    return [{"previous_response_id": response["id"]}, {"input": mention}]


@pytest.mark.parametrize("forged", FORGED, ids=[" ".join(forged) or "nothing" for forged in FORGED])
def test_a_fallback_does_not_go_on_from_what_is_another_teams(
    setup: Setup, goings_on: list[dict[str, Any]], forged: dict[str, Any]
) -> None:
    setup.will_fail()
    for going_on in goings_on:
        entry = {"model": "nano", **going_on, **forged}
        for fallbacks in ([entry], [{"failing": [entry]}]):
            refused = setup.ask(RESPONSES, "failing", "b", fallbacks=fallbacks)
            assert not refused.is_success
            (name,) = going_on
            assert f"{'input[1].id' if name == 'input' else name}: " in message_of(refused)
            assert SECRET not in refused.text
            assert setup.sandbox.calls == []
            assert [request.body["input"] for request in setup.own.requests] == [PROMPT]


def test_a_fallback_goes_on_from_what_is_the_teams_own(setup: Setup, goings_on: list[dict[str, Any]]) -> None:
    setup.will_fail()
    for going_on in goings_on:
        answer = setup.ask(RESPONSES, "failing", "a", fallbacks=[{"model": "nano", **going_on}])
        assert answer.status_code == 200, answer.text
        assert len([*shown(answer)]) == 1
        assert b"inlineData" in setup.call.body
        assert (SECRET.encode() in setup.call.body) is ("input" not in going_on)


# What stands in the fallbacks of a client.

CLIENTS: dict[str, Any] = {
    "extra_headers": {"x-clients": "1", "authorization": "clients-authorization"},
    "headers": {"x-clients-too": "1"},
    "api_key": CLIENTS_KEY,
    "organization": "clients-organization",
    "litellm_credential_name": "another",
}


def _as_it_is(field: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {field: [entry]}


def _by_model(field: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {field: [{"failing": [entry]}]}


def _of_a_fallback(field: str, entry: dict[str, Any]) -> dict[str, Any]:
    return _as_it_is(field, {"model": "failing", "n": 1, field: [entry]})


def _of_routers_settings(field: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"router_settings_override": _by_model(field, entry)}


@pytest.mark.parametrize(
    ("path", "model", "field", "form"),
    [
        (CHAT, "nano", "fallbacks", _as_it_is),
        (CHAT, "stored", "fallbacks", _by_model),
        (CHAT, "gpt", "fallbacks", _of_a_fallback),
        (CHAT, "nano", "fallbacks", _of_routers_settings),
        (RESPONSES, "gpt", "fallbacks", _of_routers_settings),
        (GENERATIONS, "gpt", "fallbacks", _as_it_is),
        (GENERATIONS, "stored", "fallbacks", _of_routers_settings),
        (CHAT, "gpt", "context_window_fallbacks", _by_model),
        (RESPONSES, "stored", "context_window_fallbacks", _by_model),
        (CHAT, "stored", "content_policy_fallbacks", _by_model),
        (RESPONSES, "nano", "content_policy_fallbacks", _by_model),
        (CHAT, "nano", "content_policy_fallbacks", _of_routers_settings),
    ],
)
def test_what_fallbacks_of_a_client_name_is_the_clients(
    setup: Setup, path: str, model: str, field: str, form: Callable[..., dict[str, Any]]
) -> None:
    setup.will_fail(field)
    entry = {"model": model, **CLIENTS, "size": "1024x1536", "seed": 7, "imagegen": {"policy": "adapt"}}
    answer = setup.ask(path, "failing", **form(field, entry))
    assert answer.status_code == 200, answer.text
    assert len([*shown(answer)]) == 1
    told = notices(answer)
    assert told.items() >= dict.fromkeys(CLIENTS, "unsupported").items()
    assert ("seed" in told) is (model != "nano")  # a field for the model is heeded, or told of
    _is_called_as_the_operator_says(setup.call, model)


def _is_called_as_the_operator_says(call: Call, model: str, path: str = GENERATIONS) -> None:
    assert "clients" not in repr(call)
    assert "x-came-by" not in call.headers
    if model == "nano":
        assert call.path == "/v1beta/models/gemini-3-pro-image:generateContent"
        assert call.headers["x-goog-api-key"] == operators_key("nano")
        return
    key, organization = (operators_key("gpt"), None) if model == "gpt" else ("key-of-stored", "org-stored")
    assert call.path == f"/openai/v1/images/{'edits' if path == EDITS else 'generations'}"
    assert call.headers["authorization"] == f"Bearer {key}"
    assert call.headers.get("openai-organization") == organization


@pytest.mark.parametrize("name", ["api_base", "base_url"])
@pytest.mark.parametrize("form", [_as_it_is, _by_model, _of_a_fallback, _of_routers_settings])
def test_an_address_in_fallbacks_of_a_client_is_refused_by_litellm(
    setup: Setup, name: str, form: Callable[..., dict[str, Any]]
) -> None:
    setup.will_fail()
    entry = {"model": "nano", name: f"{setup.url}{ELSEWHERE}/v1beta"}
    assert not setup.ask(CHAT, "failing", **form("fallbacks", entry)).is_success
    assert setup.sandbox.calls == []


# Credentials that LiteLLM keeps.


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (GENERATIONS, {"litellm_credential_name": "another"}),
        (CHAT, {"litellm_credential_name": "another"}),
        (RESPONSES, {"litellm_credential_name": "nobodys"}),
        (GENERATIONS, {"litellm_credential_name": None}),
        (CHAT, {"api_key": CLIENTS_KEY}),
        (GENERATIONS, {"api_key": CLIENTS_KEY, "organization": "clients-organization"}),
        (EDITS, {name: value for name, value in CLIENTS.items() if "headers" not in name}),
    ],
)
def test_a_client_does_not_change_whose_credential_is_shown(
    setup: Setup, path: str, fields: dict[str, Any]
) -> None:
    for model in ("stored", "nano"):
        answer = setup.ask(path, model, **fields)
        assert answer.status_code == 200, answer.text
        assert notices(answer) == dict.fromkeys(fields, "unsupported")
        _is_called_as_the_operator_says(setup.call, model, path)
    refused = setup.ask(path, "stored strict", **fields)
    assert refused.status_code == 400
    assert any(f"{name}: '[...]' is not allowed" in message_of(refused) for name in fields)
    assert setup.sandbox.calls == []


# What the operator's own hooks say.


@pytest.mark.parametrize("path", PATHS)
def test_what_a_hook_of_the_operator_sets_is_used(setup: Setup, path: str) -> None:
    answer = setup.ask(path, "hooked")
    assert answer.status_code == 200, answer.text
    assert notices(answer) == {}
    assert len([*shown(answer)]) == 1
    headers = setup.call.headers
    assert headers["x-came-by"] == ELSEWHERE
    assert headers["x-goog-api-key"] == "key-of-the-hook"
    assert headers["x-tenant"] == "of-the-hook"


@pytest.mark.parametrize(
    ("path", "model", "key"),
    [
        (CHAT, "gpt", operators_key("gpt")),
        (RESPONSES, "stored", "key-of-stored"),
        (GENERATIONS, "stored", "key-of-stored"),
        (EDITS, "gpt", operators_key("gpt")),
    ],
)
def test_a_key_in_a_header_is_used_where_litellms_settings_say_so(
    setup: Setup, forwarding: Setup, path: str, model: str, key: str
) -> None:
    in_header = {"x-api-key": CLIENTS_KEY}
    for side, given, used in (
        (forwarding, in_header, CLIENTS_KEY),
        (forwarding, {}, key),
        (setup, in_header, key),
    ):
        answer = side.ask(path, model, headers=given)
        assert answer.status_code == 200, answer.text
        assert notices(answer) == {}
        assert side.call.headers["authorization"] == f"Bearer {used}"


# Who answers.

OURS: dict[str, Any] = {"custom_llm_provider": "imagegen"}


@pytest.mark.parametrize("path", [CHAT, GENERATIONS])
@pytest.mark.parametrize("model", ["left", "text", "own"])
def test_a_client_cannot_have_us_answer_for_what_is_not_ours(setup: Setup, path: str, model: str) -> None:
    refused = setup.ask(path, model, **OURS)
    assert refused.status_code == 400
    assert "custom_llm_provider: 'imagegen' is not allowed" in message_of(refused)
    assert [*setup.sandbox.calls, *setup.own.requests] == []
    setup.will_fail()
    refused = setup.ask(path, "failing", fallbacks=[{"model": model, **OURS}])
    assert not refused.is_success
    assert "custom_llm_provider: 'imagegen' is not allowed" in message_of(refused)
    assert setup.sandbox.calls == []


def test_litellm_takes_no_provider_of_a_client_on_other_routes(setup: Setup) -> None:
    answers = [setup.ask(RESPONSES, "text", **fields) for fields in ({}, OURS)]
    assert [answer.json()["output"] for answer in answers] == [answers[0].json()["output"]] * 2
    assert [call.path for call in setup.sandbox.calls] == ["/text/v1/responses"]


@pytest.mark.parametrize("path", PATHS)
def test_an_adopted_deployment_is_ours_whoever_says_so(setup: Setup, path: str) -> None:
    answer = setup.ask(path, "nano", **OURS)
    assert answer.status_code == 200, answer.text
    assert notices(answer) == {"custom_llm_provider": "unsupported"}
    _is_called_as_the_operator_says(setup.call, "nano")


# What an operator has told LiteLLM to do itself.


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_a_prompt_that_is_kept_elsewhere_is_put_together_by_litellm(setup: Setup, path: str) -> None:
    answer = setup.ask(path, "prompted")
    assert answer.status_code == 200, answer.text
    assert KEPT.encode() in setup.call.body
    assert PROMPT.encode() not in setup.call.body
    assert b"responseModalities" not in setup.call.body  # as LiteLLM sends it


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_the_body_that_an_operator_adds_reaches_the_gateway(setup: Setup, path: str) -> None:
    answer = setup.ask(path, "routed")
    assert answer.status_code == 200, answer.text
    assert notices(answer) == {}
    assert b'"provider":{"order":["x"]}' in setup.call.body


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_a_client_does_not_replace_what_an_operator_adds(setup: Setup, path: str) -> None:
    sent = {"provider": {"only": ["y"]}, "aspect_ratio": "16:9"}
    answer = setup.ask(path, "routed", extra_body=sent)
    assert answer.status_code == 200, answer.text
    assert notices(answer)["extra_body.provider (provider)"] == "unsupported"
    assert b'"provider":{"order":["x"]}' in setup.call.body
    assert b'"16:9"' in setup.call.body


@pytest.mark.parametrize("streamed", [False, True])
def test_what_is_drawn_in_the_shadow_of_a_request_changes_nothing_of_it(setup: Setup, streamed: bool) -> None:
    answers = []
    for model in ("text", "shadowed"):
        answer = setup.ask(CHAT, model, quality="high", stream=streamed)
        assert answer.status_code == 200
        assert "just words" in answer.text
        assert "images" not in answer.text
        answers.append({name for name in answer.headers if name != "x-litellm-response-cost"})
    assert answers[0] == answers[1]
    wait_until(lambda: setup.has_meanwhile_called("models/gemini-3-pro-image:"), "nothing in the shadow")


def test_a_server_of_ones_own_is_called_as_litellm_calls_it(setup: Setup) -> None:
    picture = f"{setup.own.url}/files/1.png"
    setup.own.will_say({"created": 1, "data": [{"url": picture}]})
    answer = setup.ask(GENERATIONS, "own", size="512x512", steps=4, n=1)
    assert answer.status_code == 200, answer.text
    assert notices(answer) == {}
    assert [image["url"] for image in answer.json()["data"]] == [picture]
    (request,) = setup.own.requests
    assert request.path == "/v1/images/generations"
    told = {"model": "flux-schnell-local", "prompt": PROMPT, "size": "512x512", "steps": 4, "n": 1}
    assert request.body == told
