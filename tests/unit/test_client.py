"""Who has sent a request, what of it is theirs, and which credential a deployment shows."""

import sys
from types import SimpleNamespace
from typing import Any

import litellm
import pytest
from litellm.types.utils import CredentialItem

from litellm_imagegen.plugin.client import Client
from litellm_imagegen.plugin.given import CREDENTIAL, Given, Route, credential_of, load_credential

SOMEBODY = SimpleNamespace(
    api_key="hash", team_id="t", user_id="u", metadata={"a": 1}, team_metadata={"b": 2}, spend=3
)
IS_SOMEBODY = {
    "user_api_key": "hash",
    "user_api_key_team_id": "t",
    "user_api_key_user_id": "u",
    "user_api_key_metadata": {"a": 1},
    "user_api_key_team_metadata": {"b": 2},
}
DEEP = {"model": "b", "fallbacks": [{"model": "c", "seed": 1}, [{"b": [{"model": "d", "size": "1x1"}]}]]}


def request(body: Any, **more: Any) -> dict[str, Any]:
    """What LiteLLM's hooks get of a request."""
    return {"proxy_server_request": {"url": "http://proxy.example", "body": body, **more}}


@pytest.mark.parametrize(
    ("body", "more", "elsewhere"),
    [
        ({}, {}, set()),
        (None, {}, set()),
        ({"model": "a", "prompt": "p"}, {}, set()),
        # Key and headers, which LiteLLM takes out of the body that it notes.
        ({"model": "a"}, {"credential_fields": ("api_key", "headers")}, {"api_key", "headers"}),
        ({"model": "a"}, {"credential_fields": None}, set()),
        # Fallbacks are models, or objects, by the model that they are for, or not.
        ({"fallbacks": ["b", "c"]}, {}, set()),
        ({"fallbacks": [{"a": ["b"]}]}, {}, {"a"}),
        ({"fallbacks": [{"model": "b", "api_key": "k"}]}, {}, {"api_key"}),
        ({"fallbacks": [{"a": ["b", {"model": "c", "api_key": "k"}]}]}, {}, {"a", "api_key"}),
        (
            {"context_window_fallbacks": [{"a": [{"model": "b", "headers": {"x": "1"}}]}]},
            {},
            {"a", "headers"},
        ),
        ({"content_policy_fallbacks": [{"model": "b", CREDENTIAL: "c"}]}, {}, {CREDENTIAL}),
        ({"fallbacks": [DEEP]}, {}, {"fallbacks", "seed", "b", "size"}),
        ({"fallbacks": {"model": "b", "seed": 1}}, {}, {"seed"}),
        # Where LiteLLM looks for a key's or a team's.
        ({"router_settings_override": {"fallbacks": [{"model": "b", "seed": 1}]}}, {}, {"seed"}),
        (
            {
                "fallbacks": [{"model": "b", "size": "1x1"}],
                "router_settings_override": {"content_policy_fallbacks": [{"model": "b", "seed": 1}]},
            },
            {},
            {"seed", "size"},
        ),
        # Of any form, as a client may send it.
        ({"fallbacks": "b", "content_policy_fallbacks": None, "context_window_fallbacks": 1}, {}, set()),
        ({"fallbacks": [None, 1, "b", [[]], {1: 2}]}, {}, {"1"}),
        ({"router_settings_override": "fallbacks"}, {}, set()),
        ({"router_settings_override": {"fallbacks": 1}}, {}, set()),
    ],
)
def test_names_of_a_client_are_found_wherever_they_stand(
    body: Any, more: dict[str, Any], elsewhere: set[str]
) -> None:
    for client in (Client.at_door(SOMEBODY, request(body, **more)), Client.by(request(body, **more), {})):
        assert client.elsewhere == elsewhere
        assert client.names == elsewhere | {*(body or {})}


def test_a_client_is_who_the_door_says() -> None:
    forged = {"metadata": {"user_api_key_team_id": "another"}, "user_api_key": "another"}
    sent = request({**forged, "fallbacks": [{"model": "b", **forged}]}) | forged
    assert Client.at_door(SOMEBODY, sent).metadata == IS_SOMEBODY
    assert Client.at_door(None, sent).metadata == dict.fromkeys(IS_SOMEBODY)
    assert Client.by(sent, IS_SOMEBODY).metadata == IS_SOMEBODY
    assert Client.by(sent, None).metadata == Client.by(sent, "text").metadata == {}


def test_what_hooks_change_later_stays_the_operators() -> None:
    arguments = request({"model": "a", "size": "1x1"}, credential_fields=("headers",))
    client = Client.at_door(SOMEBODY, arguments)
    # LiteLLM notes the body anew behind the hooks, and has the arguments of the deployment by then.
    arguments["proxy_server_request"]["body"] = {
        "model": "a",
        "size": "2x2",
        "api_base": "http://hook.example",
    }
    arguments |= {"size": "2x2", "api_base": "http://hook.example", "api_key": "k", "headers": {"x": "1"}}
    assert client.sent(arguments) == {"model": "a", "size": "2x2", "headers": {"x": "1"}}
    given = Given.to_hook({"model": "imagegen/openai/gpt-image-2", **arguments}, Route.GENERATIONS, client)
    assert given.client_body == client.sent(arguments)
    assert given.shown("api_base") == "http://hook.example"
    assert given.shown("api_key") == "k"
    later = Client.by(arguments, {})
    assert {*(later.sent(arguments) or ())} == {"model", "size", "api_base", "headers"}


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        (
            {"seed": 1, "api_key": "of-the-entry", "n": 2},
            {"model": "a", "seed": 1, "api_key": "of-the-entry"},
        ),
        ({"seed": None}, {"model": "a", "seed": None}),  # said all the same
        ({"n": 2}, {"model": "a", "seed": 9}),  # of the body, for the first model
    ],
)
def test_a_fallback_says_the_clients_fields_anew(arguments: dict[str, Any], sent: dict[str, Any]) -> None:
    fallbacks = [{"model": "b", "seed": 1, "api_key": "of-the-entry"}]
    client = Client.at_door(SOMEBODY, request({"model": "a", "seed": 9, "fallbacks": fallbacks}))
    assert client.sent({"model": "gemini/gemini-3-pro-image", **arguments}) == {
        **sent,
        "fallbacks": fallbacks,
    }


@pytest.mark.parametrize("noted", [{}, {"proxy_server_request": None}, {"proxy_server_request": "text"}])
def test_without_a_proxy_nobody_has_sent_a_body(noted: dict[str, Any]) -> None:
    for client in (Client.by(noted, {}), Client.at_door(SOMEBODY, noted)):
        assert client.sent({"api_key": "k"}) is None
        assert client.names == client.elsewhere == frozenset()


@pytest.mark.parametrize("body", [None, [], ["model"], "text", 1])
def test_a_body_that_is_no_object_has_no_fields(body: Any) -> None:
    client = Client.by(request(body), {})
    assert client.names == frozenset()
    assert client.sent({"api_key": "k"}) == {}


@pytest.fixture
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[str, Any] = {"api_key": "k-{}", "api_base": "http://{}.example", "organization": "o-{}"}
    kept = [
        CredentialItem(
            credential_name=name,
            credential_values={field: value.format(name) for field, value in values.items()},
            credential_info={},
        )
        for name in ("own", "another")
    ]
    monkeypatch.setattr(litellm, "credential_list", kept)


OWN = {"api_key": "k-own", "api_base": "http://own.example", "organization": "o-own"}


@pytest.mark.usefixtures("_kept")
def test_a_credential_is_found_by_the_name_that_a_deployment_has() -> None:
    assert credential_of({CREDENTIAL: "own"}) == OWN
    for nobodys in ({}, {CREDENTIAL: None}, {CREDENTIAL: ""}, {CREDENTIAL: "nobodys"}, {CREDENTIAL: 1}):
        assert credential_of(nobodys) == {}


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize(
    ("body", "arguments", "loaded"),
    [
        ({}, {CREDENTIAL: "own"}, OWN),
        # What the deployment itself says goes before.
        ({}, {CREDENTIAL: "own", "api_key": "k"}, {**OWN, "api_key": "k"}),
        ({}, {CREDENTIAL: "own", "api_key": None}, {**OWN, "api_key": None}),
        ({}, {CREDENTIAL: "nobodys"}, {}),
        ({}, {}, {}),
        # LiteLLM has put what a client says in the place of the deployment's, of which nothing is known here.
        ({CREDENTIAL: "another"}, {CREDENTIAL: "another"}, {}),
        ({"fallbacks": [{"model": "b", CREDENTIAL: "another"}]}, {CREDENTIAL: "another"}, {}),
    ],
)
def test_a_credential_of_the_deployment_is_loaded_and_none_of_a_client(
    body: dict[str, Any], arguments: dict[str, Any], loaded: dict[str, Any]
) -> None:
    arguments = {"model": "imagegen/openai/gpt-image-2", **request(body), **arguments}
    before = dict(arguments)
    given = Given.to_hook(arguments, Route.GENERATIONS, Client.at_door(SOMEBODY, arguments))
    load_credential(arguments, given)
    assert arguments == {**loaded, **before}


@pytest.mark.usefixtures("_kept")
def test_behind_a_key_of_a_client_stands_the_deployments_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"model": "openai/gpt-image-2", CREDENTIAL: "own", "organization": "o-deployment"}
    deployment = SimpleNamespace(
        litellm_params=SimpleNamespace(model_dump=lambda exclude_none: parameters if exclude_none else {})
    )
    found = {"the deployment": deployment}
    router = SimpleNamespace(get_deployment=found.get)
    proxy = SimpleNamespace(llm_router=router, general_settings={})
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", proxy)
    sent = {"api_key": "clients", "organization": "clients", CREDENTIAL: "another"}
    for info in ({"id": "the deployment"}, {"id": "made of a key", "original_model_id": "the deployment"}):
        arguments = {"model": "imagegen/openai/gpt-image-2", **request(sent), **sent, "model_info": info}
        given = Given.to_hook(arguments, Route.GENERATIONS, Client.at_door(SOMEBODY, arguments))
        load_credential(arguments, given)
        assert given.shown(CREDENTIAL) == "own"
        shown = {name: given.shown(name) for name in OWN}
        assert shown == {**OWN, "organization": "o-deployment"}
    proxy.general_settings["forward_llm_provider_auth_headers"] = True
    assert given.shown("api_key") == "clients"
    assert given.shown("organization") == "o-deployment"
