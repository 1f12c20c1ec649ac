"""Which of LiteLLM's own deployments are answered here, as which model, and which are left alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import litellm
import pytest
from litellm.llms.vertex_ai.vertex_llm_base import VertexBase
from litellm.types.utils import CredentialItem

from litellm_imagegen.errors import ConfigurationError
from litellm_imagegen.plugin import adoption, config
from litellm_imagegen.plugin.adoption import adopted
from litellm_imagegen.plugin.given import Given, Route, client_of
from litellm_imagegen.plugin.records import Adopted

PATHS = {
    Route.CHAT: "/v1/chat/completions",
    Route.RESPONSES: "/v1/responses",
    Route.GENERATIONS: "/v1/images/generations",
    Route.EDITS: "/v1/images/edits",
}
DRAWS = {"mode": "image_generation"}
GIVES_PICTURES = {"supported_output_modalities": ["text", "image"]}
AZURES_V1 = "https://painter.openai.azure.com/openai/v1/"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "imagegen_settings", None, raising=False)
    monkeypatch.setattr(config._Registered, "settings", None)


def set_settings(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    monkeypatch.setattr(litellm, "imagegen_settings", settings, raising=False)


def found(
    model: str, model_info: Mapping[str, Any] | None = None, *, asks: bool = True, **parameters: Any
) -> str | None:
    """What a deployment is here."""
    answer = adopted({"model": model, **parameters}, model_info or {}, asks_for_picture=asks)
    return None if answer is None else answer.model


@pytest.fixture(autouse=True)
def _key_of_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_API_KEY", "k")


# LiteLLM's model, what it is here, LiteLLM's names of its provider and of the model.
ADOPTED = [
    ("gemini/gemini-3-pro-image", "gemini/gemini-3-pro-image", "gemini", "gemini-3-pro-image"),
    (
        "gemini/gemini-3-pro-image-preview",
        "gemini/gemini-3-pro-image-preview",
        "gemini",
        "gemini-3-pro-image-preview",
    ),
    (
        "gemini/gemini-2.5-flash-image-preview",
        "gemini/gemini-2.5-flash-image-preview",
        "gemini",
        "gemini-2.5-flash-image-preview",
    ),
    # No row of ours: LiteLLM's map says that it draws.
    (
        "gemini/gemini-2.0-flash-exp-image-generation",
        "gemini/gemini-2.0-flash-exp-image-generation",
        "gemini",
        "gemini-2.0-flash-exp-image-generation",
    ),
    ("vertex_ai/gemini-3-pro-image", "vertex/gemini-3-pro-image", "vertex_ai", "gemini-3-pro-image"),
    (
        "vertex_ai_beta/gemini-3-pro-image",
        "vertex/gemini-3-pro-image",
        "vertex_ai_beta",
        "gemini-3-pro-image",
    ),
    ("openai/gpt-image-2", "openai/gpt-image-2", "openai", "gpt-image-2"),
    ("openai/chatgpt-image-latest", "openai/chatgpt-image-latest", "openai", "chatgpt-image-latest"),
    ("gpt-image-2", "openai/gpt-image-2", "openai", "gpt-image-2"),
    ("gemini-3-pro-image", "vertex/gemini-3-pro-image", "vertex_ai", "gemini-3-pro-image"),
    ("azure/gpt-image-2", "azure/gpt-image-2", "azure", "gpt-image-2"),
    ("black_forest_labs/flux-2-pro", "bfl/flux-2-pro", "black_forest_labs", "flux-2-pro"),
    ("black_forest_labs/flux-kontext-pro", "bfl/flux-kontext-pro", "black_forest_labs", "flux-kontext-pro"),
    (
        "openrouter/google/gemini-3-pro-image",
        "openrouter/google/gemini-3-pro-image",
        "openrouter",
        "google/gemini-3-pro-image",
    ),
    (
        "openrouter/black-forest-labs/flux.2-pro",
        "openrouter/black-forest-labs/flux.2-pro",
        "openrouter",
        "black-forest-labs/flux.2-pro",
    ),
    (
        "vercel_ai_gateway/google/gemini-3-pro-image",
        "vercel/google/gemini-3-pro-image",
        "vercel_ai_gateway",
        "google/gemini-3-pro-image",
    ),
    ("vercel_ai_gateway/bfl/flux-2-pro", "vercel/bfl/flux-2-pro", "vercel_ai_gateway", "bfl/flux-2-pro"),
    ("helicone/gemini-3-pro-image", "helicone/gemini-3-pro-image", "helicone", "gemini-3-pro-image"),
    *(
        (model, f"litellm/{model}", *model.split("/", 1))
        for model in (
            "recraft/recraftv3",
            "stability/sd3.5-large",
            "stability/inpaint",
            "fal_ai/fal-ai/flux-pro/v1.1",
            "fal_ai/fal-ai/nano-banana",
            "xai/grok-imagine-image",
            "aiml/flux-pro",
            "runwayml/gen4_image",
            "dashscope/qwen-image-2.0",
            "azure_ai/FLUX-1.1-pro",
            "nscale/black-forest-labs/FLUX.1-schnell",
            "bedrock/amazon.nova-canvas-v1:0",
            "bedrock/stability.sd3-5-large-v1:0",
            "bedrock/us.stability.stable-image-control-sketch-v1:0",
        )
    ),
]


@pytest.mark.parametrize(("model", "ours", "provider", "model_id"), ADOPTED, ids=[row[0] for row in ADOPTED])
def test_an_image_model_of_litellms_own_is_adopted(
    model: str, ours: str, provider: str, model_id: str
) -> None:
    if ours.startswith("litellm/") and not {model, model_id} & litellm.model_cost.keys():
        pytest.skip("this LiteLLM does not know it yet")
    for asks in (True, False):
        answer = adopted({"model": model, "api_key": "k"}, {}, asks_for_picture=asks)
        assert answer is not None
        assert (answer.model, answer.provider, answer.model_id) == (f"imagegen/{ours}", provider, model_id)


TEXT_MODELS = [
    "gemini/gemini-2.5-flash",
    "gemini/gemini-3-pro",
    "openai/gpt-4o",
    "gpt-4o",
    "anthropic/claude-sonnet-4-5",
    "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0",
    "bedrock/amazon.nova-pro-v1:0",
    "vertex_ai/claude-sonnet-4-5",
    "vertex_ai/gemini-2.5-flash",
    "openrouter/openai/gpt-4o",
    "openrouter/google/gemini-2.5-flash",
    "openrouter/auto",
    "vercel_ai_gateway/openai/gpt-4o",
    "vercel_ai_gateway/anthropic/claude-sonnet-4.5",
    "vercel_ai_gateway/openai/text-embedding-3-large",
    "helicone/gpt-4o",
    "azure/gpt-4o",
    "azure/my-deployment",
    "xai/grok-4",
    "databricks/databricks-claude-3-7-sonnet",
]
OTHERS_THAT_ARE_LEFT = [
    # LiteLLM's map says that these give pictures too: where a tool makes them, or elsewhere than on chat.
    "azure/gpt-5.1",
    "databricks/databricks-gemini-3-pro-image",
    # Retired ones: what LiteLLM makes of them is as good as anything.
    "openai/dall-e-3",
    "dall-e-3",
    "azure/dall-e-3",
    "openai/gpt-image-1",
    # Unknown here and in LiteLLM's map.
    "gemini/gemini-9-image",
    "openai/gpt-image-9",
    "openrouter/somebody/something",
    "black_forest_labs/something",
    "recraft/recraftv9",
    "volcengine/doubao-seedream-4-5-251128",
    # Neither text nor pictures.
    "gemini/veo-3.0-generate-preview",
    "gemini/gemini-embedding-001",
    "runwayml/gen4_turbo",
    # Nobody's, or no model.
    "*",
    "gemini/*",
    "",
    "gemini/",
    "my-own/model",
    "imagegen/gemini/gemini-3-pro-image",
]


@pytest.mark.parametrize("model", [*TEXT_MODELS, *OTHERS_THAT_ARE_LEFT])
def test_anything_else_is_left_alone_even_where_a_picture_is_asked_for(model: str) -> None:
    assert found(model) is None
    assert found(model, asks=False) is None


@pytest.mark.parametrize(
    ("model", "ours", "parameters"),
    [
        ("openai/gpt-5", "openai/gpt-5", {}),
        ("gpt-5.1", None, {}),  # LiteLLM looks up whose it is
        ("openai/gpt-5.1", "openai/gpt-5.1", {}),
        ("openai/gpt-5-codex", "openai/gpt-5-codex", {}),
        ("azure/gpt-5", "openai/gpt-5", {"api_base": AZURES_V1, "api_key": "k"}),
        ("vercel_ai_gateway/openai/gpt-5", "vercel/openai/gpt-5", {}),
    ],
)
def test_gpt_5_is_adopted_only_where_a_picture_is_asked_for(
    model: str, ours: str | None, parameters: dict[str, Any]
) -> None:
    assert found(model, **parameters) == (ours and f"imagegen/{ours}")
    assert found(model, asks=False, **parameters) is None


@pytest.mark.parametrize(
    ("model", "parameters", "ours"),
    [
        # Who is meant may stand beside the model.
        ("gpt-image-2", {"custom_llm_provider": "openai"}, "openai/gpt-image-2"),
        ("openai/gpt-image-2", {"custom_llm_provider": "openai"}, "openai/gpt-image-2"),
        ("gpt-image-2", {"custom_llm_provider": "azure"}, "azure/gpt-image-2"),
        ("gemini-3-pro-image", {"custom_llm_provider": "gemini"}, "gemini/gemini-3-pro-image"),
        (
            "google/gemini-3-pro-image",
            {"custom_llm_provider": "openrouter"},
            "openrouter/google/gemini-3-pro-image",
        ),
        ("gpt-4o", {"custom_llm_provider": "openai"}, None),
        ("gemini-3-pro-image", {"custom_llm_provider": "imagegen"}, None),
        # Gateways that are configured as a server that speaks OpenAI's language.
        (
            "openai/google/gemini-3-pro-image",
            {"api_base": "https://openrouter.ai/api/v1"},
            "openrouter/google/gemini-3-pro-image",
        ),
        (
            "openai/google/gemini-3-pro-image",
            {"base_url": "https://openrouter.ai:443/api/v1/"},
            "openrouter/google/gemini-3-pro-image",
        ),
        (
            "openai/google/gemini-3-pro-image",
            {"api_base": "https://ai-gateway.vercel.sh/v1"},
            "vercel/google/gemini-3-pro-image",
        ),
        (
            "openai/gemini-3-pro-image",
            {"api_base": "https://ai-gateway.helicone.ai/v1"},
            "helicone/gemini-3-pro-image",
        ),
        (
            "openai/gemini-3-pro-image-preview-2k",
            {"api_base": "https://api.nexara.net/v1"},
            "aione/gemini-3-pro-image-preview-2k",
        ),
        ("openai/openai/gpt-4o", {"api_base": "https://openrouter.ai/api/v1"}, None),
        ("openai/google/gemini-3-pro-image", {"api_base": "https://openrouter.ai.example/api/v1"}, None),
        ("openai/google/gemini-3-pro-image", {"api_base": "https://gateway.example/v1"}, None),
        ("openai/gpt-image-2", {"api_base": "https://gateway.example/v1"}, "openai/gpt-image-2"),
        # Azure, in OpenAI's own form, and without a key.
        ("azure/gpt-image-2", {"api_base": AZURES_V1, "api_key": "k"}, "openai/gpt-image-2"),
        ("azure/gpt-image-2", {"tenant_id": "t", "api_key": "k"}, "azure/gpt-image-2"),
        ("azure/gpt-image-2", {"azure_ad_token": "t"}, "azure/gpt-image-2"),
    ],
)
def test_parameters_tell_who_is_meant(model: str, parameters: dict[str, Any], ours: str | None) -> None:
    assert found(model, **parameters) == (ours and f"imagegen/{ours}")


@pytest.mark.parametrize(
    ("parameters", "ours"),
    [
        ({"tenant_id": "t", "client_secret": "s"}, "litellm/azure/gpt-image-2"),
        ({"tenant_id": "t", "api_base": AZURES_V1}, "litellm/azure/gpt-image-2"),
        ({"api_key": "k"}, "azure/gpt-image-2"),
        # Who else LiteLLM finds in the environment, and a token, which it shows in the body of such a call.
        ({}, None),
        ({"azure_ad_token": "t"}, None),
        ({"azure_ad_token": "t", "tenant_id": "t"}, None),
        ({"api_base": AZURES_V1}, None),
    ],
)
def test_azure_without_a_key_is_called_by_litellm(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any], ours: str | None
) -> None:
    monkeypatch.delenv("AZURE_API_KEY")
    assert found("azure/gpt-image-2", **parameters) == (ours and f"imagegen/{ours}")


def test_a_credential_that_litellm_keeps_tells_too_and_that_of_a_client_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AZURE_API_KEY")
    kept = [
        CredentialItem(credential_name=name, credential_values=values, credential_info={})
        for name, values in {"key": {"api_key": "k"}, "v1": {"api_key": "k", "api_base": AZURES_V1}}.items()
    ]
    monkeypatch.setattr(litellm, "credential_list", kept)
    for name, ours in (("key", "azure"), ("v1", "openai"), ("another", None)):
        named = {"model": "azure/gpt-image-2", "litellm_credential_name": name}
        answer = adopt(call(Route.GENERATIONS, **named), Route.GENERATIONS)
        assert (answer and answer.model) == (ours and f"imagegen/{ours}/gpt-image-2")
        by_client = call(Route.GENERATIONS, **named)
        by_client["proxy_server_request"]["body"]["litellm_credential_name"] = name
        assert adopt(by_client, Route.GENERATIONS) is None


@pytest.mark.parametrize(
    ("model", "model_info", "ours"),
    [
        ("azure/my-deployment", {"base_model": "azure/gpt-image-2"}, "azure/my-deployment"),
        ("azure/my-deployment", {"base_model": "gpt-image-2"}, "azure/my-deployment"),
        ("azure/my-deployment", {"base_model": "azure/gpt-4o"}, None),
        ("azure/my-deployment", {"base_model": "azure/gpt-5.1"}, None),
        ("azure/my-deployment", {"base_model": "azure/dall-e-3"}, None),
        ("azure/my-deployment", {"mode": "chat"}, None),
        ("azure/my-deployment", DRAWS, "azure/my-deployment"),
        ("azure/my-deployment", {**DRAWS, "base_model": "azure/gpt-image-9"}, "azure/my-deployment"),
        ("azure/my-deployment", {**DRAWS, "base_model": "azure/dall-e-3"}, None),
        ("azure/my-deployment", {**DRAWS, "base_model": "azure/gpt-4o"}, None),
        # A server of somebody's that speaks OpenAI's language, and one of OpenAI's that we do not know.
        ("openai/flux-schnell", {"mode": "image_edit"}, None),
        ("openai/flux-schnell", GIVES_PICTURES, None),
        ("openai/flux-schnell", {"output_modalities": ["image"]}, None),
        ("openai/flux-schnell", {**DRAWS, "base_model": "gpt-image-2"}, "openai/flux-schnell"),
        ("openai/gpt-image-9", DRAWS, "openai/gpt-image-9"),
        # It is common to say so of any: what is gone is as good as it was.
        ("openai/dall-e-3", DRAWS, None),
        ("openai/gpt-image-2", DRAWS, "openai/gpt-image-2"),
        ("gemini/gemini-9-ultra", GIVES_PICTURES, "gemini/gemini-9-ultra"),
        ("gemini/gemini-9-ultra", {"supported_output_modalities": ["text"]}, None),
        ("gemini/gemini-3-pro-image", {"mode": "chat"}, "gemini/gemini-3-pro-image"),
        ("openrouter/somebody/something", DRAWS, "openrouter/somebody/something"),
        ("recraft/recraftv9", DRAWS, "litellm/recraft/recraftv9"),
        ("hosted_vllm/my-model", DRAWS, "litellm/hosted_vllm/my-model"),
        # LiteLLM draws no pictures with these: it can say so itself.
        ("anthropic/claude-sonnet-4-5", DRAWS, None),
        ("replicate/somebody/something", DRAWS, None),
        # A picture of something in the model's info is no promise of a provider of LiteLLM's.
        ("databricks/databricks-gemini-3-pro-image", GIVES_PICTURES, None),
    ],
)
def test_model_info_tells_what_a_name_does_not(
    model: str, model_info: dict[str, Any], ours: str | None
) -> None:
    assert found(model, model_info) == (ours and f"imagegen/{ours}")


GEMINI = "gemini/gemini-3-pro-image"
ADOPT = [
    (True, True),
    (False, False),
    (["gemini/*"], True),
    (["openai/*", GEMINI], True),
    (["gpt*"], False),
    ([], False),
]


@pytest.mark.parametrize(("setting", "is_adopted"), ADOPT)
def test_adopt_of_whoever_is_nearest_counts(
    monkeypatch: pytest.MonkeyPatch, setting: Any, is_adopted: bool
) -> None:
    ours = f"imagegen/{GEMINI}" if is_adopted else None
    set_settings(monkeypatch, adopt=setting)
    assert found(GEMINI) == ours
    set_settings(monkeypatch, adopt=not is_adopted)
    assert found(GEMINI, {"imagegen": {"adopt": setting}}) == ours
    against = {"imagegen": {"adopt": not is_adopted}}
    for place in ("user_api_key_metadata", "user_api_key_team_metadata"):
        arguments = call(Route.CHAT, model=GEMINI, model_info=against)
        arguments["metadata"] = {place: {"imagegen": {"adopt": setting}}}
        answer = adopt(arguments, Route.CHAT)
        assert (answer and answer.model) == ours
        assert arguments["model"] == (ours or GEMINI)
    arguments["metadata"] = {
        "user_api_key_metadata": {"imagegen": {"adopt": setting}},
        "user_api_key_team_metadata": {"imagegen": {"adopt": not is_adopted}},
    }
    assert (adopt(call(Route.CHAT, **{**arguments, "model": GEMINI}), Route.CHAT) is not None) is is_adopted


def test_a_bridged_model_is_left_where_the_operator_says_so() -> None:
    assert found("recraft/recraftv3", {"imagegen": {"adopt": ["gemini/*"]}}) is None
    assert (
        found("recraft/recraftv3", {"imagegen": {"adopt": ["recraft/*"]}})
        == "imagegen/litellm/recraft/recraftv3"
    )


@pytest.mark.parametrize(
    ("model", "ours"),
    [
        ("gemini/gemini-9-ultra", "gemini/gemini-9-ultra"),
        ("openrouter/somebody/something", "openrouter/somebody/something"),
        ("openai/dall-e-3", "openai/dall-e-3"),
        ("anthropic/claude-sonnet-4-5", None),
    ],
)
def test_a_deployment_that_insists_is_adopted_where_it_can_be(model: str, ours: str | None) -> None:
    assert found(model, {"imagegen": {"adopt": True}}) == (ours and f"imagegen/{ours}")
    assert found(model, {"imagegen": {"adopt": ["*"]}}) is None, "a pattern chooses among those that draw"


def test_a_row_of_the_operators_makes_a_model_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("gemini/my-own") is None
    set_settings(monkeypatch, models={"gemini/my-own": {"like": "gemini-3-pro-image"}})
    assert found("gemini/my-own") == "imagegen/gemini/my-own"


@pytest.mark.parametrize(
    "settings", [{"polcy": "strict"}, {"adopt": {"no": 1}}, {"models": {"gemini/x": {"like": "nothing"}}}]
)
def test_wrong_settings_are_told_of_image_models_alone(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    set_settings(monkeypatch, **settings)
    for model in TEXT_MODELS:
        assert found(model) is None, model
    assert found("openai/gpt-5", asks=False) is None
    for model in (GEMINI, "openai/gpt-image-2", "openai/gpt-5", "recraft/recraftv3"):
        with pytest.raises(ConfigurationError, match=next(iter(settings))):
            found(model)


def test_wrong_settings_of_a_deployment_are_told_where_it_draws() -> None:
    wrong = {"imagegen": {"polcy": "strict"}}
    assert found("openai/gpt-4o", wrong) is None
    with pytest.raises(ConfigurationError, match=r"model_info\.imagegen\.polcy"):
        found(GEMINI, wrong)


def adopt(arguments: dict[str, Any], route: Route) -> Adopted | None:
    return adoption.adopt(arguments, route, client_of(arguments, route))


def call(route: Route, path: str | None = None, /, **arguments: Any) -> dict[str, Any]:
    """What LiteLLM's deployment hook gets of a proxy's request."""
    body = {"model": "an-alias", "prompt": "A red fox"}
    url = f"http://proxy.example{path or PATHS[route]}"
    return {"proxy_server_request": {"url": url, "body": body}, "prompt": "A red fox", **arguments}


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/an-alias:generateContent",
        "/v1/messages",
        "/v1/completions",
        "/gemini/v1beta/models/an-alias:generateContent",
        "/v1/embeddings",
        "/v1/images/variations",
        "",
    ],
)
def test_what_is_called_on_the_way_of_another_route_is_left(route: Route, path: str) -> None:
    arguments = call(route, path or "/", model=GEMINI)
    assert adopt(arguments, route) is None
    assert arguments == call(route, path or "/", model=GEMINI)
    without = {"model": GEMINI, "messages": []}
    assert adopt(without, route) is None
    assert without == {"model": GEMINI, "messages": []}


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("prefix", ["", "/v1", "/proxy/v1", "/openai/v1"])
def test_a_served_route_is_known_by_its_end(route: Route, prefix: str) -> None:
    path = f"{prefix}{PATHS[route].removeprefix('/v1')}"
    arguments = call(route, f"{path}/?a=b", model=GEMINI)
    answer = adopt(arguments, route)
    assert answer is not None
    assert answer.model == f"imagegen/{GEMINI}"
    assert arguments == call(route, f"{path}/?a=b", model=answer.model)


@pytest.mark.parametrize(
    ("parameters", "of_litellm", "environment", "location"),
    [
        ({}, None, {}, "us-central1"),
        (
            {"vertex_location": "europe-west4"},
            "asia-east1",
            {"VERTEXAI_LOCATION": "us-east1"},
            "europe-west4",
        ),
        ({"vertex_ai_location": "global"}, "asia-east1", {}, "global"),
        ({}, "asia-east1", {"VERTEXAI_LOCATION": "us-east1"}, "asia-east1"),
        ({}, None, {"VERTEXAI_LOCATION": "us-east1", "VERTEX_LOCATION": "us-west1"}, "us-east1"),
        ({}, None, {"VERTEX_LOCATION": "us-west1"}, "us-west1"),
    ],
)
def test_a_model_of_vertex_stays_in_the_region_that_litellm_calls_it_in(
    monkeypatch: pytest.MonkeyPatch,
    parameters: dict[str, str],
    of_litellm: str | None,
    environment: dict[str, str],
    location: str,
) -> None:
    monkeypatch.setattr(litellm, "vertex_location", of_litellm)
    for name in ("VERTEXAI_LOCATION", "VERTEX_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    model = "vertex_ai/gemini-3-pro-image"
    by_clients = ({"vertex_location": "mars-north1"}, {"vertex_location": "us-central1"})
    for sent in ({}, *(() if parameters else by_clients)):
        arguments = call(Route.CHAT, model=model, **parameters, **sent)
        arguments["proxy_server_request"]["body"] |= sent
        answer = adopt(arguments, Route.CHAT)
        assert answer is not None
        given = replace(Given.to_hook(arguments, Route.CHAT), adopted=answer)
        assert given.access.options["vertex_location"] == location
    region = VertexBase().get_vertex_ai_location({**parameters})
    assert VertexBase.get_vertex_region(region, "gemini-3-pro-image") == location, "LiteLLM's own"


def test_prices_of_a_chat_model_are_the_deployments_and_go_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"input_cost_per_token": 0.001}
    arguments = call(Route.CHAT, model=GEMINI, **own)
    answer = adopt(arguments, Route.CHAT)
    assert answer is not None
    assert answer.prices == own
    assert not own.keys() & arguments.keys(), "LiteLLM would note them for another provider"
    # A client that may send its own key may send a price; that of the deployment counts.
    monkeypatch.setattr(Given, "deployment_parameters", {"model": GEMINI, **own})
    sent = {"api_key": "k", "input_cost_per_token": 0.0}
    arguments = call(Route.CHAT, model=GEMINI, **sent)
    arguments["proxy_server_request"]["body"] |= sent
    answer = adopt(arguments, Route.CHAT)
    assert answer is not None
    assert answer.prices == own
    images = call(Route.GENERATIONS, model=GEMINI, **own)
    assert adopt(images, Route.GENERATIONS) is not None
    assert images["input_cost_per_token"] == 0.001, "there LiteLLM notes nothing"


@pytest.mark.parametrize("options", [{"search_context_size": "low"}, {}])
def test_a_request_that_searches_the_web_is_left_to_litellm(options: dict[str, str]) -> None:
    searching = call(Route.CHAT, model=GEMINI, web_search_options=options)
    assert adopt(searching, Route.CHAT) is None
    for tool in ("web_search", "web_search_preview"):
        arguments = call(Route.RESPONSES, model=GEMINI, tools=[{"type": tool}])
        assert adopt(arguments, Route.RESPONSES) is None


ASKING = [
    {"modalities": ["image", "text"]},
    {"modalities": ["image"]},
    {"image_config": {"aspect_ratio": "16:9"}},
    {"image_generation": {"aspect_ratio": "16:9"}},
    {"tools": [{"type": "image_generation"}]},
    {"tools": [{"type": "function"}, {"type": "image_generation", "size": "1024x1024"}]},
]
NOT_ASKING: list[dict[str, Any]] = [
    {},
    {"modalities": ["text"]},
    {"modalities": "image"},
    {"image_config": None},
    {"tools": [{"type": "function", "function": {"name": "image_generation"}}]},
    {"tools": "image_generation"},
    {"messages": [{"role": "user", "content": "modalities: image"}]},
]


@pytest.mark.parametrize(("fields", "asks"), [(f, True) for f in ASKING] + [(f, False) for f in NOT_ASKING])
def test_gpt_5_on_chat_draws_where_the_body_says_so(fields: dict[str, Any], asks: bool) -> None:
    arguments = call(Route.CHAT, model="openai/gpt-5", **fields)
    assert (adopt(arguments, Route.CHAT) is not None) is asks
    assert arguments["model"] == ("imagegen/openai/gpt-5" if asks else "openai/gpt-5")
    left = call(Route.CHAT, model="openai/gpt-4o", **fields)
    assert adopt(left, Route.CHAT) is None


def test_gpt_5_draws_by_litellm_on_responses_and_by_us_on_the_images_api() -> None:
    tool = {"tools": [{"type": "image_generation"}]}
    assert adopt(call(Route.RESPONSES, model="openai/gpt-5", **tool), Route.RESPONSES) is None
    for route in (Route.GENERATIONS, Route.EDITS):
        assert adopt(call(route, model="openai/gpt-5"), route) is not None


@pytest.mark.parametrize(
    "sent",
    [
        {"custom_llm_provider": "recraft"},
        {"api_base": "https://openrouter.ai/api/v1"},
        {"base_url": "https://openrouter.ai/api/v1"},
        {"azure_ad_token": "t"},
    ],
)
def test_what_a_client_sends_does_not_choose_who_is_meant(sent: dict[str, Any]) -> None:
    for model, ours in (("openai/gpt-image-2", "imagegen/openai/gpt-image-2"), ("openai/gpt-4o", None)):
        arguments = call(Route.GENERATIONS, model=model, **sent)
        arguments["proxy_server_request"]["body"] |= sent
        answer = adopt(arguments, Route.GENERATIONS)
        assert (answer and answer.model) == ours


def chat_models() -> Iterator[str]:
    """Every chat model of LiteLLM's map, as configured, that is neither said nor named to give pictures."""
    for name, entry in litellm.model_cost.items():
        modalities = entry.get("supported_output_modalities") or entry.get("output_modalities") or ()
        is_named = "-image" in name or "banana" in name  # an older map is silent on what they give
        if entry.get("mode") == "chat" and "image" not in modalities and not is_named:
            provider = str(entry.get("litellm_provider", ""))
            yield name
            yield name if name.partition("/")[0] in litellm.provider_list else f"{provider}/{name}"


def test_no_chat_model_of_litellms_map_is_ever_adopted_but_gpt_5() -> None:
    models = {*chat_models()}
    assert len(models) > 1500
    for route in Route:
        for model in models:
            arguments = call(route, model=model, model_info={"mode": "chat", "id": "1"})
            if adopt(arguments, route) is not None:
                assert route in (Route.GENERATIONS, Route.EDITS), f"{model} on {route}"
                assert model.rpartition("/")[2].startswith("gpt-5"), f"{model} on {route}"
        for model in models - {model for model in models if "gpt-5" in model}:
            asking = call(route, model=model, modalities=["image", "text"], image_config={})
            assert adopt(asking, route) is None, f"{model} on {route}"
