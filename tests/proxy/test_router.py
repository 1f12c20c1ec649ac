"""LiteLLM's router, limits, budgets, cache and guardrails act on pictures as on words.

A text model of LiteLLM's own is the measure. Beside it are image deployments of LiteLLM's own that are
answered here: of a model that draws in a chat, of one with an Images API and of one that takes jobs. All call
one simulated provider that keeps what it is sent.
"""

import itertools
import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from litellm_imagegen.sandbox.app import create_app
from tests.proxy.support import NO_TLS, Proxy, running_proxy
from tests.proxy.test_fallbacks import PATHS, Answer, Message, Provider, running_provider
from tests.proxy.test_jobs import wait_until

HELPERS = '''
import json
import os
import httpx
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.proxy._types import UserAPIKeyAuth

async def authenticate(request, api_key):
    """A key says itself what it may."""
    limits = api_key.partition("/")[2]
    return UserAPIKeyAuth(api_key=api_key, **json.loads(limits or "{}"))

class Before(CustomGuardrail):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        raise HTTPException(status_code=400, detail={"error": "blocked before the call"})

class Meanwhile(CustomGuardrail):
    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(1000):  # until the provider has the request
                if (await client.get(os.environ["UPSTREAM"] + "/open")).json():
                    break
        raise HTTPException(status_code=400, detail={"error": "blocked meanwhile"})

class After(CustomGuardrail):
    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        shown = response.model_dump_json()
        answers = ("just words", "data:image/jpeg;base64,", '"b64_json":"/9j/', '"result":"/9j/')
        told = "an answer" if any(answer in shown for answer in answers) else shown
        raise HTTPException(status_code=400, detail={"error": f"blocked after {told}"})
'''
WORDS = {"role": "assistant", "content": "just words"}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": WORDS, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
SHORT_KEY = "k"  # LiteLLM shows its log sinks the keys of text models
PROVIDER_KEY = "test-key-that-nobody-may-see"


@dataclass(frozen=True)
class Model:
    """A model as LiteLLM's config names it, and where on the simulated provider it is called.

    `kinds` are how it is asked, `small` asks for a small picture, and `too_long` is what its provider says of
    a prompt that is.
    """

    id: str
    path: str
    kinds: tuple[str, ...] = ()
    draws: bool = True
    small: Mapping[str, Any] = field(default_factory=dict)
    too_long: Any = None


_CHATS = ("chat", "chat streamed")
_ALL = (*_CHATS, "generation", "response streamed")
_OPENAIS_TOO_LONG = {
    "error": {
        "message": "This model's maximum context length is 10 tokens. Your messages resulted in 20 tokens.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}
_GOOGLES_TOO_LONG = {
    "error": {
        "code": 400,
        "message": "The input token count (20) exceeds the maximum number of tokens allowed (10).",
        "status": "INVALID_ARGUMENT",
    }
}
MODELS = {
    "text": Model("openai/gpt-4o", "/text/v1", _CHATS, draws=False, too_long=_OPENAIS_TOO_LONG),
    "gemini": Model(
        "gemini/gemini-3.1-flash-image",
        "/v1beta",
        _ALL,
        small={"image_size": "512", "output_format": "jpeg"},
        too_long=_GOOGLES_TOO_LONG,
    ),
    "gpt": Model(
        "openai/gpt-image-2",
        "/v1",
        _ALL,
        small={"size": "816x816", "output_format": "jpeg"},
        too_long=_OPENAIS_TOO_LONG,
    ),
    "flux": Model(
        "black_forest_labs/flux-2-pro",
        "",
        ("chat", "generation", "response streamed"),  # a job takes a while
        small={"size": "256x256", "output_format": "jpeg"},
    ),
}
NEXT = {"text": "text", "gemini": "gpt", "gpt": "flux", "flux": "gemini"}
WHOLE_KINDS = ("chat", "generation", "response")
WHOLE_WAYS = [
    (name, kind) for name, model in MODELS.items() for kind in (WHOLE_KINDS if model.draws else ("chat",))
]
WAYS = [(name, kind) for name, model in MODELS.items() for kind in model.kinds]
# One for each kind of request: what a provider has spent stays spent. Their models draw in a chat.
PROVIDERS_WITH_BUDGETS = {
    "chat": Model("mistral/mistral-small-latest", "/text/v1", draws=False),
    "chat streamed": Model("openrouter/google/gemini-3.1-flash-image", "/api/v1"),
    "generation": Model("vercel_ai_gateway/google/gemini-3.1-flash-image", "/v1"),
    "response streamed": Model("helicone/gemini-3.1-flash-image", "/v1"),
}
BUDGET = {"budget_limit": 0.00000001, "time_period": "1d"}  # dollars
HASTY_SECONDS = 0.3
SOON = {"INITIAL_RETRY_DELAY": "0.05", "JITTER": "0"}
KEY = "sk-router"  # LiteLLM keeps the counts of a few hundred keys
_ids = itertools.count()


class Words:
    """An ASGI application: a text model at /text, a count of open calls at /open, and another elsewhere."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._open = 0

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["path"] == "/open":
            await _reply(send, self._open)
            return
        if scope["method"] != "POST":
            await self._application(scope, receive, send)
            return
        self._open += 1
        try:
            if _wish(scope) == "too long":
                await _reply(send, _too_long(scope["path"]), status=400)
            elif scope["path"].startswith("/text/"):
                await _say(scope, receive, send)
            else:
                await self._application(scope, receive, send)
        finally:
            self._open -= 1


def _wish(scope: Message) -> str:
    wishes = [value.decode() for name, value in scope["headers"] if name == b"x-sandbox"]
    return wishes[-1] if wishes else ""


def _too_long(path: str) -> Any:
    return next(model.too_long for model in MODELS.values() if path.startswith(f"{model.path}/"))


async def _say(scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """A text model's words, or what is wished for instead."""
    wish = _wish(scope)
    sent = json.loads((await receive())["body"])
    reason = "content_filter" if wish == "refuse prompt" else "stop"
    if wish == "never":
        await receive()  # until the client has gone
    elif wish.isdigit():
        await _reply(send, {"error": {"message": f"wished for {wish}", "type": "x"}}, status=int(wish))
    elif sent.get("stream"):
        frame = {**ANSWER, "object": "chat.completion.chunk"}
        first = {**frame, "choices": [{"index": 0, "delta": WORDS, "finish_reason": None}], "usage": None}
        last = {**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
        await _reply(
            send, "".join(f"data: {json.dumps(one)}\n\n" for one in (first, last)) + "data: [DONE]\n\n"
        )
    else:
        await _reply(send, {**ANSWER, "choices": [{"index": 0, "message": WORDS, "finish_reason": reason}]})


async def _reply(send: Callable[..., Any], body: Any, status: int = 200) -> None:
    kind = b"text/event-stream" if isinstance(body, str) else b"application/json"
    whole = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(whole)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": whole})


@dataclass(frozen=True)
class Setup:
    """A proxy and the provider of all its deployments."""

    proxy: Proxy
    provider: Provider

    def will(self, *wishes: str) -> None:
        """What the provider does with the calls from now on; nothing special after these."""
        self.provider.wishes.clear()
        self.provider.wishes.extend(wishes)
        self.provider.calls.clear()

    @property
    def done(self) -> list[str | None]:
        """What the provider has done with its calls since then."""
        return [call.wish for call in self.provider.calls]

    @property
    def open(self) -> int:
        """Calls that the provider has not ended."""
        told: int = httpx.get(f"{self.provider.url}/open", trust_env=False, verify=NO_TLS).json()
        return told

    def ask(self, name: str, kind: str, what: str = "plain", key: str = KEY, **fields: Any) -> Answer:
        """A picture, or words, of one of the deployments of a model."""
        path, body = self.request(name, kind, what, **fields)
        answer = httpx.post(
            f"{self.proxy.url}/v1/{path}",
            json=body,
            headers={"authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
            verify=NO_TLS,
        )
        return Answer(answer.status_code, answer.headers, answer.text)

    def request(self, name: str, kind: str, what: str = "plain", **fields: Any) -> tuple[str, dict[str, Any]]:
        """The path and the body of the same."""
        path = PATHS[kind.removesuffix(" streamed")]
        body: dict[str, Any] = {"model": f"{name}: {what}", **fields}
        if name in MODELS:
            body |= MODELS[name].small
        if kind.endswith(" streamed"):
            body["stream"] = True
        prompt = body.pop("prompt", "A lighthouse")
        match path:
            case "chat/completions":
                body["messages"] = [{"role": "user", "content": prompt}]
            case "responses":
                body["input"] = prompt
            case _:
                body["prompt"] = prompt
        return path, body

    @contextmanager
    def asking(self, name: str, kind: str) -> Iterator[None]:
        """A client that has asked, and leaves at the end of the block without having read anything."""
        path, body = self.request(name, kind)
        content = json.dumps(body).encode()
        address = urlsplit(self.proxy.url)
        head = (
            f"POST /v1/{path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        with socket.create_connection((address.hostname or "", address.port or 0)) as client:
            client.sendall(head.encode() + content)
            yield

    def wait_for_open(self, count: int) -> None:
        wait_until(lambda: self.open == count, f"the provider never had {count} open calls")


def new_key(**limits: Any) -> str:
    """A key that nobody has used, with these limits."""
    return f"sk-router-{next(_ids)}/{json.dumps(limits)}"


def assert_answered(name: str, answer: Answer) -> None:
    """Words of a text model, one picture of any other."""
    assert answer.status == 200, answer.text[:500]
    if name in MODELS and not MODELS[name].draws:
        assert "just words" in answer.text
    else:
        assert len(answer.pictures) == 1


def deployment(
    url: str, model: Model, group: str, id_: str = "", info: Any = None, **parameters: Any
) -> dict[str, Any]:
    """One of a model, which the tests name by its group or by its id."""
    key = PROVIDER_KEY if model.draws else SHORT_KEY
    given = {"model": model.id, "api_key": key, "api_base": f"{url}{model.path}", "cooldown_time": 0}
    return {
        "model_name": group,
        "litellm_params": {**given, **parameters},
        "model_info": {"id": id_ or group, **(info or {})},
    }


def deployments(url: str, name: str) -> Iterator[dict[str, Any]]:
    """Those of one model."""
    model = MODELS[name]
    for what in ("plain", "next", "by policy", "failing", "refusing", "confused"):
        yield deployment(url, model, f"{name}: {what}")
    yield deployment(url, model, f"{name}: retried", num_retries=1)
    yield deployment(url, model, f"{name}: hasty", timeout=HASTY_SECONDS)
    yield deployment(url, model, f"{name}: hasty streams", stream_timeout=HASTY_SECONDS)
    for color in ("red", "blue"):
        yield deployment(url, model, f"{name}: tagged", f"{name}: {color}", tags=[color])
    for kind in model.kinds:  # what one has used up, or broken, is not there for the others
        yield deployment(url, model, f"{name}: rpm of {kind}", rpm=1)
        yield deployment(url, model, f"{name}: tpm of {kind}", tpm=1)
        group = f"{name}: cooled for {kind}"
        for order in (1, 2):
            yield deployment(url, model, group, f"{group} {order}", order=order, cooldown_time=600)


def guardrail(name: str, kind: str, mode: str) -> dict[str, Any]:
    parameters = {"guardrail": f"helpers.{kind}", "mode": mode, "default_on": False}
    return {"guardrail_name": name, "litellm_params": parameters}


@contextmanager
def running(folder: Path, model_list: Callable[[str], Sequence[Any]], **config: Any) -> Iterator[Setup]:
    (folder / "helpers.py").write_text(HELPERS)
    with running_provider() as provider:
        provider.app = Words(create_app())
        general = {
            "custom_auth": "helpers.authenticate",
            "custom_auth_run_common_checks": True,
            "cancel_on_disconnect": True,
        }
        whole = {"model_list": [*model_list(provider.url)], "general_settings": general, **config}
        with running_proxy(whole, folder, variables={"UPSTREAM": provider.url, **SOON}) as proxy:
            yield Setup(proxy, provider)


def _routing(folder: Path) -> Any:
    """Limits, fallbacks and budgets; pictures pass LiteLLM by."""

    def to_next(what: str) -> list[Any]:
        return [{f"{name}: {what}": [f"{NEXT[name]}: next"]} for name in MODELS]

    def model_list(url: str) -> list[Any]:
        dear = [deployment(url, model, f"dear: {kind}") for kind, model in PROVIDERS_WITH_BUDGETS.items()]
        return [*(one for name in MODELS for one in deployments(url, name)), *dear]

    providers = [model.id.partition("/")[0] for model in PROVIDERS_WITH_BUDGETS.values()]
    router = {
        "num_retries": 0,
        "fallbacks": to_next("failing"),
        "content_policy_fallbacks": to_next("refusing"),
        "context_window_fallbacks": to_next("confused"),
        "model_group_retry_policy": {
            f"{name}: by policy": {"InternalServerErrorRetries": 2} for name in MODELS
        },
        "model_group_alias": {f"{name}: alias": f"{name}: plain" for name in MODELS},
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
        "enable_tag_filtering": True,
        "provider_budget_config": dict.fromkeys(providers, BUDGET),
    }
    return running(
        folder,
        model_list,
        # The budgets of keys are looked at for those of a custom_auth then.
        litellm_settings={"callbacks": ["litellm_imagegen.callback"], "enable_post_custom_auth_checks": True},
        router_settings=router,
        guardrails=[
            guardrail("before", "Before", "pre_call"),
            guardrail("meanwhile", "Meanwhile", "during_call"),
        ],
    )


def _looking(folder: Path) -> Any:
    """A cache and a guardrail that looks at answers; pictures go LiteLLM's way."""
    return running(
        folder,
        lambda url: [deployment(url, model, f"{name}: plain") for name, model in MODELS.items()],
        litellm_settings={
            "callbacks": ["litellm_imagegen.callback"],
            "cache": True,
            "cache_params": {"type": "local"},
        },
        guardrails=[guardrail("after", "After", "post_call")],
    )


@pytest.fixture(scope="module")
def setups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Setup, Setup]]:
    with ExitStack() as stack, ThreadPoolExecutor(2) as both:
        folders = [tmp_path_factory.mktemp(name) for name in ("routing", "looking")]
        starting = [
            both.submit(stack.enter_context, start(folder))
            for start, folder in zip((_routing, _looking), folders, strict=True)
        ]
        routing, looking = (started.result() for started in starting)
        yield routing, looking


@pytest.fixture
def setup(setups: tuple[Setup, Setup]) -> Setup:
    return setups[0]


@pytest.fixture
def looking(setups: tuple[Setup, Setup]) -> Setup:
    return setups[1]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_what_fails_is_tried_again_as_often_as_the_deployment_says(
    setup: Setup, name: str, kind: str
) -> None:
    setup.will("503")
    assert_answered(name, setup.ask(name, kind, "retried"))
    assert setup.done == ["503", None]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_retry_policy_tells_errors_apart(setup: Setup, name: str, kind: str) -> None:
    setup.will("500", "500")
    assert_answered(name, setup.ask(name, kind, "by policy"))
    assert setup.done == ["500", "500", None]
    setup.will("401")
    assert setup.ask(name, kind, "by policy").status == 401
    assert setup.done == ["401"]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_what_fails_goes_on_to_the_fallback(setup: Setup, name: str, kind: str) -> None:
    setup.will("500")
    answer = setup.ask(name, kind, "failing")
    assert_answered(name, answer)
    assert answer.deployment == f"{NEXT[name]}: next"
    assert setup.done == ["500", None]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_what_is_refused_goes_on_to_the_fallback_unless_it_is_streamed(
    setup: Setup, name: str, kind: str
) -> None:
    setup.will("refuse prompt")
    answer = setup.ask(name, kind, "refusing")
    if kind.endswith(" streamed"):  # LiteLLM knows only at the end of a stream
        assert answer.status == 200
        assert "content_filter" in answer.text
        assert setup.done == ["refuse prompt"]
        return
    assert_answered(name, answer)
    assert answer.deployment == f"{NEXT[name]}: next"
    assert setup.done == ["refuse prompt", None]


@pytest.mark.parametrize(("name", "kind"), [way for way in WAYS if MODELS[way[0]].too_long])
def test_what_is_too_long_goes_on_to_the_fallback(setup: Setup, name: str, kind: str) -> None:
    setup.will("too long")
    answer = setup.ask(name, kind, "confused")
    assert_answered(name, answer)
    assert answer.deployment == f"{NEXT[name]}: next"
    assert setup.done == ["too long", None]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_deployment_that_fails_is_left_alone_for_a_while(setup: Setup, name: str, kind: str) -> None:
    group = f"cooled for {kind}"
    second = f"{name}: {group} 2"
    setup.will("401")
    answer = setup.ask(name, kind, group)
    assert_answered(name, answer)
    assert answer.deployment == second
    assert setup.done == ["401", None]

    def is_left_alone() -> bool:
        return setup.ask(name, kind, group).deployment == second

    wait_until(is_left_alone, "the first one is still asked")


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_deployment_is_called_no_more_often_than_it_may_be(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    answers = [setup.ask(name, kind, f"rpm of {kind}") for _ in range(3)]  # a minute may end between two
    assert_answered(name, answers[0])
    statuses = [answer.status for answer in answers]
    assert 429 in statuses
    assert len(setup.done) == statuses.count(200)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, kind in WAYS if not kind.endswith(" streamed") and name != "flux"],
)
def test_a_deployment_is_not_called_when_its_tokens_are_used_up(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    assert_answered(name, setup.ask(name, kind, f"tpm of {kind}"))
    wait_until(lambda: setup.ask(name, kind, f"tpm of {kind}").status == 429, "tokens are not counted")


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_key_asks_no_more_often_than_it_may(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    key = new_key(rpm_limit=1)
    assert_answered(name, setup.ask(name, kind, key=key))
    assert setup.ask(name, kind, key=key).status == 429
    assert len(setup.done) == 1


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_key_spends_no_more_than_it_may(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    # LiteLLM books what a key has spent in all in its database only.
    key = new_key(model_max_budget={f"{name}: plain": BUDGET})
    assert_answered(name, setup.ask(name, kind, key=key))
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(setup.ask(name, kind, key=key))
        return answers[-1].status != 200

    wait_until(is_refused, "nothing is booked")
    assert answers[-1].error["type"] == "budget_exceeded"


@pytest.mark.parametrize("kind", PROVIDERS_WITH_BUDGETS)
def test_a_provider_is_paid_no_more_than_it_may_be(setup: Setup, kind: str) -> None:
    model = PROVIDERS_WITH_BUDGETS[kind]
    setup.will()
    answer = setup.ask("dear", kind, kind)
    assert answer.status == 200, answer.text[:500]
    assert bool(answer.pictures) == model.draws
    answers: list[Answer] = []

    def is_refused() -> bool:
        answers.append(setup.ask("dear", kind, kind))
        return answers[-1].status != 200

    wait_until(is_refused, "nothing is booked")
    assert f"Exceeded budget for provider {model.id.partition('/')[0]}" in answers[-1].text


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("what", ["hasty", "hasty streams"])
def test_a_deployment_has_the_time_that_it_says(setup: Setup, name: str, what: str) -> None:
    asked = [kind for kind in MODELS[name].kinds if what == "hasty" or kind.endswith(" streamed")]
    setup.will(*(["never"] * len(asked)))
    with ThreadPoolExecutor(len(asked)) as at_once:
        answers = at_once.map(lambda kind: setup.ask(name, kind, what), asked)
        assert {kind: answer.status for kind, answer in zip(asked, answers, strict=True)} == dict.fromkeys(
            asked, 408
        )
    setup.wait_for_open(0)
    setup.will()


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_an_alias_stands_for_its_model(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    answer = setup.ask(name, kind, "alias")
    assert_answered(name, answer)
    assert answer.deployment == f"{name}: plain"


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_tags_choose_the_deployment(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    for color in ("blue", "red"):
        answer = setup.ask(name, kind, "tagged", metadata={"tags": [color]})
        assert_answered(name, answer)
        assert answer.deployment == f"{name}: {color}"


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_guardrail_blocks_before_the_call(setup: Setup, name: str, kind: str) -> None:
    setup.will()
    answer = setup.ask(name, kind, guardrails=["before"])
    assert answer.status == 400
    assert "blocked before the call" in answer.text
    assert setup.done == []


# LiteLLM asks none of these about a picture of the Images API.
@pytest.mark.parametrize(("name", "kind"), [way for way in WAYS if way[1] != "generation"])
def test_a_guardrail_that_judges_meanwhile_ends_the_call(setup: Setup, name: str, kind: str) -> None:
    setup.will("never")
    answer = setup.ask(name, kind, guardrails=["meanwhile"])
    assert answer.status == 400
    assert "blocked meanwhile" in answer.text
    setup.wait_for_open(0)
    assert setup.done == ["never"]


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_a_call_ends_when_its_client_leaves(setup: Setup, name: str, kind: str) -> None:
    setup.will("never")
    with setup.asking(name, kind):
        setup.wait_for_open(1)
    setup.wait_for_open(0)
    assert setup.done == ["never"]


@pytest.mark.parametrize(("name", "kind"), WHOLE_WAYS)
def test_a_guardrail_sees_the_answer_and_blocks_it(looking: Setup, name: str, kind: str) -> None:
    looking.will()
    answer = looking.ask(name, kind, guardrails=["after"])
    assert answer.status == 400
    assert "blocked after an answer" in answer.text
    assert looking.done == [None]


# LiteLLM keeps no answers of the Images API, and gives the streams that it keeps without their pictures.
@pytest.mark.parametrize(("name", "kind"), [way for way in WHOLE_WAYS if way[1] != "generation"])
def test_an_answer_comes_from_litellms_cache(looking: Setup, name: str, kind: str) -> None:
    looking.will()
    first, *others = (looking.ask(name, kind, prompt="A lighthouse that is kept") for _ in range(3))
    for answer in (first, *others):
        assert_answered(name, answer)
        assert answer.pictures == first.pictures
    assert looking.done == [None]
    assert_answered(name, looking.ask(name, kind, prompt="Another lighthouse"))
    assert looking.done == [None, None]
