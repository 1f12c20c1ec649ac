"""The shapes of a chat answer on a real proxy, whole and streamed; endpoints that have none for a picture."""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from litellm_imagegen.plugin import references
from tests.pictures import look_at
from tests.proxy.conftest import gemini, settings_of
from tests.proxy.support import NO_TLS, Frames, Proxy, running_proxy
from tests.proxy.test_bypass import PROBE, PROVIDERS, comparable
from tests.proxy.test_logs import DUMPER, RUN
from tests.upstream import Upstream, running_upstream

MODEL = "imagegen/sandbox/gemini-3.1-flash-image"  # it draws small ones too
SMALL = {"image_size": "512"}
SHAPES = ["images", "parts", "markdown", "images+markdown"]
WORDS = ["Picture 1 of 2:", "Picture 2 of 2:"]
STORY = "A lighthouse [sandbox: pictures 2]"
_MARK = re.compile(r"\n*!\[image\]\(([^)]*)\)\n*")

CLAUDE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "just words"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
CLAUDE_EVENTS = [
    {"type": "message_start", "message": {**CLAUDE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "just words"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
GPT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "just words"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
GPT_CHUNKS = [
    {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    for delta, reason in (({"role": "assistant", "content": "just words"}, None), ({}, "stop"))
]


@dataclass(frozen=True)
class Setup:
    """A proxy, the upstream of its deployments that the sandbox does not serve, and its folder."""

    proxy: Proxy
    upstream: Upstream
    folder: Path

    @property
    def kept(self) -> int:
        """Pictures that have taken their own way so far."""
        answer = self.proxy.draw("state", "How many?").json()
        kept: int = json.loads(answer["choices"][0]["message"]["content"])["kept"]
        return kept


@pytest.fixture(scope="module")
def shaping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Sinks write down all they get, and the router tries again as often as it does by default."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "probe.py").write_text(PROBE)
    (folder / "dumper.py").write_text(DUMPER)
    with running_upstream() as upstream:
        deployments: list[dict[str, Any]] = [
            {"model_name": "state", "litellm_params": {"model": "probe/state"}},
            gemini("recorded", upstream.url),
            {
                "model_name": "claude",
                "litellm_params": {
                    "model": "anthropic/claude-sonnet-4-5",
                    "api_key": "k",
                    "api_base": upstream.url,
                },
            },
            {
                "model_name": "gpt",
                "litellm_params": {
                    "model": "openai/gpt-4o",
                    "api_key": "k",
                    "api_base": f"{upstream.url}/v1",
                },
            },
        ]
        infos = {f"plain-{way}": settings_of(bypass=way, defaults=SMALL) for way in ("auto", "off")}
        infos |= {f"in {shape}": settings_of(output=shape, defaults=SMALL) for shape in SHAPES}
        deployments += [
            {"model_name": name, "litellm_params": {"model": MODEL}, "model_info": info}
            for name, info in infos.items()
        ]
        config = {
            "model_list": deployments,
            "litellm_settings": {
                "custom_provider_map": PROVIDERS,
                "callbacks": ["dumper.before", "litellm_imagegen.callback", "dumper.after"],
            },
            "router_settings": {"num_retries": 2},
        }
        with running_proxy(config, folder, variables={"LITELLM_LOG": "DEBUG"}) as proxy:
            yield Setup(proxy, upstream, folder)


@dataclass(frozen=True)
class Place:
    """Where a shape is asked for: the deployment, fields of the body, headers."""

    model: str
    fields: Mapping[str, Any]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, place: str, shape: str, model: str = "plain-auto") -> "Place":
        match place:
            case "deployment":
                return cls(f"in {shape}", {}, {})
            case "header":
                return cls(model, {}, {"x_imagegen_output": shape})
        return cls(model, {"imagegen": {"output": shape}}, {})


def ask(
    setup: Setup, place: Place, streamed: bool, prompt: str = STORY, **fields: Any
) -> httpx.Response | Frames:
    body = {"model": place.model, "messages": [{"role": "user", "content": prompt}], "seed": 7}
    body |= {**place.fields, **fields}
    return (setup.proxy.stream if streamed else setup.proxy.post)(body, **place.headers)


def message_of(answer: httpx.Response | Frames) -> dict[str, Any]:
    """The message of the first choice; of a stream, what a client makes of it."""
    if isinstance(answer, Frames):
        assert (answer.status, answer.done, answer.finish_reasons) == (200, True, ["stop"])
        return {"content": answer.text, **({"images": answer.images} if answer.images else {})}
    assert answer.status_code == 200, answer.text
    [choice] = answer.json()["choices"]
    assert choice["finish_reason"] == "stop"
    message: dict[str, Any] = choice["message"]
    assert message.pop("role") == "assistant"
    return message


def metadata_of(answer: httpx.Response | Frames) -> dict[str, Any]:
    """Our part of the answer's metadata."""
    if isinstance(answer, Frames):
        [told] = [chunk["provider_metadata"] for chunk in answer.chunks if "provider_metadata" in chunk]
    else:
        told = answer.json()["provider_metadata"]
    ours: dict[str, Any] = told["imagegen"]
    return ours


def taken_apart(message: Mapping[str, Any], shape: str) -> tuple[list[str], list[str]]:
    """Words and pictures of a message that has `shape` and nothing beside."""
    content, images = message["content"], message.get("images")
    if shape == "parts":
        assert message.keys() == {"content"}
        assert [part["type"] for part in content] == ["text", "image_url"] * 2
        assert all(part.keys() == {"type", part["type"]} for part in content)
        return (
            [part["text"] for part in content[::2]],
            [part["image_url"]["url"] for part in content[1::2]],
        )
    urls = [image["image_url"]["url"] for image in images or ()]
    if images is not None:
        assert [(image["type"], image["index"]) for image in images] == [("image_url", 0), ("image_url", 1)]
    if shape == "images":
        assert message.keys() == {"content", "images"}
        return (WORDS if content == "".join(WORDS) else [content]), urls
    assert message.keys() == ({"content"} if shape == "markdown" else {"content", "images"})
    first, one, second, other, end = _MARK.split(content)
    assert content == f"{first}\n\n![image]({one})\n\n{second}\n\n![image]({other})"
    assert not end
    assert urls in ([], [one, other])
    return [first, second], [one, other]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", ["deployment", "header", "body"])
def test_words_and_pictures_have_the_shape_that_was_asked_for(
    shaping: Setup, place: str, shape: str, streamed: bool
) -> None:
    answer = ask(shaping, Place.of(place, shape), streamed)
    words, urls = taken_apart(message_of(answer), "images" if streamed and shape == "parts" else shape)
    assert words == WORDS
    metadata = metadata_of(answer)
    assert [look_at(url).size for url in urls] == [(512, 512)] * 2
    assert [look_at(url).sha256 for url in urls] == [image["sha256"] for image in metadata["images"]]
    assert len(set(urls)) == 2
    if streamed and shape == "parts":
        told = {"field": "output", "asked": "parts", "used": "images", "why": "a stream has no parts"}
        assert metadata["notices"] == [told]
        assert answer.headers["x-imagegen-notices"] == "output=adapted"
    else:
        assert metadata["notices"] == []
        assert "x-imagegen-notices" not in answer.headers


def test_the_client_goes_before_the_deployment(shaping: Setup) -> None:
    for fields, headers, shape in (
        ({"imagegen": {"output": "markdown"}}, {}, "markdown"),
        ({"imagegen": {"output": "markdown"}}, {"x_imagegen_output": "images"}, "images"),
    ):
        answer = ask(shaping, Place("in parts", fields, headers), streamed=False)
        assert taken_apart(message_of(answer), shape)[0] == WORDS


@pytest.mark.parametrize(
    ("way", "n"), [("whole", None), ("streamed with usage", None), ("whole", 2), ("streamed", 2)]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_is_the_same_whichever_way_its_pictures_go(
    shaping: Setup, shape: str, way: str, n: int | None
) -> None:
    fields: dict[str, Any] = {"n": n} if n else {}
    if way == "streamed with usage":
        fields["stream_options"] = {"include_usage": True}
    told, kept = {}, [shaping.kept]
    for bypass in ("auto", "off"):
        place = Place.of("body", shape, f"plain-{bypass}")
        answer = ask(shaping, place, way != "whole", "A lighthouse" if n else STORY, **fields)
        kept.append(shaping.kept)
        if isinstance(answer, Frames):
            assert (answer.status, answer.done, len(answer.finish_reasons)) == (200, True, n or 1)
            body: Any = answer.chunks
        else:
            assert answer.status_code == 200, answer.text
            assert len(answer.json()["choices"]) == (n or 1)
            body = answer.json()
        assert references.PREFIX.decode() not in json.dumps(body)
        told[bypass] = comparable(body)
    assert told["auto"] == told["off"]
    assert [after - kept[0] for after in kept] == [0, 2, 2], "on their own way only where they may"


def test_the_shape_changes_nothing_of_what_an_answer_took(shaping: Setup) -> None:
    usages, costs, streamed = [], [], []
    for shape in SHAPES:
        answer = ask(shaping, Place.of("body", shape), streamed=False)
        assert isinstance(answer, httpx.Response)
        usages.append(answer.json()["usage"])
        costs.append(float(answer.headers["x-litellm-response-cost"]))
        asked: Any = {"include_usage": True}
        frames = ask(shaping, Place.of("body", shape), streamed=True, stream_options=asked)
        assert isinstance(frames, Frames)
        streamed.append(frames.chunks[-1]["usage"])
    assert usages == [usages[0]] * len(SHAPES)
    assert streamed == [streamed[0]] * len(SHAPES)
    assert costs == [usages[0]["cost"]] * len(SHAPES)
    assert costs[0] == streamed[0]["cost"] > 0
    assert usages[0]["completion_tokens_details"]["image_tokens"] > 0


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("shape", SHAPES)
def test_words_alone_and_refusals_are_plain_text_in_every_shape(
    shaping: Setup, shape: str, streamed: bool
) -> None:
    message = message_of(ask(shaping, Place.of("body", shape), streamed, "x [sandbox: words only]"))
    assert message.keys() == {"content"}
    assert isinstance(message["content"], str)
    assert "![" not in message["content"] != ""
    refused = ask(shaping, Place.of("body", shape), streamed, "x [sandbox: refuse prompt]")
    if isinstance(refused, Frames):
        assert (refused.text, refused.finish_reasons) == ("", ["content_filter"])
        assert [delta["refusal"] for delta in refused.deltas if delta.get("refusal")]
    else:
        [choice] = refused.json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("", "content_filter")
        assert choice["message"]["refusal"]


def client_of(proxy: Proxy) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{proxy.url}/v1",
        api_key=proxy.key,
        max_retries=0,
        http_client=httpx.Client(trust_env=False, verify=NO_TLS),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_openais_client_reads_every_shape(shaping: Setup, shape: str) -> None:
    chosen = {"imagegen": {"output": shape}, "seed": 7}
    with client_of(shaping.proxy) as client:
        answer = client.chat.completions.create(
            model="plain-auto", messages=[{"role": "user", "content": STORY}], extra_body=chosen
        )
        [choice] = answer.choices
        message = choice.message.model_dump(include={"content", "images"}, warnings=False, exclude_unset=True)
        words, urls = taken_apart(message, shape)
        assert words == WORDS
        assert len({look_at(url).sha256 for url in urls}) == 2
        assert answer.usage is not None
        chunks = client.chat.completions.create(
            model="plain-auto",
            messages=[{"role": "user", "content": STORY}],
            extra_body=chosen,
            stream=True,
        )
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        streamed: dict[str, Any] = {"content": "".join(delta.content or "" for delta in deltas)}
        images = [image for delta in deltas for image in (delta.model_extra or {}).get("images") or ()]
        streamed |= {"images": images} if images else {}
        expected = taken_apart(streamed, "images" if shape == "parts" else shape)
        assert expected == (words, urls)


@pytest.mark.parametrize("shape", ["parts", "images"])
def test_a_message_that_was_given_can_be_sent_back(shaping: Setup, shape: str) -> None:
    message = message_of(ask(shaping, Place.of("body", shape), streamed=False))
    pictures = [hashlib.sha256(b64decode(url.partition(",")[2])) for url in taken_apart(message, shape)[1]]
    shaping.upstream.will_say({"candidates": [{"content": {"parts": [{"text": "Seen."}]}}]})
    shaping.upstream.requests.clear()
    turns = [
        {"role": "user", "content": STORY},
        {"role": "assistant", **message},
        {"role": "user", "content": "At night"},
    ]
    answer = shaping.proxy.post({"model": "recorded", "messages": turns})
    assert answer.status_code == 200
    [request] = shaping.upstream.requests
    parts = [part for turn in request.body["contents"] for part in turn["parts"]]
    sent = [hashlib.sha256(b64decode(part["inlineData"]["data"])) for part in parts if "inlineData" in part]
    assert [digest.hexdigest() for digest in sent] == [digest.hexdigest() for digest in pictures]
    assert WORDS[0] in json.dumps(parts)
    assert not RUN.search("".join(part.get("text", "") for part in parts))


def test_sinks_and_debug_lines_hold_facts_and_no_base64_in_every_shape(shaping: Setup) -> None:
    digests = []
    for shape in SHAPES:
        for way in ("auto", "off"):
            for streamed in (False, True):
                prompt = f"{STORY} {shape} {way} {streamed}"
                answer = ask(shaping, Place.of("body", shape, f"plain-{way}"), streamed, prompt)
                digests += [image["sha256"] for image in metadata_of(answer)["images"]]
    shaping.proxy.draw("plain-auto", "the last one: what came before has been logged")
    dumped = (shaping.folder / "dump.log").read_text()
    for name, text in (("a sink", dumped), ("the proxy's log", shaping.proxy.log)):
        found = RUN.search(text)
        assert found is None, f"{name} saw base64: {text[found.start() - 300 : found.start() + 100]}"
    assert references.TEXT_PREFIX not in dumped, "a sink saw a reference in a picture's place"
    assert len(set(digests)) == 32
    payloads = [line for line in dumped.splitlines() if line.startswith("payload ")]
    assert [digest for digest in digests if not any(digest in payload for payload in payloads)] == []


def post(proxy: Proxy, path: str, body: Mapping[str, Any]) -> httpx.Response:
    return httpx.post(
        f"{proxy.url}{path}",
        json=body,
        headers={"authorization": f"Bearer {proxy.key}"},
        timeout=60,
        trust_env=False,
        verify=NO_TLS,
    )


def on_endpoint(path: str, model: str, streamed: bool) -> dict[str, Any]:
    """A request to an endpoint that has no place for a picture."""
    asked: dict[str, Any] = {"model": model, "max_tokens": 50, "stream": streamed}
    if path == "/v1/messages":
        return {**asked, "messages": [{"role": "user", "content": "A fox"}]}
    return {**asked, "prompt": "A fox"}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/completions"])
def test_an_endpoint_without_a_place_for_pictures_says_so_before_anything_is_drawn(
    shaping: Setup, path: str, streamed: bool
) -> None:
    shaping.upstream.requests.clear()
    answer = post(shaping.proxy, path, on_endpoint(path, "recorded", streamed))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert f"{path} cannot show a picture" in error["message"]
    for endpoint in ("/v1/chat/completions", "/v1/responses", "/v1/images/generations", "/v1/images/edits"):
        assert endpoint in error["message"]
    if path == "/v1/messages" and "type" in answer.json():  # as Anthropic says it; older LiteLLMs do not
        assert (answer.json()["type"], error["type"]) == ("error", "invalid_request_error")
    assert "Retried" not in error["message"], "the router waits between its tries"
    assert shaping.upstream.requests == []


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("path", "model"), [("/v1/messages", "claude"), ("/v1/completions", "gpt")])
def test_a_foreign_text_model_answers_there_as_ever(
    shaping: Setup, path: str, model: str, streamed: bool
) -> None:
    whole, pieces = (CLAUDE, CLAUDE_EVENTS) if model == "claude" else (GPT, GPT_CHUNKS)
    if streamed:
        shaping.upstream.will_stream(*pieces)
    else:
        shaping.upstream.will_say(whole)
    shaping.upstream.requests.clear()
    answer = post(shaping.proxy, path, on_endpoint(path, model, streamed))
    assert answer.status_code == 200
    [request] = shaping.upstream.requests
    assert request.path == ("/v1/messages" if model == "claude" else "/v1/chat/completions")
    assert request.body.get("stream", False) is streamed
    assert "imagegen" not in json.dumps(request.body)
    assert "x-imagegen-notices" not in answer.headers
    if streamed:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.count("just words") == 1
    elif model == "claude":
        assert answer.json() == {**CLAUDE, "model": "claude"}
    else:
        assert [choice["text"] for choice in answer.json()["choices"]] == ["just words"]
