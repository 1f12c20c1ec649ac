"""What a table says better than a fixture each: finish reasons, block reasons, statuses, broken replies."""

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_imagegen.canonical import (
    EndDelta,
    Limits,
    OnNoImage,
    Outcome,
    PictureDelta,
    Preferences,
    TextDelta,
)
from litellm_imagegen.codec import Call, Reply
from litellm_imagegen.errors import BadReply, NoImage, ProviderError
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.surfaces.chat import CompletionChunks, completion
from tests.unit.helpers import (
    GEMINI,
    KEY,
    Said,
    ScriptedTransport,
    answer,
    base64_of,
    carry_out,
    picture_bytes,
    plan_of,
)

PNG = picture_bytes()
PICTURE = {"inlineData": {"mimeType": "image/png", "data": base64_of(PNG)}}
REFUSED = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"),
)
FAULTS = (
    *("OTHER", "MALFORMED_FUNCTION_CALL", "IMAGE_OTHER", "NO_IMAGE", "UNEXPECTED_TOOL_CALL"),
    *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "ESCALATION"),
    *("PUP_LIMITED_DISABLED", "CONTINUATION", "FINISH_REASON_UNSPECIFIED", "A_REASON_OF_TOMORROW"),
)
BLOCKED = (
    *("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"),
    *("BLOCK_REASON_UNSPECIFIED", "A_REASON_OF_TOMORROW"),
)


ODD_COUNTS: tuple[Any, ...] = ("x", "12", None, [], {}, 1.5, -1, 10**30)


def said(*parts: Any, reason: Any = "STOP") -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": reason}]}


def _either(body: dict[str, Any], streams: bool) -> Said:
    return Said.events(body) if streams else Said.json(body)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_picture_is_a_refusal_that_says_why(reason: str, streams: bool) -> None:
    body = {"candidates": [{"finishReason": reason, "finishMessage": "Sorry."}]}
    result = answer(plan_of({"stream": streams}), _either(body, streams))
    assert result.outcome is Outcome.REFUSED
    assert all(word in (result.refusal or "") for word in ("gemini", reason, "Sorry."))
    choice = completion(result)["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", "")


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("reason", BLOCKED)
def test_a_refused_prompt_is_a_refusal_that_says_why(reason: str, streams: bool) -> None:
    body = {"promptFeedback": {"blockReason": reason, "blockReasonMessage": "Sorry."}, "candidates": []}
    result = answer(plan_of({"stream": streams}), _either(body, streams))
    assert result.outcome is Outcome.REFUSED
    assert all(word in (result.refusal or "") for word in ("gemini", "prompt", reason, "Sorry."))


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("reason", FAULTS)
def test_an_empty_answer_for_another_reason_is_a_bad_reply_that_names_it(reason: str, streams: bool) -> None:
    with pytest.raises(BadReply, match=reason):
        answer(plan_of({"stream": streams}), _either(said(reason=reason), streams))


@pytest.mark.parametrize("reason", [*REFUSED, *FAULTS, "STOP", "MAX_TOKENS"])
def test_a_picture_that_arrived_is_shown_whatever_the_reason(reason: str) -> None:
    result = answer(plan_of(), Said.json(said(PICTURE, reason=reason)))
    assert result.outcome is Outcome.PICTURES
    assert completion(result)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("reason", FAULTS)
def test_words_with_a_reason_that_is_no_refusal_are_shown(reason: str) -> None:
    result = answer(plan_of(), Said.json(said({"text": "I would rather not."}, reason=reason)))
    assert (result.outcome, result.text) == (Outcome.WORDS_ONLY, "I would rather not.")


@pytest.mark.parametrize(
    ("status", "state", "kind", "ours"),
    [
        (400, "INVALID_ARGUMENT", "ProviderRejected", 400),
        (400, "FAILED_PRECONDITION", "ProviderRejected", 400),
        (413, "INVALID_ARGUMENT", "ProviderRejected", 400),
        (422, "INVALID_ARGUMENT", "ProviderRejected", 400),
        (401, "UNAUTHENTICATED", "AuthenticationFailed", 401),
        (402, "BILLING", "PaymentRequired", 402),
        (403, "PERMISSION_DENIED", "PermissionRefused", 403),
        (404, "NOT_FOUND", "UnknownModel", 404),
        (429, "RESOURCE_EXHAUSTED", "RateLimited", 429),
        (499, "CANCELLED", "ProviderUnavailable", 503),
        (500, "INTERNAL", "ProviderFailed", 500),
        (501, "UNIMPLEMENTED", "ProviderFailed", 500),
        (502, "BAD_GATEWAY", "ProviderUnavailable", 503),
        (503, "UNAVAILABLE", "ProviderUnavailable", 503),
        (504, "DEADLINE_EXCEEDED", "ProviderUnavailable", 503),
        (529, "OVERLOADED", "ProviderUnavailable", 503),
        (302, "FOUND", "BadReply", 502),
        (204, "NO_CONTENT", "BadReply", 502),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
def test_every_status_has_its_error(status: int, state: str, kind: str, ours: int, streams: bool) -> None:
    body = {"error": {"code": status, "message": f"it said {state}", "status": state}}
    with pytest.raises(ProviderError) as caught:
        answer(plan_of({"stream": streams}), Said.json(body, status))
    assert (type(caught.value).__name__, caught.value.status) == (kind, ours)
    assert caught.value.message.startswith("gemini: ")
    assert f"it said {state}" in caught.value.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("1.5", 1.5), ("junk", None), ("-3", None), ("1e9", None), ("nan", None)],
)
def test_how_long_to_wait_is_a_sane_number_or_unknown(header: str, seconds: float | None) -> None:
    with pytest.raises(ProviderError) as caught:
        answer(plan_of(), Said.json({}, 429, {"retry-after": header}))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [400, 503])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff\xfe\x00", b"null", b"[]", b"7", b'"x"', b"[" * 100_000),
        *(b'{"error": "text"}', b'{"error": {"details": 5}}'),
        b'{"error": {"message": 5, "code": "x", "details": [1, null, {"retryDelay": 3, "reason": []}]}}',
    ],
)
def test_an_error_of_any_shape_is_told_by_its_status(status: int, body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        answer(plan_of(), Said(status, {}, (body,)))
    assert caught.value.status == status
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"candidates":' * 50_000,
        '{"candidates": NaN}',
        "\ufeff{}",
        '{"candidates": [{"content": {"parts": [{"text": "\\ud800"}]}}]}',
        "null",
        "7",
        '"words"',
        "{} {}",
    ],
    ids=[
        "arrays",
        "objects",
        "NaN",
        "byte order mark",
        "half a surrogate",
        "null",
        "number",
        "string",
        "two",
    ],
)
def test_json_that_nobody_can_use_is_a_bad_reply(body: str, streams: bool) -> None:
    plan = plan_of({"stream": streams})
    with pytest.raises(BadReply):
        answer(plan, Said.events(body) if streams else Said(pieces=(body.encode(),)))


@pytest.mark.parametrize("shown", range(-40, 5, 4))
def test_no_part_of_a_key_is_shown_where_an_upstreams_words_are_cut(shown: int) -> None:
    words = ("busy " * 100)[: 500 + shown]
    with pytest.raises(ProviderError) as caught:
        answer(plan_of(), Said.json({"error": {"code": 503, "message": words + KEY}}, 503))
    assert KEY[:8] not in f"{caught.value.message} {caught.value!r}"


def test_a_picture_over_the_operators_limit_is_a_bad_reply() -> None:
    large = picture_bytes(size=(300, 200)) + b"\0" * 100
    body = said({"inlineData": {"mimeType": "image/png", "data": base64_of(large)}})
    with pytest.raises(BadReply, match=r"limits\.picture_bytes"):
        carry_out(plan_of(), ScriptedTransport(Said.json(body)), Limits(picture_bytes=len(large) - 1))
    assert carry_out(plan_of(), ScriptedTransport(Said.json(body)), Limits(picture_bytes=len(large)))


def _pref(on_no_image: OnNoImage) -> Preferences:
    return Preferences(on_no_image=on_no_image)


USED = {"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 6, "totalTokenCount": 10}}
WORDS = {**said({"text": "Which one?"}), **USED}


@pytest.mark.parametrize("streams", [False, True])
def test_words_alone_are_an_error_where_that_was_wished(streams: bool) -> None:
    """Each endpoint has an error of its own for that; chat's is one."""
    plan = plan_of({"stream": streams}, preferences=_pref(OnNoImage.ERROR))
    result = answer(plan, _either(WORDS, streams))
    assert (result.outcome, result.text) == (Outcome.NO_IMAGE, "Which one?")
    with pytest.raises(NoImage, match="Which one"):
        completion(result)
    with pytest.raises(NoImage, match="Which one"):
        list(CompletionChunks().end(result))


def test_words_alone_are_fine_where_only_words_were_asked_for() -> None:
    plan = plan_of({"modalities": ["text"]}, preferences=_pref(OnNoImage.ERROR))
    assert answer(plan, Said.json(WORDS)).outcome is Outcome.WORDS_ONLY


@pytest.mark.parametrize("streams", [False, True])
def test_a_second_try_replaces_words_and_both_are_counted(streams: bool) -> None:
    transport = ScriptedTransport(_either(WORDS, streams), _either({**said(PICTURE), **USED}, streams))
    deltas, result = carry_out(plan_of({"stream": streams}, preferences=_pref(OnNoImage.RETRY)), transport)
    assert [type(delta) for delta in deltas] == [PictureDelta]
    assert (result.outcome, len(transport.calls)) == (Outcome.PICTURES, 2)
    assert result.usage is not None
    assert (result.usage.prompt_tokens, result.usage.total_tokens) == (8, 20)


def test_a_second_try_that_gives_words_too_shows_them_once() -> None:
    transport = ScriptedTransport(Said.json(WORDS), Said.json(WORDS))
    deltas, result = carry_out(plan_of(preferences=_pref(OnNoImage.RETRY)), transport)
    assert deltas == [TextDelta(text="Which one?")]
    assert (result.outcome, result.text, len(transport.calls)) == (Outcome.WORDS_ONLY, "Which one?", 2)


@pytest.mark.parametrize(
    "change",
    [
        {"finishReason": ["STOP"]},
        {"finishReason": {"a": 1}},
        {"finishReason": 7},
        {"finishMessage": [1]},
        {"content": "text"},
        {"content": [PICTURE]},
        {"safetyRatings": 5},
    ],
    ids=lambda change: "-".join(f"{key} {type(value).__name__}" for key, value in change.items()),
)
def test_an_odd_value_in_a_candidate_does_not_lose_the_rest(change: dict[str, Any]) -> None:
    body = said(PICTURE)
    body["candidates"][0] |= change
    if "content" in change:
        with pytest.raises(BadReply):
            answer(plan_of(), Said.json(body))
    else:
        assert len(answer(plan_of(), Said.json(body)).pictures) == 1


@pytest.mark.parametrize(
    "change",
    [
        *({"promptTokenCount": odd} for odd in ODD_COUNTS),
        *({"totalTokenCount": odd} for odd in ODD_COUNTS),
        *({"thoughtsTokenCount": odd} for odd in ODD_COUNTS),
        *({"cachedContentTokenCount": odd} for odd in ODD_COUNTS),
        {"candidatesTokensDetails": [{"modality": "IMAGE"}, {"modality": "IMAGE", "tokenCount": "x"}, 5]},
        {"promptTokensDetails": {"modality": "TEXT"}},
    ],
    ids=str,
)
def test_an_odd_count_does_not_lose_the_picture(change: dict[str, Any]) -> None:
    usage = {"promptTokenCount": 4, "candidatesTokenCount": 6, "totalTokenCount": 10, **change}
    body = json.dumps({**said(PICTURE), "usageMetadata": usage})  # orjson writes no number over 64 bits
    result = answer(plan_of(), Said(pieces=(body.encode(),)))
    assert len(result.pictures) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
WHOLE: dict[str, Any] = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "hi", "thought": False}, PICTURE]},
            "finishReason": "STOP",
            "safetyRatings": [{"category": "x", "probability": "LOW"}],
        }
    ],
    "promptFeedback": {"safetyRatings": []},
    "usageMetadata": {
        "promptTokenCount": 4,
        "candidatesTokenCount": 6,
        "thoughtsTokenCount": 1,
        "totalTokenCount": 11,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}],
    },
    "error": {"code": 500, "message": "x", "details": [{"@type": "x", "retryDelay": "3s"}]},
}


def _spoil(data: st.DataObject, value: Any) -> Any:
    """`value` with one place in it replaced by anything, or removed."""
    keys = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    if not keys or data.draw(st.integers(0, 3)) == 0:
        return data.draw(JSON)
    key = data.draw(st.sampled_from(keys))
    if isinstance(value, dict) and data.draw(st.integers(0, 3)) == 0:
        del value[key]
    else:
        value[key] = _spoil(data, value[key])
    return value


@settings(max_examples=400)
@given(st.data(), st.booleans())
def test_no_reply_whatever_fails_but_with_a_provider_error(data: st.DataObject, is_error: bool) -> None:
    body = _spoil(data, copy.deepcopy(WHOLE))
    if isinstance(body, dict) and not is_error:
        body.pop("error", None)
    plan = plan_of()
    try:
        deltas = GEMINI.wires[-1].codec.decode(
            plan, Reply(call=Call(), status=200, headers={}, body=IncomingJson.of(orjson.dumps(body)))
        )
    except ProviderError:
        deltas = ()
    assert all(isinstance(delta, TextDelta | PictureDelta | EndDelta) for delta in deltas)
    error = GEMINI.wires[-1].codec.decode_error(
        plan, Reply(call=Call(), status=503, headers={}, body=IncomingJson.of(orjson.dumps(body)))
    )
    assert isinstance(error, ProviderError)
