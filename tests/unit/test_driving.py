"""Jobs that are submitted, asked for and fetched: what is repeated, what is never sent again, who waits."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, Limits, Outcome
from litellm_imagegen.codec import Call
from litellm_imagegen.dialects import parse_edits, parse_images
from litellm_imagegen.driving import Ledger
from litellm_imagegen.errors import (
    AuthenticationFailed,
    BadReply,
    DeadEnd,
    DeadlineExceeded,
    ImagegenError,
    InvalidParameter,
    JobFailed,
    LimitExceeded,
    ProviderFailed,
    ProviderUnavailable,
    RateLimited,
    RequestError,
)
from litellm_imagegen.fetching import FetchRules
from litellm_imagegen.plan import Plan
from litellm_imagegen.providers import PROVIDERS
from litellm_imagegen.transport import Deadline, Endpoint, Opened
from litellm_imagegen.wires.bfl import BflCodec
from tests.unit.helpers import (
    Said,
    ScriptedTransport,
    base64_of,
    data_url,
    endpoint_of,
    job_of,
    picture_bytes,
    plan_of,
    with_downloads,
    without_waiting,
)

BFL, OPENAI = PROVIDERS["bfl"], PROVIDERS["openai"]
PNG, BLUE = picture_bytes(), picture_bytes(color="blue")
SUBMISSION = "https://api.bfl.ai/v1/flux-2-pro"
CAT, DOG, SHAPE = (f"https://example.com/{name}.png" for name in ("cat", "dog", "shape"))
DRAWN = Said.json({"created": 1, "data": [{"b64_json": base64_of(PNG)}]})


def polling(number: int = 1) -> str:
    return f"https://api.us1.bfl.ai/v1/get_result?id=job-{number}"


def sample(number: int = 1) -> str:
    return f"https://delivery-us1.bfl.ai/job-{number}.png"


def taken(number: int = 1) -> Said:
    return Said.json({"id": f"job-{number}", "polling_url": polling(number), "cost": 3.0})


def state(status: str) -> Said:
    return Said.json({"id": "job-1", "status": status, "result": None})


def ready(number: int = 1) -> Said:
    return Said.json({"id": f"job-{number}", "status": "Ready", "result": {"sample": sample(number)}})


def failing(status: int = 503, headers: dict[str, str] | None = None) -> Said:
    return Said.json({"detail": "out of order"}, status, headers)


def bfl_plan(body: dict[str, Any] | None = None, model: str = "flux-2-pro", **given: Any) -> Plan:
    return plan_of(
        {"prompt": "a red dot", **(body or {})}, model=model, provider=BFL, parse=parse_images, **given
    )


def openai_plan(*addresses: str, **given: Any) -> Plan:
    body = {"prompt": "make it blue", "image": list(addresses)}
    return plan_of(body, model="gpt-image-1.5", provider=OPENAI, parse=parse_edits, **given)


def clear_picture(edge: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGBA", (edge, edge), (0, 0, 0, 0)).save(held, "PNG")
    return held.getvalue()


def ran(job: engine.Job, *answers: Said | Exception) -> tuple[ScriptedTransport, ImageResult]:
    transport = ScriptedTransport(*answers)
    result = asyncio.run(engine.run(job, transport))
    assert transport.is_done
    return transport, result


def failed(job: engine.Job, kind: type[ImagegenError], *answers: Said | Exception) -> ScriptedTransport:
    transport = ScriptedTransport(*answers)
    with pytest.raises(kind):
        asyncio.run(engine.run(job, transport))
    assert transport.is_done
    return transport


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return without_waiting(monkeypatch)


# --- a job that is paid for is asked for again and never sent again ------------------------------------


def test_after_failed_polls_another_try_asks_for_the_old_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    job = job_of(bfl_plan())
    first = failed(job, ProviderUnavailable, taken(), *[failing()] * 4)
    assert first.addresses == [SUBMISSION, *[polling()] * 4]
    second, result = ran(job, ready())
    assert second.addresses == [polling()]
    assert result.pictures[0].blob.raw == PNG


def test_after_a_failed_download_another_try_asks_for_the_old_job(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = with_downloads(monkeypatch, *[(sample(), "refused")] * 4, (sample(), PNG))
    job = job_of(bfl_plan())
    failed(job, DeadEnd, taken(), ready())
    second, result = ran(job, ready())
    assert second.addresses == [polling()]
    assert downloads.urls == [sample()] * 5
    assert result.outcome is Outcome.PICTURES


def test_after_the_deadline_another_try_asks_for_the_old_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    job = job_of(bfl_plan(deadline_seconds=0.01))

    async def endless(_: float) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr("litellm_imagegen.driving.pause", endless)
        failed(job, DeadlineExceeded, taken())
    job = replace(job, plan=job.plan.model_copy(update={"deadline_seconds": 300.0}))
    second, _ = ran(job, ready())
    assert second.addresses == [polling()]


def test_after_a_hang_up_another_try_asks_for_the_old_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    job = job_of(bfl_plan())

    async def endless(_: float) -> None:
        await asyncio.Event().wait()

    async def hung_up() -> None:
        task = asyncio.create_task(engine.run(job, ScriptedTransport(taken())))
        await job.accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with monkeypatch.context() as patch:
        patch.setattr("litellm_imagegen.driving.pause", endless)
        asyncio.run(hung_up())
    second, _ = ran(job, ready())
    assert second.addresses == [polling()]


def test_a_lost_job_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch)
    job = job_of(bfl_plan())
    failed(job, BadReply, taken(), *[state("Task not found")] * 4)
    second = failed(job, BadReply, *[state("Task not found")] * 4)
    assert second.addresses == [polling()] * 4


def test_an_address_that_no_key_goes_to_is_not_sent_to_by_another_try_either() -> None:
    job = job_of(bfl_plan())
    elsewhere = Said.json({"id": "job-1", "polling_url": "https://evil.example/x"})
    assert failed(job, DeadEnd, elsewhere).addresses == [SUBMISSION]
    assert failed(job, DeadEnd).addresses == []


def test_a_finished_job_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG), (sample(2), BLUE))
    job = job_of(bfl_plan())
    ran(job, taken(), ready())
    second, result = ran(job, taken(2), ready(2))
    assert second.addresses == [SUBMISSION, polling(2)]
    assert result.pictures[0].blob.raw == BLUE


@pytest.mark.parametrize("status", ["Error", "Failed"])
def test_a_failed_job_is_forgotten(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(2), PNG))
    job = job_of(bfl_plan())
    assert failed(job, JobFailed, taken(), state(status)).addresses == [SUBMISSION, polling()]
    second, _ = ran(job, taken(2), ready(2))
    assert second.addresses == [SUBMISSION, polling(2)]


@pytest.mark.parametrize("status", ["Request Moderated", "Content Moderated"])
def test_a_refused_job_is_forgotten(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(2), PNG))
    job = job_of(bfl_plan())
    _, result = ran(job, taken(), state(status))
    assert result.outcome is Outcome.REFUSED
    second, _ = ran(job, taken(2), ready(2))
    assert second.addresses[0] == SUBMISSION


OTHERS: dict[str, Plan] = {
    "prompt": bfl_plan({"prompt": "a blue dot"}),
    "model": bfl_plan(model="flux-2-max"),
    "seed": bfl_plan({"seed": 8}),
    "options": bfl_plan({"provider_options": {"bfl": {"raw": True}}}),
    "picture": bfl_plan({"image": data_url(PNG)}),
    "address": bfl_plan({"image": CAT}),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_request_is_submitted_anew(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(2), PNG))
    job = job_of(bfl_plan())
    failed(job, ProviderUnavailable, taken(), *[failing()] * 4)
    other, _ = ran(replace(job, plan=OTHERS[what]), taken(2), ready(2))
    assert other.addresses[0].startswith("https://api.bfl.ai/v1/flux-2-")
    assert len(other.addresses) == 2


def test_the_same_request_with_another_mask_is_submitted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(2), PNG))

    def masked(edge: int) -> Plan:
        body = {"image": data_url(PNG), "mask": data_url(clear_picture(edge))}
        return bfl_plan(body, model="flux-pro-1.0-fill")

    job = job_of(masked(3))
    failed(job, ProviderUnavailable, taken(), *[failing()] * 4)
    again = failed(job, ProviderUnavailable, *[failing()] * 4)
    assert again.addresses == [polling()] * 4
    other, _ = ran(replace(job, plan=masked(4)), taken(2), ready(2))
    assert other.addresses == ["https://api.bfl.ai/v1/flux-pro-1.0-fill", polling(2)]


def test_the_same_request_with_another_key_is_submitted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(2), PNG))
    job = job_of(bfl_plan())
    failed(job, ProviderUnavailable, taken(), *[failing()] * 4)
    endpoint = replace(endpoint_of(BFL), authentication={"x-key": "another"})
    other, _ = ran(replace(job, endpoint=endpoint), taken(2), ready(2))
    assert other.addresses == [SUBMISSION, polling(2)]


def test_the_jobs_of_one_request_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(1), PNG), (sample(2), BLUE))
    job = job_of(bfl_plan({"n": 2}))
    failed(job, ProviderFailed, taken(1), taken(2), *[failing(500)] * 8)
    second, result = ran(job, ready(1), ready(2))
    assert second.addresses == [polling(1), polling(2)]
    assert [picture.blob.raw for picture in result.pictures] == [PNG, BLUE]


def test_a_ledger_keeps_the_latest_jobs_only() -> None:
    ledger = Ledger()
    for number in range(65):
        ledger.note(number, Call(path=str(number)))
    assert ledger.find(0) is None
    assert [ledger.find(number) for number in (1, 64)] == [Call(path="1"), Call(path="64")]
    ledger.forget(64)
    ledger.forget("never noted")
    assert ledger.find(64) is None


# --- what is repeated, and how often ----------------------------------------------------------------


HUNG_UP = BadReply("bfl", "hung up before it answered")
UNREACHABLE = ProviderUnavailable("bfl", "cannot be reached")


@pytest.mark.parametrize("error", [HUNG_UP, UNREACHABLE])
def test_a_poll_without_an_answer_is_repeated(
    error: Exception, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    transport, _ = ran(job_of(bfl_plan()), taken(), error, error, error, ready())
    assert transport.addresses == [SUBMISSION, *[polling()] * 4]
    assert waited == [0.25, 1, 2, 4]


@pytest.mark.parametrize("error", [HUNG_UP, UNREACHABLE])
def test_a_submission_without_an_answer_is_not_repeated(error: Exception, waited: list[float]) -> None:
    assert failed(job_of(bfl_plan()), type(error), error).addresses == [SUBMISSION]  # type: ignore[arg-type]
    assert waited == []


def test_a_poll_fails_with_the_fourth_failure_in_a_row(waited: list[float]) -> None:
    errors: list[Said | Exception] = [failing(500), HUNG_UP, failing(429), UNREACHABLE]
    failed(job_of(bfl_plan()), ProviderUnavailable, taken(), *errors)
    assert waited == [0.25, 1, 2, 4]


def test_a_poll_that_succeeds_starts_the_count_anew(
    waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    ran(
        job_of(bfl_plan()),
        *(taken(), failing(), failing(), failing(), state("Pending")),
        *(failing(), failing(), failing(), ready()),
    )
    assert waited == pytest.approx([0.25, 1, 2, 4, 0.2875, 1, 2, 4])


def test_a_refused_key_ends_the_polling_at_once(waited: list[float]) -> None:
    said = Said.json({"detail": "Not authenticated"}, 403)
    failed(job_of(bfl_plan()), AuthenticationFailed, taken(), said)
    assert waited == [0.25]


def test_a_busy_provider_is_asked_four_times_to_take_a_job(waited: list[float]) -> None:
    transport = failed(job_of(bfl_plan()), RateLimited, *[failing(429)] * 4)
    assert transport.addresses == [SUBMISSION] * 4
    assert waited == [1, 2, 4]


def test_a_stated_wait_goes_before_ours(waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    ran(job_of(bfl_plan()), failing(429, {"Retry-After": "30"}), failing(429), taken(), ready())
    assert waited == [30, 2, 0.25]


def test_a_wait_beyond_the_deadline_is_not_begun(waited: list[float]) -> None:
    plan = bfl_plan(deadline_seconds=3.5)
    transport = failed(job_of(plan), RateLimited, *[failing(429)] * 3)
    assert transport.addresses == [SUBMISSION] * 3
    assert waited == [1, 2]


def test_a_stated_wait_beyond_the_deadline_is_not_begun(waited: list[float]) -> None:
    failed(job_of(bfl_plan()), RateLimited, failing(429, {"Retry-After": "301"}))
    assert waited == []


def test_a_wire_that_does_not_queue_is_called_once(waited: list[float]) -> None:
    plan = plan_of({}, model="gpt-image-2", provider=OPENAI)
    transport = failed(job_of(plan), RateLimited, failing(429, {"Retry-After": "1"}))
    assert len(transport.calls) == 1
    assert waited == []


# --- the picture at the provider's address ------------------------------------------------------------


def test_a_picture_is_fetched_from_the_providers_own_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = with_downloads(monkeypatch, (sample(), PNG))
    ran(job_of(bfl_plan()), taken(), ready())
    assert downloads.rules == [FetchRules(hosts=("*.bfl.ai", "api.bfl.ai"))]


def test_an_operators_own_host_may_give_pictures_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://127.0.0.1:9/sample.png"
    downloads = with_downloads(monkeypatch, (address, PNG))
    endpoint = replace(endpoint_of(BFL), base_url="http://127.0.0.1:9")
    said = Said.json({"status": "Ready", "result": {"sample": address}})
    submitted = Said.json({"id": "job-1"})
    transport, _ = ran(job_of(bfl_plan(), endpoint=endpoint), submitted, said)
    assert transport.addresses[1] == "http://127.0.0.1:9/v1/get_result?id=job-1"
    assert downloads.rules == [FetchRules(hosts=("*.bfl.ai", "127.0.0.1"))]


def test_a_picture_over_the_limit_is_fetched_once(
    waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = with_downloads(monkeypatch, (sample(), PNG))
    job = job_of(bfl_plan(), Limits(picture_bytes=len(PNG) - 1))
    with pytest.raises(DeadEnd, match=rf"over limits.picture_bytes \({len(PNG) - 1}\)"):
        asyncio.run(engine.run(job, ScriptedTransport(taken(), ready())))
    assert downloads.urls == [sample()]
    assert waited == [0.25]


# --- when a waiting caller is told that the job is taken -----------------------------------------------


class Watching(ScriptedTransport):
    """Keeps whether the job was accepted when each call was sent."""

    def __init__(self, accepted: asyncio.Event, *answers: Said) -> None:
        super().__init__(*answers)
        self.seen: list[bool] = []
        self.waits = False
        self._accepted = accepted

    @asynccontextmanager
    async def open(
        self, call: Call, endpoint: Endpoint, deadline: Deadline, maximum_bytes: int
    ) -> AsyncIterator[Opened]:
        self.seen.append(self._accepted.is_set())
        if self.waits:
            await self._accepted.wait()
        async with super().open(call, endpoint, deadline, maximum_bytes) as opened:
            yield opened


def test_a_job_is_accepted_when_there_is_an_address_to_ask_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    job = job_of(bfl_plan())
    transport = Watching(job.accepted, failing(429), taken(), state("Pending"), ready())
    asyncio.run(engine.run(job, transport))
    assert transport.seen == [False, False, True, True]


def test_a_job_that_is_refused_is_never_accepted() -> None:
    job = job_of(bfl_plan())
    failed(job, ProviderFailed, failing(500))
    assert not job.accepted.is_set()


def test_a_silent_provider_has_accepted_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm_imagegen.driving._ACCEPTANCE_SECONDS", 0)
    job = job_of(plan_of({}, model="gpt-image-2", provider=OPENAI))
    transport = Watching(job.accepted, DRAWN)
    transport.waits = True  # it would wait for ever
    asyncio.run(engine.run(job, transport))
    assert transport.seen == [False]
    assert job.accepted.is_set()


def test_a_provider_that_answers_soon_leaves_nothing_behind() -> None:
    job = job_of(plan_of({}, model="gpt-image-2", provider=OPENAI))
    ran(job, DRAWN)
    assert not job.accepted.is_set()


# --- pictures that the client names by their addresses -------------------------------------------------


@pytest.mark.parametrize(("provider", "model"), [("gemini", "gemini-3-pro-image"), ("bfl", "flux-2-pro")])
def test_where_the_wire_takes_addresses_nothing_is_fetched(
    provider: str, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = with_downloads(monkeypatch)
    plan = plan_of(
        {"prompt": "x", "image": CAT}, model=model, provider=PROVIDERS[provider], parse=parse_edits
    )
    transport = failed(job_of(plan), ProviderFailed, failing(500))
    assert CAT in str(transport.calls[0].body)
    assert downloads.urls == []


def test_where_the_wire_takes_none_each_address_is_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = with_downloads(monkeypatch, (CAT, PNG), (DOG, BLUE))
    rules = FetchRules(hosts=("example.com",))
    transport, _ = ran(job_of(openai_plan(CAT, DOG, CAT), fetch_rules=rules), DRAWN)
    files = [value.content for _, value in transport.calls[0].form or () if not isinstance(value, str)]
    assert files == [PNG, BLUE, PNG]
    assert downloads.urls == [CAT, DOG]
    assert downloads.rules == [rules, rules]


def test_several_calls_share_what_was_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = with_downloads(monkeypatch, (CAT, PNG))
    body = {"prompt": "x", "image": CAT, "n": 12}
    plan = plan_of(body, model="gpt-image-1.5", provider=OPENAI, parse=parse_edits, limits=Limits(n=12))
    transport, _ = ran(job_of(plan), DRAWN, DRAWN)
    assert len(transport.calls) == 2
    assert downloads.urls == [CAT]


def test_a_mask_is_fetched_for_every_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = with_downloads(monkeypatch, (SHAPE, clear_picture(2)), (sample(), PNG))
    plan = bfl_plan({"image": CAT, "mask": SHAPE}, model="flux-pro-1.0-fill")
    transport, _ = ran(job_of(plan), taken(), ready())
    body = transport.calls[0].body or {}
    assert body["image"] == CAT
    assert "://" not in body["mask"]
    assert downloads.urls == [SHAPE, sample()]


PLACE = r"image\[0\]"
GIF = picture_bytes("GIF")
UNFIT: dict[str, tuple[bytes | str, Limits, type[RequestError], str]] = {
    "nothing": ("refused", Limits(), InvalidParameter, rf"{PLACE}: '{CAT}' is not allowed"),
    "type": (GIF, Limits(), InvalidParameter, f"{PLACE}: 'image/gif' is not allowed; allowed: image/png"),
    "page": (b"<html>", Limits(), InvalidParameter, f"{PLACE}: 'application/octet-stream' is not allowed"),
    "cut": (PNG[:-9], Limits(), InvalidParameter, f"{PLACE}: 'a image/png that is cut off' is not allowed"),
    "bytes": (PNG, Limits(reference_bytes=9), LimitExceeded, f"{PLACE}: 'more than 9 bytes' is over"),
    "pixels": (PNG, Limits(pixels=5), LimitExceeded, rf"{PLACE}: '6 pixels' .* 5 \(limits.pixels\)"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_an_unfit_picture_is_told_by_its_place_before_anything_is_sent(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, limits, kind, message = UNFIT[what]
    with_downloads(monkeypatch, (CAT, given))
    transport = ScriptedTransport()
    with pytest.raises(kind, match=message) as caught:
        asyncio.run(engine.run(job_of(openai_plan(CAT), limits), transport))
    assert caught.value.field == "image[0]"
    assert transport.calls == []


def test_an_unfit_mask_is_told_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with_downloads(monkeypatch, (SHAPE, GIF))
    plan = bfl_plan({"image": CAT, "mask": SHAPE}, model="flux-pro-1.0-fill")
    with pytest.raises(InvalidParameter, match="mask: 'image/gif'") as caught:
        asyncio.run(engine.run(job_of(plan), ScriptedTransport()))
    assert caught.value.field == "mask"


class Fetching:
    """Fetches that never end, but for one that fails at once."""

    def __init__(self, failing: str | None) -> None:
        self.begun = asyncio.Event()
        self.cancelled: list[str] = []
        self._failing = failing

    async def fetch(self, field: str, url: str, *, rules: FetchRules, maximum_bytes: int) -> bytes:
        if url == self._failing:
            await self.begun.wait()
            raise InvalidParameter(field, url, "an address")
        try:
            self.begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(url)
            raise
        raise AssertionError("it never ends")


def test_where_one_picture_cannot_be_had_the_other_fetches_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching = Fetching(failing=CAT)
    monkeypatch.setattr("litellm_imagegen.driving.fetch", fetching.fetch)
    with pytest.raises(InvalidParameter, match=PLACE):
        asyncio.run(engine.run(job_of(openai_plan(CAT, DOG)), ScriptedTransport()))
    assert fetching.cancelled == [DOG]


def test_where_the_client_hangs_up_all_fetches_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching = Fetching(failing=None)
    monkeypatch.setattr("litellm_imagegen.driving.fetch", fetching.fetch)

    async def hung_up() -> None:
        task = asyncio.create_task(engine.run(job_of(openai_plan(CAT, DOG)), ScriptedTransport()))
        await fetching.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(hung_up())
    assert sorted(fetching.cancelled) == [CAT, DOG]


def test_fetches_end_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    fetching = Fetching(failing=None)
    monkeypatch.setattr("litellm_imagegen.driving.fetch", fetching.fetch)
    job = job_of(openai_plan(CAT, DOG, deadline_seconds=0.01))
    with pytest.raises(DeadlineExceeded, match="openai"):
        asyncio.run(engine.run(job, ScriptedTransport()))
    assert sorted(fetching.cancelled) == [CAT, DOG]


@pytest.mark.parametrize(("edge", "is_apart"), [(8, False), (600, True)])
def test_a_large_mask_is_drawn_anew_off_the_event_loop(
    edge: int, is_apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_downloads(monkeypatch, (sample(), PNG))
    encode, threads = BflCodec.encode, []

    def noted(self: BflCodec, plan: Plan) -> Call:
        threads.append(threading.current_thread() is not threading.main_thread())
        return encode(self, plan)

    monkeypatch.setattr(BflCodec, "encode", noted)
    body = {"image": data_url(PNG), "mask": data_url(clear_picture(edge))}
    ran(job_of(bfl_plan(body, model="flux-pro-1.0-fill")), taken(), ready())
    assert threads == [is_apart]
