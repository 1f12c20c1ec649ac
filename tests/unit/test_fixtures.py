"""Walks tests/fixtures: what a client sends, the call that goes out, what comes back, what becomes of it.

A fixture holds `request` (model and chat body), the exact `call`, then `replies` (whole, in order) or
`events` (of one stream), and a `result` or an `error`. What a result does not mention is not compared,
except notices and refusal, which must then be absent.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest

from litellm_imagegen import errors
from litellm_imagegen.canonical import ImageResult, PictureDelta, TextDelta, TextPart
from litellm_imagegen.errors import ProviderError
from tests.unit.helpers import KEY, Said, ScriptedTransport, carry_out, plan_of

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures" / "gemini").glob("*.json"))


def _answers(case: dict[str, Any]) -> list[Said]:
    if "events" in case:
        return [Said.events(*case["events"])]
    return [
        Said(reply["status"], reply.get("headers", {}), (reply["text"].encode(),))
        if "text" in reply
        else Said.json(reply["body"], reply["status"], reply.get("headers"))
        for reply in case["replies"]
    ]


def _check_result(result: ImageResult, expected: dict[str, Any]) -> None:
    parts = [
        {"text": part.text}
        if isinstance(part, TextPart)
        else {"mime": part.blob.mime, "base64": bytes(part.blob.base64).decode()}
        for part in result.parts
    ]
    assert parts == expected["parts"]
    assert (result.outcome, result.finish) == (expected["outcome"], expected["finish"])
    usage = result.usage and result.usage.model_dump(exclude_none=True, exclude={"cost"})
    assert usage == expected["usage"]
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


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_exchange_goes_as_the_fixture_says(path: Path) -> None:
    case = orjson.loads(path.read_bytes())
    plan = plan_of(case["request"]["body"], model=case["request"]["model"])
    transport = ScriptedTransport(*_answers(case))
    if "error" in case:
        with pytest.raises(getattr(errors, case["error"]["type"])) as caught:
            carry_out(plan, transport)
        _check_error(caught.value, case["error"])
    else:
        deltas, result = carry_out(plan, transport)
        _check_result(result, case["result"])
        shown = [delta.text if isinstance(delta, TextDelta) else delta.picture for delta in deltas]
        assert "".join(piece for piece in shown if isinstance(piece, str)) == result.text
        assert [delta.picture for delta in deltas if isinstance(delta, PictureDelta)] == [*result.pictures]
    (call,) = transport.calls
    sent = {"path": call.path, "query": call.query, "body": orjson.loads(orjson.dumps(call.body))}
    assert sent == case["call"]
    assert (call.method, call.streams) == ("POST", bool(case["call"]["query"]))
