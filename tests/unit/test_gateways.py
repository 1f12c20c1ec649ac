"""What gateways say beside the pictures: what an error is, what a call has cost, which formats there are."""

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from litellm_imagegen import errors
from litellm_imagegen.canonical import Outcome
from litellm_imagegen.dialects import parse_images
from litellm_imagegen.providers import PROVIDERS
from tests.unit.helpers import (
    Said,
    ScriptedTransport,
    answer,
    base64_of,
    carry_out,
    data_url,
    picture_bytes,
    plan_of,
)

OPENROUTER, VERCEL = PROVIDERS["openrouter"], PROVIDERS["vercel"]
MODEL = "google/gemini-3-pro-image"
PICTURE = {"image_url": {"url": data_url(picture_bytes())}}


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        # Inside of a success: metadata go before the code, and the code before the type.
        (200, {"metadata": {"error_type": "rate_limit_exceeded"}, "code": "forbidden"}, "RateLimited"),
        (200, {"code": "authentication", "type": "server_error"}, "AuthenticationFailed"),
        (200, {"type": "provider_overloaded"}, "ProviderUnavailable"),
        (200, {"code": 429, "type": "server_error"}, "RateLimited"),
        (200, {"code": "unheard-of"}, "BadReply"),
        # No credit and no such model, whatever the status is.
        (403, {"code": "insufficient_funds"}, "PaymentRequired"),
        (429, {"type": "insufficient_quota"}, "PaymentRequired"),
        (400, {"metadata": {"error_type": "payment_required"}}, "PaymentRequired"),
        (429, {"message": "You are out of credit"}, "PaymentRequired"),
        (500, {"message": "Insufficient credits at the provider"}, "ProviderFailed"),
        (400, {"code": "model_not_found"}, "UnknownModel"),
        (200, {"type": "model_not_found"}, "UnknownModel"),
        (424, {"type": "x"}, "ProviderUnavailable"),
        # Reasons are those of a moderation in a 403 alone.
        (400, {"metadata": {"reasons": ["size"]}}, "ProviderRejected"),
        (429, {"metadata": {"reasons": ["too many"], "flagged_input": "x"}}, "RateLimited"),
    ],
    ids=str,
)
def test_an_error_has_the_status_that_its_words_tell(status: int, error: dict[str, Any], kind: str) -> None:
    plan = plan_of(model=MODEL, provider=OPENROUTER)
    with pytest.raises(errors.ProviderError) as caught:
        answer(plan, Said.json({"error": {"message": "no more", **error}}, status))
    assert type(caught.value).__name__ == kind
    assert caught.value.message.startswith("openrouter: ")
    assert error.get("message", "no more") in caught.value.message


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, {"metadata": {"reasons": ["violence"]}}),
        (200, {"metadata": {"flagged_input": "blood"}}),
        (500, {"metadata": {"error_type": "content_policy"}}),
        (422, {"type": "image_content_policy_violation"}),
    ],
    ids=str,
)
def test_a_refusal_is_none_of_them(status: int, error: dict[str, Any]) -> None:
    plan = plan_of(model=MODEL, provider=OPENROUTER)
    result = answer(plan, Said.json({"error": {"message": "no", **error}}, status))
    assert result.outcome is Outcome.REFUSED
    assert (result.refusal or "").startswith("openrouter refused the prompt: no")


@pytest.mark.parametrize("finish", ["stop", "content_filter"])
@pytest.mark.parametrize("draws", [False, True])
def test_words_in_which_a_model_refuses_are_put_together_where_no_picture_comes(
    finish: str, draws: bool
) -> None:
    deltas: list[dict[str, Any]] = [{"refusal": "I cannot "}, {"refusal": "draw that."}]
    deltas += [{"images": [PICTURE]}] if draws else []
    chunks = [{"choices": [{"delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {"choices": [{"delta": {}, "finish_reason": finish}]}
    plan = plan_of({"stream": True}, model=MODEL, provider=OPENROUTER)
    result = answer(plan, Said.events(*chunks, last, "[DONE]"))
    assert result.outcome is (Outcome.PICTURES if draws else Outcome.REFUSED)
    is_refused = finish == "content_filter" or not draws
    assert result.refusal == ("openrouter refused the answer: I cannot draw that." if is_refused else None)


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"cost": 0.5}, 0.5),
        ({"cost": "0.134"}, 0.134),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.134}}, 0.144),
        ({"is_byok": True, "cost_details": {"upstream_inference_cost": "0.134"}}, 0.134),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, 0.01),
        ({"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.134}}, 0.01),
        # What is no amount is not told: LiteLLM has a price, or ours is taken.
        *(({"cost": odd}, None) for odd in ("free", "-1", "1.2.3", "nan", -1, True, None)),
    ],
    ids=str,
)
def test_what_a_gateway_has_charged_counts(told: dict[str, Any], cost: float | None) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, **told}
    message = {"images": [PICTURE]}
    said = Said.json({"choices": [{"finish_reason": "stop", "message": message}], "usage": usage})
    result = answer(plan_of(model="acme/painter-1", provider=OPENROUTER), said)
    assert result.usage is not None
    assert result.usage.cost == (None if cost is None else pytest.approx(cost))


@pytest.mark.parametrize(("form", "sent"), [("png", "png"), ("jpeg", "jpeg"), ("webp", None)])
def test_vercels_flux_is_asked_for_the_formats_that_it_has_there(form: str, sent: str | None) -> None:
    body = {"prompt": "a red dot", "output_format": form}
    plan = plan_of(body, model="bfl/flux-2-pro", provider=VERCEL, parse=parse_images)
    drawn = picture_bytes(sent or "png")
    transport = ScriptedTransport(Said.json({"data": [{"b64_json": base64_of(drawn)}]}))
    _, result = carry_out(plan, transport)
    (call,) = transport.calls
    assert call.body is not None
    options = {"providerOptions": {"blackForestLabs": {"outputFormat": sent}}} if sent else {}
    own = {"model": "bfl/flux-2-pro", "prompt": "a red dot", "response_format": "b64_json"}
    assert call.body == {**own, **options}
    with Image.open(io.BytesIO(result.pictures[0].blob.raw)) as seen:
        assert (seen.format or "").lower() == form
    assert result.notices == ()


def test_two_wires_of_a_provider_have_two_names() -> None:
    with pytest.raises(ValueError, match="openrouter: two wires of one name"):
        replace(OPENROUTER, wires=(*OPENROUTER.wires, OPENROUTER.wires[0]))
