"""Walks tests/fixtures: what a client sends, the calls that go out, what comes back, what becomes of it.

A folder is a provider, or one of its wires. A fixture holds `request` (model and body, of `endpoint` chat if
nothing else is said; `provider`, `options` and `wire` where they are not the folder's), the exact `call`,
then `replies` (whole, in order) or `events` (of one stream), and a `result` or an `error`. What a result does
not mention is not compared, except notices and refusal, which must then be absent.

`calls` in the place of `call` are several, each with its whole `url`, and a `body` or a `form`; they stream
where there are `events`. `partials` of a result are pictures on the way with their numbers. `downloads`
are the pictures at addresses, in the order in which they are asked for; where they have no `base64` nothing
comes. `delays` are the waits between calls.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pybase64
import pytest
from PIL import Image

from litellm_imagegen import errors
from litellm_imagegen.canonical import (
    ImageResult,
    PartialDelta,
    Picture,
    PictureDelta,
    TextDelta,
    TextPart,
)
from litellm_imagegen.codec import Call, FormFile
from litellm_imagegen.dialects import parse_chat, parse_edits, parse_images, parse_responses
from litellm_imagegen.engine import Step
from litellm_imagegen.errors import ProviderError
from litellm_imagegen.providers import PROVIDERS
from tests.unit.helpers import (
    ENDPOINT,
    KEY,
    PRO,
    Said,
    ScriptedTransport,
    base64_of,
    endpoint_of,
    plan_of,
    steps_of,
    with_downloads,
    without_waiting,
)

DIRECTORY = Path(__file__).parents[1] / "fixtures"
# What a folder stands for: a provider, and the model that a fixture speaks of if it names none.
FOLDERS = {
    "aione": ("aione", "gemini-3-pro-image-preview"),
    "azure": ("azure", "gpt-image-2"),
    "bfl": ("bfl", "flux-2-pro"),
    "gemini": ("gemini", PRO),
    "helicone": ("helicone", "gemini-3-pro-image-preview/google-ai-studio"),
    "helicone_responses": ("helicone", "gemini-3-pro-image-preview/google-ai-studio"),
    "imagen": ("gemini", "imagen-4.0-generate-001"),
    "openai": ("openai", "gpt-image-2"),
    "openai_responses": ("openai", "gpt-5"),
    "openrouter": ("openrouter", "google/gemini-3-pro-image"),
    "openrouter_images": ("openrouter", "black-forest-labs/flux.2-pro"),
    "vercel": ("vercel", "google/gemini-3-pro-image"),
    "vercel_images": ("vercel", "bfl/flux-2-pro"),
}
FIXTURES = sorted(DIRECTORY.glob("*/*.json"))
# Every provider has these; where a wire lacks a case its fixture shows what comes nearest.
CASES = (
    *("plain", "ratio_and_size", "n", "reference", "streamed"),
    *("prompt_refused", "picture_refused", "words_only"),
    *("bad_key", "quota", "bad_parameter", "fault", "cut_off"),
)
# The fixtures of the first provider have names of their own.
CASES_OF_GEMINI = {
    "plain": "picture_only",
    "ratio_and_size": "sends_openrouter",
    "reference": "sends_data_url",
    "streamed": "stream",
    "prompt_refused": "prompt_blocked",
    "picture_refused": "picture_refused_content_empty",
    "words_only": "words_only",
    "bad_key": "error_400_key",
    "quota": "error_429_header",
    "bad_parameter": "error_400_field",
    "fault": "error_503_page",
    "cut_off": "json_cut_off",
}
PARSERS: dict[str, Callable[..., Any]] = {
    "chat": parse_chat,
    "images": parse_images,
    "edits": parse_edits,
    "responses": parse_responses,
}


def _answers(case: dict[str, Any]) -> list[Said]:
    if "events" in case:
        return [Said.events(*case["events"])]
    return [
        Said(reply["status"], reply.get("headers", {}), (reply["text"].encode(),))
        if "text" in reply
        else Said.json(reply["body"], reply["status"], reply.get("headers"))
        for reply in case["replies"]
    ]


def _shown(part: TextPart | Picture) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"text": part.text}
    told = {"seed": part.seed, "revised_prompt": part.revised_prompt}
    return {
        "mime": part.blob.mime,
        "base64": bytes(part.blob.base64).decode(),
        **{name: value for name, value in told.items() if value is not None},
    }


def _check_result(result: ImageResult, expected: dict[str, Any]) -> None:
    assert [_shown(part) for part in result.parts] == expected["parts"]
    assert (result.outcome, result.finish) == (expected["outcome"], expected["finish"])
    usage = result.usage and result.usage.model_dump(exclude_none=True, exclude={"cost"})
    assert usage == expected["usage"]
    if "cost" in expected:
        assert result.usage is not None
        assert result.usage.cost == pytest.approx(expected["cost"], abs=1e-9)
    assert [[notice.code, notice.field] for notice in result.notices] == expected.get("notices", [])
    assert (result.refusal is not None) is ("refusal_contains" in expected)
    for words in expected.get("refusal_contains", []):
        assert words in (result.refusal or "")
    for name, value in expected.get("facts", {}).items():
        assert result.facts[name] == value


def _check_error(error: errors.ImagegenError, expected: dict[str, Any]) -> None:
    assert (type(error).__name__, error.status) == (expected["type"], expected["status"])
    for words in expected["message_contains"]:
        assert words in error.message
    assert KEY not in repr(error)
    assert len(error.message) < 600
    if "retry_after" in expected:
        assert isinstance(error, ProviderError)
        assert error.retry_after == expected["retry_after"]


def _check_call(call: Call, address: str, expected: dict[str, Any], *, streams: bool) -> None:
    """The whole call, nothing more and nothing less."""
    sent: dict[str, Any] = {"method": call.method, "url": address}
    if call.body is not None:
        sent["body"] = _like(orjson.loads(orjson.dumps(call.body)), expected.get("body"))
    if call.form is not None:
        sent["form"] = [[name, _form_value(value)] for name, value in call.form]
    assert sent == expected
    assert call.streams is streams


def _form_value(value: str | FormFile) -> Any:
    if isinstance(value, str):
        return value
    return {"name": value.name, "mime": value.mime, "base64": base64_of(value.content)}


def _like(sent: Any, expected: Any) -> Any:
    """What was sent, its pictures as grey values where the fixture has them so: an encoder may change."""
    if isinstance(expected, dict) and expected.keys() == {"grey"}:
        with Image.open(io.BytesIO(pybase64.b64decode(sent, validate=True))) as picture:
            grey = picture.convert("L")
            width, height = grey.size
            return {"grey": [[grey.getpixel((x, y)) for x in range(width)] for y in range(height)]}
    if isinstance(sent, dict) and isinstance(expected, dict):
        return {key: _like(value, expected.get(key)) for key, value in sent.items()}
    if isinstance(sent, list) and isinstance(expected, list) and len(sent) == len(expected):
        return [_like(*pair) for pair in zip(sent, expected, strict=True)]
    return sent


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_exchange_goes_as_the_fixture_says(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = orjson.loads(path.read_bytes())
    request = case["request"]
    folders_provider, folders_model = FOLDERS[path.parent.name]
    provider = PROVIDERS[request.get("provider", folders_provider)]
    waited = without_waiting(monkeypatch)
    scripted = [
        (given["url"], pybase64.b64decode(given["base64"]) if "base64" in given else "refused")
        for given in case.get("downloads", [])
    ]
    downloads = with_downloads(monkeypatch, *scripted)
    transport = ScriptedTransport(*_answers(case))
    options = {"wire": request.get("wire"), **request.get("options", {})}
    endpoint = endpoint_of(provider, **options) if "calls" in case else ENDPOINT

    def carried_out() -> list[Step]:
        plan = plan_of(
            request["body"],
            model=request.get("model", folders_model),
            provider=provider,
            parse=PARSERS[request.get("endpoint", "chat")],
            wire=request.get("wire"),
        )
        return steps_of(plan, transport, endpoint=endpoint)

    if "error" in case:
        with pytest.raises(getattr(errors, case["error"]["type"])) as caught:
            carried_out()
        _check_error(caught.value, case["error"])
    else:
        *deltas, result = carried_out()
        assert isinstance(result, ImageResult)
        _check_result(result, case["result"])
        assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == result.text
        assert [delta.picture for delta in deltas if isinstance(delta, PictureDelta)] == [*result.pictures]
        partials = [delta for delta in deltas if isinstance(delta, PartialDelta)]
        on_the_way = [{"number": delta.number, **_shown(delta.picture)} for delta in partials]
        assert on_the_way == case["result"].get("partials", [])
    assert transport.is_done
    assert downloads.urls == [given["url"] for given in case.get("downloads", [])]
    assert waited == pytest.approx(case.get("delays", []))
    if "call" in case:
        (call,) = transport.calls
        sent = {"path": call.path, "query": call.query, "body": orjson.loads(orjson.dumps(call.body))}
        assert sent == case["call"]
        assert (call.method, call.streams) == ("POST", bool(case["call"]["query"]))
    else:
        assert len(transport.calls) == len(case["calls"])
        for call, address, expected in zip(transport.calls, transport.addresses, case["calls"], strict=True):
            _check_call(call, address, expected, streams="events" in case)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_provider_has_every_case(folder: str) -> None:
    names = {path.stem for path in DIRECTORY.joinpath(folder).glob("*.json")}
    own = CASES_OF_GEMINI if folder == "gemini" else {}
    assert {own.get(case, case) for case in CASES} <= names


def test_every_folder_is_walked() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == FOLDERS.keys()
