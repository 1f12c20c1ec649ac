"""What holds for every codec: it spells whatever it says it can, survives any reply, and tells no key."""

import copy
import io
import json
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    EndDelta,
    Finish,
    ImageInput,
    Modality,
    Name,
    PartialDelta,
    PictureDelta,
    RemotePicture,
    TextDelta,
)
from litellm_imagegen.codec import Call, Codec, Reply, poll_delay
from litellm_imagegen.errors import ImagegenError, InvalidParameter, ProviderError, ProviderRejected
from litellm_imagegen.lifting import IncomingJson
from litellm_imagegen.plan import Plan
from litellm_imagegen.profiles import rows_of
from litellm_imagegen.providers import PROVIDERS, Provider, Via, Wire
from tests.unit.helpers import (
    KEY,
    PRO,
    Said,
    ScriptedTransport,
    base64_of,
    carry_out,
    endpoint_of,
    job_of,
    picture_bytes,
    plan_of,
    with_downloads,
    without_waiting,
)
from tests.unit.test_recorded import DIRECTORY


def _clear() -> bytes:
    """A picture that is transparent everywhere."""
    held = io.BytesIO()
    Image.new("RGBA", (3, 2), (0, 0, 0, 0)).save(held, "PNG")
    return held.getvalue()


PNG = picture_bytes()
CLEAR = _clear()
REFERENCE = ImageInput(blob=Blob.from_raw(PNG), spelling="image")
MASK = ImageInput(blob=Blob.from_raw(CLEAR), spelling="mask")
# A value for each name that stands nowhere else in a call.
LEGAL: dict[Name, Any] = {
    Name.ASPECT_RATIO: "21:9",
    Name.IMAGE_SIZE: "2K",
    Name.DIMENSIONS: (1312, 736),
    Name.QUALITY: "medium",
    Name.STYLE: "vivid",
    Name.BACKGROUND: "transparent",
    Name.OUTPUT_FORMAT: "webp",
    Name.OUTPUT_COMPRESSION: 37,
    Name.NEGATIVE_PROMPT: "no blue",
    Name.GUIDANCE: 3.75,
    Name.STEPS: 29,
    Name.STRENGTH: 0.375,
    Name.PROMPT_UPSAMPLING: False,
    Name.MODERATION: "low",
    Name.SAFETY_TOLERANCE: 0,
    Name.PERSON_GENERATION: "dont_allow",
    Name.WATERMARK: False,
    Name.INPUT_FIDELITY: "high",
    Name.PARTIAL_IMAGES: 3,
    Name.MUST_DRAW: True,
    Name.RESPONSE_FORMAT: "b64_json",
    Name.MASK: MASK,
    Name.N: 3,
    Name.MAX_TOKENS: 1234,
    Name.TEMPERATURE: 0.625,
    Name.TOP_P: 0.125,
    Name.TOP_K: 17,
    Name.SEED: 0,
    Name.STOP: ("enough",),
    Name.SAFETY_SETTINGS: ({"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},),
    Name.PROVIDER_OPTIONS: {"an_option_of_the_vendor": {"inner": [1, 2]}},
}
NEEDS_A_PICTURE = (Name.MASK, Name.INPUT_FIDELITY)
GATEWAYS = ("aione", "openrouter", "vercel")
# What the plan has decided before a codec sees it stands elsewhere in a plan.
IN_THE_OUTPUT = Name.MODALITIES


def _is_taken(provider: Provider, wire: Wire, model: str) -> bool:
    """Whether a model is called on a wire, for an endpoint of some kind or because somebody has chosen it."""
    return wire.is_chosen or any(provider.wire(model, surface) is wire for surface in wire.surfaces)


def _models(provider: Provider, wire: Wire) -> list[str]:
    ids = [f"{wire.prefix}{row.id}" for row in rows_of(wire.family, provider.rows)]
    return [model for model in ids if _is_taken(provider, wire, model)]


def _every_model() -> Iterator[Any]:
    """Every model of every wire of every provider."""
    for provider in PROVIDERS.values():
        for wire in provider.wires:
            for model in _models(provider, wire):
                yield pytest.param(provider, wire, model, id=f"{provider.name}-{wire.name}-{model}")


def _every_wire() -> Iterator[Any]:
    for provider in PROVIDERS.values():
        for wire in provider.wires:
            yield pytest.param(provider, wire, id=f"{provider.name}-{wire.name}")


def _model_of(provider: Provider, wire: Wire) -> str:
    """The newest model of a wire."""
    return _models(provider, wire)[-1]


EVERY_MODEL = [*_every_model()]
EVERY_WIRE = [*_every_wire()]


def _one_a_codec() -> Iterator[Any]:
    """A wire of each codec of each provider: replies are read alike on the others."""
    for provider in PROVIDERS.values():
        seen = {type(wire.codec).__name__: wire for wire in reversed(provider.wires)}
        for name, wire in seen.items():
            yield pytest.param(provider, wire, id=f"{provider.name}-{name}")


ONE_A_CODEC = [*_one_a_codec()]


A_RED_DOT = plan_of({"prompt": "a red dot"}, model=PRO)


def _plan(provider: Provider, model: str, values: dict[Name, Any], *, has_picture: bool) -> Plan:
    """A plan with these values and no others."""
    message = A_RED_DOT.messages[0]
    pictures = (REFERENCE,) if has_picture else ()
    message = message.model_copy(update={"parts": (*message.parts, *pictures)})
    return A_RED_DOT.model_copy(
        update={
            "provider": provider.name,
            "wire": provider.wire(model).name,
            "model": model,
            "messages": (message,),
            "references": pictures,
            "values": values,
            "stream": Name.PARTIAL_IMAGES in values,  # the plan has them for streams alone
        }
    )


def _spelled(codec: Codec, plan: Plan) -> dict[str, Any]:
    return codec.encode(plan).model_dump()


@pytest.mark.parametrize(("provider", "wire", "model"), EVERY_MODEL)
def test_every_name_of_the_vocabulary_changes_the_call(provider: Provider, wire: Wire, model: str) -> None:
    codec = wire.codec
    for name in codec.vocabulary - {IN_THE_OUTPUT}:
        has_picture = name in NEEDS_A_PICTURE or name not in codec.names(has_pictures=False)
        with_it = _plan(provider, model, {name: LEGAL[name]}, has_picture=has_picture)
        without = with_it.model_copy(update={"values": {}})
        assert _spelled(codec, with_it) != _spelled(codec, without), name


@pytest.mark.parametrize(("provider", "wire", "model"), EVERY_MODEL)
def test_every_name_of_the_vocabulary_counts_beside_all_others(
    provider: Provider, wire: Wire, model: str
) -> None:
    codec = wire.codec
    values = {name: LEGAL[name] for name in codec.names(has_pictures=True) - {IN_THE_OUTPUT}}
    full = _plan(provider, model, values, has_picture=True)
    for name in values:
        others = {other: value for other, value in values.items() if other is not name}
        less = full.model_copy(update={"values": others})
        assert _spelled(codec, less) != _spelled(codec, full), name


@pytest.mark.parametrize(("provider", "wire", "model"), EVERY_MODEL)
def test_no_name_beyond_the_vocabulary_is_spelled(provider: Provider, wire: Wire, model: str) -> None:
    codec = wire.codec
    # Both Imagen codecs share what they know of masks; no plan has one for a wire that takes none.
    names = LEGAL.keys() - codec.vocabulary - {Name.MASK}
    unknown = {name: LEGAL[name] for name in names}
    without = _plan(provider, model, {}, has_picture=True)
    assert _spelled(codec, without.model_copy(update={"values": unknown})) == _spelled(codec, without)


@pytest.mark.parametrize(("provider", "wire"), EVERY_WIRE)
def test_modalities_change_the_call_where_a_wire_knows_them(provider: Provider, wire: Wire) -> None:
    plan = _plan(provider, _model_of(provider, wire), {}, has_picture=False)
    alone = plan.model_copy(update={"output": (Modality.IMAGE,)})
    changes = _spelled(wire.codec, plan) != _spelled(wire.codec, alone)
    assert changes is (IN_THE_OUTPUT in wire.codec.vocabulary)


@pytest.mark.parametrize(("provider", "wire", "model"), EVERY_MODEL)
def test_prompt_model_and_every_picture_stand_in_the_call(provider: Provider, wire: Wire, model: str) -> None:
    codec = wire.codec
    has_picture = codec.maximum_pictures != 0
    plan = _plan(provider, model, {}, has_picture=has_picture)
    call = codec.encode(plan)
    form, body = call.form or (), call.body or {}
    assert model in call.path or ("model", model) in (*form, *body.items())
    files = [value.content for _, value in form if not isinstance(value, str)]
    shown = json.dumps(body)
    assert "a red dot" in shown or ("prompt", "a red dot") in form
    assert [*files, *[PNG] * shown.count(base64_of(PNG))] == [PNG] * has_picture


@pytest.mark.parametrize(("provider", "wire"), EVERY_WIRE)
def test_a_model_cannot_lead_a_call_to_another_host(provider: Provider, wire: Wire) -> None:
    plan = _plan(provider, "flux?b#c@d", {}, has_picture=False)
    call = wire.codec.encode(plan)
    assert not set("?#") & set(call.path)
    assert call.url is None


@pytest.mark.parametrize("model", ["delete_finetune", "flux-2-pro/../delete_finetune", "../v1/finetune"])
def test_a_model_of_bfl_is_no_other_service(model: str) -> None:
    plan = _plan(PROVIDERS["bfl"], model, {}, has_picture=False)
    with pytest.raises(InvalidParameter, match="model: ") as caught:
        PROVIDERS["bfl"].wire(model).codec.encode(plan)
    assert caught.value.field == "model"


@pytest.mark.parametrize(
    ("provider", "model"),
    [("bfl", "flux-pro-1.0-fill"), ("vertex", "imagen-3.0-capability-001")],
)
def test_a_mask_without_transparency_is_refused_at_its_place(provider: str, model: str) -> None:
    solid = ImageInput(blob=Blob.from_raw(PNG), spelling="mask")
    plan = _plan(PROVIDERS[provider], model, {Name.MASK: solid}, has_picture=True)
    with pytest.raises(InvalidParameter, match="mask: 'a mask without transparency'") as caught:
        PROVIDERS[provider].wire(model).codec.encode(plan)
    assert caught.value.field == "mask"


def test_a_job_is_asked_for_ever_more_rarely() -> None:
    delays = [poll_delay(attempt) for attempt in range(40)]
    assert delays[:3] == pytest.approx([0.25, 0.2875, 0.330625])
    assert delays == sorted(delays)
    assert delays[15:] == [2.0] * 25


# --- whatever a provider says ------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["Ready", "Error", "Pending", "Request Moderated", "Task not found", "https://[x", "é", "x" * 60]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
PICTURE = base64_of(PNG)
GOOGLE_ERROR = {
    "code": 400,
    "message": "no",
    "status": "INVALID_ARGUMENT",
    "details": [
        {
            "@type": "x",
            "retryDelay": "3s",
            "reason": "x",
            "fieldViolations": [{"field": "a", "description": "b"}],
        }
    ],
}
OPENAI_ERROR = {
    "message": "no",
    "type": "invalid_request_error",
    "param": "size",
    "code": "invalid_value",
    "moderation_details": {"moderation_stage": "input", "categories": ["x"]},
    "inner_error": {"code": "x", "content_filter_results": {}},
}
DRAWN = {
    "type": "image_generation_call",
    "id": "ig_1",
    "status": "completed",
    "result": PICTURE,
    "revised_prompt": "x" * 50,
    "output_format": "png",
    "quality": "low",
    "size": "1x1",
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "created_at": 1,
    "model": "gpt-5",
    "status": "completed",
    "error": None,
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        DRAWN,
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": "x" * 50, "annotations": []},
                {"type": "refusal", "refusal": "no"},
            ],
        },
        {"type": "image_generation_call", "status": "failed", "result": None},
    ],
    "usage": {
        "input_tokens": 4,
        "input_tokens_details": {"cached_tokens": 1},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 9,
    },
    "tool_usage": {
        "image_gen": {
            "input_tokens": 1,
            "output_tokens": 2,
            "output_tokens_details": {"image_tokens": 2, "text_tokens": 0},
            "total_tokens": 3,
        }
    },
}
WHOLE: dict[str, tuple[dict[str, Any], ...]] = {
    "bfl": (
        {"id": "job", "polling_url": "https://api.bfl.ai/x", "cost": 3.0, "input_mp": 0.0, "output_mp": 1.0},
        {
            "id": "job",
            "status": "Ready",
            "progress": 0.5,
            "details": {"Moderation Reasons": ["x"]},
            "cost": 3,
            "result": {"sample": "https://delivery.bfl.ai/x", "prompt": "x" * 50, "seed": 4, "cost": 1},
        },
        {"detail": [{"loc": ["body", "width"], "msg": "no", "type": "x"}], "message": "x", "error": "y"},
    ),
    "gpt_image": (
        {
            "created": 1,
            "data": [{"b64_json": PICTURE, "revised_prompt": "x" * 50, "url": None}],
            "output_format": "png",
            "quality": "low",
            "size": "1x1",
            "usage": {
                "input_tokens": 4,
                "input_tokens_details": {"text_tokens": 4, "image_tokens": 0},
                "output_tokens": 5,
                "output_tokens_details": {"image_tokens": 5, "text_tokens": 0},
                "total_tokens": 9,
            },
        },
        {"error": OPENAI_ERROR},
        {
            "type": "image_generation.partial_image",
            "b64_json": PICTURE,
            "partial_image_index": 1,
            "output_format": "png",
        },
        {
            "type": "image_edit.completed",
            "b64_json": PICTURE,
            "created_at": 1,
            "output_format": "png",
            "usage": {"input_tokens": 4, "output_tokens": 5, "total_tokens": 9},
        },
        {"type": "error", "error": OPENAI_ERROR},
    ),
    "imagen": (
        {
            "predictions": [
                {"mimeType": "image/png", "bytesBase64Encoded": PICTURE, "prompt": "x" * 50},
                {"raiFilteredReason": "no"},
            ],
            "deployedModelId": "7",
        },
        {"error": GOOGLE_ERROR},
    ),
    "gemini": ({"candidates": [{"content": {"parts": [{"text": "x"}]}}]}, {"error": GOOGLE_ERROR}),
    "gpt_5": (
        RESPONSE,
        {"error": OPENAI_ERROR},
        {"status": "failed", "error": {"code": "server_error", "message": "no"}, "output": []},
        {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []},
        {"type": "error", "code": "server_error", "message": "no", "param": None, "sequence_number": 3},
        {"type": "response.output_text.delta", "delta": "x" * 50},
        {
            "type": "response.image_generation_call.partial_image",
            "partial_image_index": 1,
            "partial_image_b64": PICTURE,
            "output_format": "png",
        },
        {"type": "response.output_item.done", "item": DRAWN},
        {"type": "response.completed", "response": RESPONSE},
        {"type": "response.failed", "response": {"error": {"code": "moderation_blocked", "message": "no"}}},
    ),
}
CHAT: dict[str, Any] = {
    "id": "gen-1",
    "created": 1,
    "model": "a model",
    "provider": "Google",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "native_finish_reason": "STOP",
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "x" * 50},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
                ],
                "refusal": None,
                "reasoning_details": [{"type": "reasoning.encrypted", "data": "x" * 50}],
                "images": [
                    {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}},
                    {"b64_json": PICTURE, "media_type": "image/png"},
                ],
            },
        }
    ],
    "usage": {
        "prompt_tokens": 4,
        "completion_tokens": 5,
        "total_tokens": 9,
        "completion_tokens_details": {"image_tokens": 5, "reasoning_tokens": 0},
        "cost": 0.5,
    },
}
GATEWAY_ERROR = {
    "code": 502,
    "message": "no",
    "type": "x",
    "param": "size",
    "metadata": {
        "error_type": "x",
        "reasons": ["x"],
        "provider_name": "Google",
        "raw": "no",
        "retry_after_seconds": 3,
    },
    "availability": {"retry_after": 3},
}
(CHOICE,) = CHAT["choices"]
CHUNK = {**CHAT, "choices": [{**CHOICE, "delta": CHOICE["message"]}]}
IMAGES = (
    {
        **WHOLE["gpt_image"][0],
        "data": [{"b64_json": PICTURE, "media_type": "image/png"}, {"url": "https://example.com/x.png"}],
        "provider_metadata": {"gateway": {"cost": "0.5"}},
    },
    *WHOLE["gpt_image"][2:4],
    {"error": GATEWAY_ERROR},
)
PARTS = [
    {"type": "output_text", "text": "x" * 50},
    {"type": "output_image", "image_url": f"data:image/png;base64,{PICTURE}"},
]
# What each wire is answered with.
SAID: dict[str, tuple[dict[str, Any], ...]] = {
    "BflCodec": WHOLE["bfl"],
    "ChatImagesCodec": (CHAT, CHUNK, {"error": GATEWAY_ERROR}),
    "GeminiContentCodec": WHOLE["gemini"],
    "HeliconeResponsesCodec": (
        {**RESPONSE, "output": [{"type": "message", "content": PARTS}]},
        *({"type": "response.content_part.done", "part": part} for part in PARTS),
        *WHOLE["gpt_5"][1:],
    ),
    "ImagenPredictCodec": WHOLE["imagen"],
    "OpenAiImagesCodec": WHOLE["gpt_image"],
    "OpenAiResponsesCodec": WHOLE["gpt_5"],
    "LitellmImagesCodec": (
        *IMAGES,
        {"error": OPENAI_ERROR},
        {"message": "no", "detail": [{"loc": ["body", "size"], "msg": "no"}], "data": []},
        {"data": [{"url": f"data:image/png;base64,{PICTURE}"}], "has_nsfw_concepts": [True], "cost": 0.5},
    ),
    "OpenRouterImagesCodec": IMAGES,
    "VercelImagesCodec": IMAGES,
}
NOT_STREAMED = ("BflCodec", "ImagenPredictCodec", "LitellmImagesCodec", "VercelImagesCodec")


def _said(wire: Wire) -> tuple[dict[str, Any], ...]:
    return SAID[type(wire.codec).__name__]


STATUSES = (200, 202, 302, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 599)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"retry-after": "7"},
    {"retry-after": "soon"},
    {"retry-after": "-1"},
    {"retry-after": "Sat, 21 Nov 2026 15:00:00 GMT", "date": "Sat, 21 Nov 2026 14:59:00 GMT"},
)
ODD: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 2**63, "", "x", "é", "https://[x", "x" * 70_000, "é" * 40_000),
    *([], [None], ["x"], [[1]], [{"x": 1}], {}, {"x": {"y": 1}}),
)
HOW = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES[1:]),
        "headers": st.sampled_from(HEADERS),
        "lifted_length": st.sampled_from([40, 65_536]),
    }
)
# Each polling wire is asked both for its submission and for a poll.
CALLS = (Call(), Call(method="GET", url="https://api.bfl.ai/x", attempt=1, may_repeat=True))


def _spoil(data: st.DataObject, value: Any) -> Any:
    """`value` with one place in it replaced by anything, or removed."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = [*value]
    elif isinstance(value, list):
        keys = [*range(len(value))]
    if not keys or data.draw(st.integers(0, 3)) == 0:
        return data.draw(JSON)
    key = data.draw(st.sampled_from(keys))
    if isinstance(value, dict) and data.draw(st.integers(0, 3)) == 0:
        del value[key]
    else:
        value[key] = _spoil(data, value[key])
    return value


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in `value`, as the keys that lead there."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _place(value: Any, path: tuple[Any, ...]) -> Hashable:
    """A place as a reader sees it: the keys that lead there, whichever item of a list, and those beside."""
    for key in path[:-1]:
        value = value[key]
    beside = tuple(sorted(value)) if isinstance(value, dict) else ()
    return tuple("*" if isinstance(key, int) else key for key in path), beside


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy of `value` with `odd` at a place in it."""
    if not path:
        return odd
    changed = copy.copy(value)
    changed[path[0]] = _with(value[path[0]], path[1:], odd)
    return changed


def _survives(
    provider: Provider,
    wire: Wire,
    call: Call,
    text: bytes,
    *,
    status: int,
    headers: Mapping[str, str],
    lifted_length: int,
) -> None:
    """Short strings may count as long ones here: what is lifted out of the JSON must come back."""
    plan = _plan(provider, PRO, {}, has_picture=False)

    def reply(status: int) -> Reply:
        return Reply(call=call, status=status, headers=headers, body=IncomingJson.of(text, lifted_length))

    try:
        steps = wire.codec.decode(plan, reply(200))
    except ProviderError as error:
        steps, told = (), error.message
    else:
        told = f"{provider.name}: "
    assert told.startswith(f"{provider.name}: ")
    assert all(isinstance(step, TextDelta | PictureDelta | EndDelta | RemotePicture | Call) for step in steps)
    assert sum(isinstance(step, Call) for step in steps) <= 1
    said = wire.codec.decode_error(plan, reply(status))
    if isinstance(said, EndDelta):
        assert said.finish is Finish.REFUSED
        assert said.refusal
    else:
        assert isinstance(said, ProviderError)
        assert said.message.startswith(f"{provider.name}: ")
    if type(wire.codec).__name__ in NOT_STREAMED:
        with pytest.raises(ProviderError, match="a stream"):
            wire.codec.decode_event(plan, IncomingJson.of(b"{}"))
        return
    try:
        deltas = wire.codec.decode_event(plan, IncomingJson.of(text, lifted_length))
    except ProviderError as error:
        deltas, told = (), error.message
    assert told.startswith(f"{provider.name}: ")
    known = TextDelta | PartialDelta | PictureDelta | RemotePicture | EndDelta
    assert all(isinstance(one, known) for one in deltas)


@pytest.mark.parametrize(("provider", "wire"), ONE_A_CODEC)
@pytest.mark.parametrize("call", CALLS, ids=("first", "poll"))
def test_no_odd_value_at_any_place_fails_but_with_a_provider_error(
    provider: Provider, wire: Wire, call: Call
) -> None:
    seen = set()
    for whole in _said(wire):
        for path in _places(whole):
            place = _place(whole, path)
            for odd in () if place in seen else ODD:
                text = orjson.dumps(_with(whole, path, odd))
                _survives(provider, wire, call, text, status=429, headers={}, lifted_length=65_536)
            seen.add(place)


@pytest.mark.parametrize(("provider", "wire"), ONE_A_CODEC)
@settings(max_examples=120)
@given(data=st.data())
def test_no_reply_whatever_fails_but_with_a_provider_error(
    provider: Provider, wire: Wire, data: st.DataObject
) -> None:
    body = _spoil(data, copy.deepcopy(data.draw(st.sampled_from(_said(wire)))))
    _survives(provider, wire, data.draw(st.sampled_from(CALLS)), orjson.dumps(body), **data.draw(HOW))


@pytest.mark.parametrize(("provider", "wire"), ONE_A_CODEC)
@settings(max_examples=100)
@given(data=st.data())
def test_no_bytes_whatever_fail_but_with_a_provider_error(
    provider: Provider, wire: Wire, data: st.DataObject
) -> None:
    text = orjson.dumps(data.draw(st.sampled_from(_said(wire))))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 9, len(text))))
    torn = text[:start] + data.draw(st.binary(max_size=60)) + text[end:]
    _survives(provider, wire, data.draw(st.sampled_from(CALLS)), torn, **data.draw(HOW))


@pytest.mark.parametrize(
    ("family", "body"),
    [
        ("gpt_image", b'{"data": [{"b64_json": "%s", "revised_prompt": "%s"}]}'),
        ("gpt_image", b'{"size": "%s%s", "data": []}'),
        ("gpt_5", b'{"output": [{"type": "image_generation_call", "result": "%s", "revised_prompt": "%s"}]}'),
        ("gpt_5", b'{"output": [{"type": "message", "content": [{"type": "output_text", "text": "%s%s"}]}]}'),
        ("gpt_5", b'{"output": [], "model": "%s%s"}'),
        ("imagen", b'{"predictions": [{"bytesBase64Encoded": "%s", "prompt": "%s"}]}'),
        ("imagen", b'{"predictions": [{"raiFilteredReason": "%s%s"}]}'),
        ("flux", b'{"id": "%s", "polling_url": "%s"}'),
        ("openrouter", b'{"choices": [{"message": {"content": "%s"}, "native_finish_reason": "%s"}]}'),
        ("vercel", b'{"choices": [{"message": {"images": [{"image_url": "%s%s"}]}}]}'),
        ("aione", b'{"choices": [{"message": {"content": [{"type": "text", "text": "%s%s"}]}}]}'),
    ],
)
def test_long_text_that_is_not_utf_8_is_a_bad_reply(family: str, body: bytes) -> None:
    provider, wire = next(
        (provider, wire)
        for provider in PROVIDERS.values()
        for wire in provider.wires
        if wire.family == family and (family not in GATEWAYS or wire.name == "chat")
    )
    text = body % (PICTURE.encode(), b"\xff" * 70_000)
    reply = Reply(call=Call(), status=200, headers={}, body=IncomingJson.of(text))
    with pytest.raises(ProviderError, match="not UTF-8"):
        wire.codec.decode(_plan(provider, PRO, {}, has_picture=False), reply)


def test_a_prompt_longer_than_what_is_lifted_is_not_told_as_revised() -> None:
    prompt = "a red dot " * 8_000
    said = {"status": "Ready", "result": {"sample": "https://delivery.bfl.ai/x", "prompt": prompt}}
    plan = _plan(PROVIDERS["bfl"], "flux-2-pro", {}, has_picture=False)
    reply = Reply(call=CALLS[1], status=200, headers={}, body=IncomingJson.of(orjson.dumps(said)))
    codec = PROVIDERS["bfl"].wires[0].codec
    picture, _ = codec.decode(plan.model_copy(update={"prompt": prompt}), reply)
    assert picture == RemotePicture(url="https://delivery.bfl.ai/x")
    revised, _ = codec.decode(plan, reply)
    assert isinstance(revised, RemotePicture)
    assert revised.revised_prompt == prompt


# --- no error tells the key --------------------------------------------------------------------------

TOLD = f"do not tell {KEY} to anybody"
TELLING: tuple[Any, ...] = (
    {"detail": TOLD},
    {"detail": [{"loc": ["header", KEY], "msg": TOLD}]},
    {"error": {"message": TOLD, "param": KEY, "code": KEY, "type": KEY, "status": KEY}},
    {"error": {"message": "x" * (490 - len(KEY) // 2) + f" {KEY}"}},
    {"error": TOLD},
    {"message": TOLD},
    [TOLD],
    TOLD,
    {"status": "Error", "details": {"reason": TOLD}},
    {"polling_url": f"https://evil.example/{KEY}", "id": KEY},
    {"polling_url": f"https://{KEY}.example/x", "id": KEY},
    {"status": "Ready", "result": {"sample": f"http://{KEY}.example/x"}},
    {KEY: KEY},
)


@pytest.mark.parametrize(("provider", "wire"), ONE_A_CODEC)
@pytest.mark.parametrize("status", STATUSES)
def test_no_error_repeats_the_key(
    provider: Provider, wire: Wire, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting(monkeypatch)
    with_downloads(monkeypatch)
    for said in TELLING:
        plan = plan_of({}, model=_model_of(provider, wire), provider=provider)
        transport = ScriptedTransport(*[Said.json(said, status)] * 9)
        with pytest.raises(ImagegenError) as caught:
            carry_out(plan, transport, endpoint=endpoint_of(provider))
        assert KEY not in repr(caught.value)
        assert KEY not in str(caught.value)
        assert KEY not in caught.value.message


@pytest.mark.parametrize("name", [name for name in PROVIDERS if PROVIDERS[name].via is Via.HTTP])
def test_no_job_shows_the_key(name: str) -> None:
    provider = PROVIDERS[name]
    plan = plan_of({}, model=_model_of(provider, provider.wires[-1]), provider=provider)
    job = job_of(plan, endpoint=endpoint_of(provider))
    assert KEY not in repr(job)
    assert job.endpoint.secrets == (KEY,)


# --- as recorded -------------------------------------------------------------------------------------


def _recorded(name: str) -> Said:
    path = DIRECTORY / f"openai-images.{name}.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} where IMAGEGEN_RECORDED points")
    return Said(pieces=(path.read_bytes(),))


def _decoded(said: Said) -> tuple[Any, ...]:
    plan = plan_of({}, model="gpt-image-1.5", provider=PROVIDERS["openai"])
    (text,) = said.pieces
    reply = Reply(call=Call(), status=200, headers={}, body=IncomingJson.of(text))
    return tuple(PROVIDERS["openai"].wire("gpt-image-1.5").codec.decode(plan, reply))


def test_recorded_pictures_of_openai_are_read() -> None:
    first, second, end = _decoded(_recorded("openai-image"))
    assert first.picture.revised_prompt.startswith("A small and adorable baby sea otter.")
    assert second.picture.revised_prompt is None
    assert {one.picture.blob.mime for one in (first, second)} == {"image/png"}
    assert first.picture.blob.raw != second.picture.blob.raw
    assert end == EndDelta(finish=Finish.STOP, facts={"created": 1770935200})


def test_a_recorded_edit_of_openai_is_read() -> None:
    picture, end = _decoded(_recorded("openai-image-edit"))
    assert picture.picture.blob.mime == "image/png"
    assert (picture.picture.revised_prompt, end.usage) == (None, None)
    assert end.facts == {
        "created": 1770935251,
        "size": "1024x1024",
        "quality": "high",
        "background": "opaque",
        "output_format": "png",
    }


def test_a_recorded_error_of_openai_names_the_parameter() -> None:
    said = _recorded("gpt-image-response-format-error")
    plan = plan_of({}, model="gpt-image-1.5", provider=PROVIDERS["openai"])
    with pytest.raises(ProviderRejected) as caught:
        carry_out(plan, ScriptedTransport(Said(400, {}, said.pieces)))
    assert caught.value.message == "openai: response_format: Unknown parameter: 'response_format'."
