"""Carries one call of a plan out, and the calls that follow from its replies, until the reply is whole.

A job that a provider has taken is paid for: what goes wrong afterwards is asked for again and never sent
again, within one request or when the request is tried anew.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    ImageInput,
    Limits,
    Name,
    Picture,
    PictureDelta,
    RemotePicture,
)
from litellm_imagegen.codec import Call, Codec
from litellm_imagegen.errors import (
    BadReply,
    DeadEnd,
    InvalidParameter,
    JobFailed,
    LimitExceeded,
    ProviderError,
    ProviderFailed,
    ProviderUnavailable,
    RateLimited,
)
from litellm_imagegen.fetching import FetchRules, ForbiddenAddress, fetch
from litellm_imagegen.plan import Plan, check_picture
from litellm_imagegen.providers import Provider
from litellm_imagegen.transport import Carrier, Deadline, Endpoint

# A reply may hold several pictures, and signatures as long as a picture beside each of them.
_REPLY_BYTES_PER_PICTURE_BYTE = 4
_LOOP_BYTES = 1024 * 1024
_REPEATS = 3
_MAXIMUM_JOBS = 64
# A provider that gives no sign of life until it is done has taken the job when it has not refused by then.
_ACCEPTANCE_SECONDS = 5.0
_PASSING = (RateLimited, ProviderFailed, ProviderUnavailable, BadReply)

Result = TypeVar("Result")


class Ledger:
    """Where to ask for the outcome of jobs that a provider has taken, for one request and all its tries."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, Call] = {}

    def note(self, key: Hashable, call: Call) -> None:
        """A provider has taken a job; `call` asks for its outcome."""
        self._calls[key] = call
        while len(self._calls) > _MAXIMUM_JOBS:
            self._calls.pop(next(iter(self._calls)))

    def find(self, key: Hashable) -> Call | None:
        """The call that asks for a job's outcome, if it was taken and has not ended."""
        return self._calls.get(key)

    def forget(self, key: Hashable) -> None:
        """The job has ended."""
        self._calls.pop(key, None)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A plan with what it takes to carry it out.

    `number` tells the calls of one plan apart. `accepted` is set when the provider has taken the job, so
    that a caller that waits can be told so.
    """

    plan: Plan
    provider: Provider
    endpoint: Endpoint
    limits: Limits
    fetch_rules: FetchRules = field(default_factory=FetchRules)
    ledger: Ledger = field(default_factory=Ledger)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    number: int = 0

    @property
    def codec(self) -> Codec:
        """The codec of the plan's wire."""
        return self.provider.wire_named(self.plan.wire).codec

    @property
    def key(self) -> Hashable:
        """What tells this job from another one of the same request."""
        plan, endpoint = self.plan, self.endpoint
        values = orjson.dumps(
            {str(name): value for name, value in plan.values.items()}, default=lambda _: None
        )
        given = (*plan.references, *_mask_of(plan))
        pictures = tuple(one.url or (one.blob and one.blob.facts["sha256"]) for one in given)
        drawn = (plan.model, plan.prompt, pictures, values, self.number)
        return *drawn, endpoint.provider, endpoint.base_url, endpoint.secrets


async def drive(job: Job, transport: Carrier, deadline: Deadline) -> AsyncGenerator[Delta, None]:
    """Send a plan's call, and the calls that the replies ask for; what they say, in order.

    Raises `ImagegenError`.
    """
    call = job.ledger.find(job.key) or await off_loop(_sent_bytes(job.plan), lambda: _encoded(job))
    failures = 0
    while call is not None:
        following: Call | None = None
        try:
            async with aclosing(_steps(call, job, transport, deadline)) as steps:
                async for step in steps:
                    if isinstance(step, Call):
                        following = step
                        job.ledger.note(job.key, step)
                        job.accepted.set()
                    elif isinstance(step, RemotePicture):
                        yield PictureDelta(picture=await _fetched(step, job, deadline))
                    else:
                        yield step
            failures = 0
        except JobFailed:
            job.ledger.forget(job.key)
            raise
        except DeadEnd:
            raise
        except _PASSING as error:
            failures += 1
            following = _once_more(call, error, failures, deadline)
        if following is not None:
            await deadline.wait_for(pause(following.delay_seconds))
        call = following
    job.ledger.forget(job.key)


def _encoded(job: Job) -> Call:
    return job.codec.encode(job.plan)


def _once_more(call: Call, error: ProviderError, failures: int, deadline: Deadline) -> Call:
    """The same call after a while; raises `error` where that may do harm, or is of no use."""
    may_repeat = call.may_repeat or (call.queues and isinstance(error, RateLimited))
    delay = error.retry_after or 2.0 ** (failures - 1)
    if not may_repeat or failures > _REPEATS or delay > deadline.remaining_seconds:
        raise error
    return call.model_copy(update={"delay_seconds": delay})


def _sent_bytes(plan: Plan) -> int:
    """What a codec works on: pictures as they are, of a mask each pixel, since it may be drawn anew."""
    sent = sum(picture.blob.held_bytes for picture in plan.references if picture.blob is not None)
    for mask in _mask_of(plan):
        facts = mask.blob.facts if mask.blob is not None else None
        sent += 4 * (facts["width"] or 0) * (facts["height"] or 0) if facts else 0
    return sent


def _mask_of(plan: Plan) -> tuple[ImageInput, ...]:
    mask = plan.values.get(Name.MASK)
    return (mask,) if isinstance(mask, ImageInput) else ()


async def _fetched(remote: RemotePicture, job: Job, deadline: Deadline) -> Picture:
    """A picture that the provider has put at an address. It has been paid for: a failure is tried again."""
    provider = job.plan.provider
    base = urlsplit(job.endpoint.base_url)
    try:
        scheme = urlsplit(remote.url).scheme
    except ValueError as error:
        raise DeadEnd(provider, "a picture at an address that is none") from error
    if scheme not in ("https", base.scheme):
        raise DeadEnd(provider, "a picture at an address that is not https")
    rules = _rules_of_pictures(job.provider, base.hostname or "", remote.url)
    for failures in range(_REPEATS + 1):
        if failures:
            await deadline.wait_for(pause(2.0 ** (failures - 1)))
        try:
            raw = await deadline.wait_for(
                fetch("picture", remote.url, rules=rules, maximum_bytes=job.limits.picture_bytes)
            )
        except LimitExceeded as error:
            reason = f"a picture over limits.picture_bytes ({job.limits.picture_bytes})"
            raise DeadEnd(provider, reason) from error
        except InvalidParameter as error:
            if failures == _REPEATS or isinstance(error, ForbiddenAddress):
                reason = "its picture could not be fetched; the call may be charged"
                raise DeadEnd(provider, reason) from error
        else:
            return Picture(blob=Blob.from_raw(raw), seed=remote.seed, revised_prompt=remote.revised_prompt)
    raise AssertionError("unreachable")


def _rules_of_pictures(provider: Provider, own_host: str, url: str) -> FetchRules:
    """A provider's own host may be on the operator's network; any other is public, or one that it names."""
    if provider.picture_hosts is not None:
        return FetchRules(hosts=(*provider.picture_hosts, own_host))
    return FetchRules(hosts=(own_host,)) if urlsplit(url).hostname == own_host else FetchRules()


async def _steps(
    call: Call, job: Job, transport: Carrier, deadline: Deadline
) -> AsyncGenerator[Delta | RemotePicture | Call, None]:
    """One call: send it, and read what comes back."""
    plan, codec = job.plan, job.codec
    maximum_bytes = job.limits.picture_bytes * _REPLY_BYTES_PER_PICTURE_BYTE * max(sum(plan.counts), 1)
    patience = None
    if not call.streams:
        patience = asyncio.get_running_loop().call_later(_ACCEPTANCE_SECONDS, job.accepted.set)
    try:
        async with transport.open(call, job.endpoint, deadline, maximum_bytes) as opened:
            if opened.status != 200:
                said = codec.decode_error(plan, await opened.read())
                if isinstance(said, ProviderError):
                    raise said
                yield said
                return
            # Some answer what was to be a stream with one whole body.
            is_whole = opened.headers.get("content-type", "").startswith("application/json")
            if is_whole or not call.streams:
                reply = await opened.read()
                for step in await off_loop(reply.body.remaining_length, lambda: codec.decode(plan, reply)):
                    yield step
                return
            finished = False
            async with aclosing(opened.events()) as events:
                async for event in events:
                    try:
                        deltas = await off_loop(
                            event.remaining_length, partial(codec.decode_event, plan, event)
                        )
                    except BadReply:
                        if finished:
                            break  # the answer is complete: what cannot be read after it does not undo it
                        raise
                    for delta in deltas:
                        finished = finished or (isinstance(delta, EndDelta) and delta.finish is not None)
                        yield delta
            if not finished:
                raise BadReply(
                    plan.provider, "the stream was cut off before its end; the call may be charged"
                )
    finally:
        if patience is not None:
            patience.cancel()


async def with_pictures_fetched(job: Job) -> Job:
    """The job with bytes in the place of addresses, where its wire takes no addresses.

    No wire takes one for a mask: what stands there may have to be drawn anew. Raises `RequestError` that
    names the place of a picture that cannot be had.
    """
    plan = job.plan
    takes = job.codec.takes_addresses
    given = [part for message in plan.messages for part in message.parts if isinstance(part, ImageInput)]
    # Plain http is for the operator's own network, which no provider reaches.
    left = [one for one in given if one.url and not (takes and one.url.startswith("https:"))]
    addressed = {one.url: one for one in (*left, *_mask_of(plan)) if one.url is not None}
    if not addressed:
        return job
    deadline = Deadline(plan.provider, plan.deadline_seconds)
    tasks = {url: asyncio.create_task(_reference(one, job, deadline)) for url, one in addressed.items()}
    try:
        fetched = {url: await task for url, task in tasks.items()}
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def held(part: Any) -> Any:
        if not isinstance(part, ImageInput) or part.url not in fetched:
            return part
        return part.model_copy(update={"blob": fetched[part.url], "url": None})

    messages = [one.model_copy(update={"parts": tuple(map(held, one.parts))}) for one in plan.messages]
    update = {
        "messages": tuple(messages),
        "references": tuple(map(held, plan.references)),
        "values": {name: held(value) for name, value in plan.values.items()},
    }
    return replace(job, plan=plan.model_copy(update=update))


async def _reference(picture: ImageInput, job: Job, deadline: Deadline) -> Blob:
    raw = await deadline.wait_for(
        fetch(
            picture.spelling,
            picture.url or "",
            rules=job.fetch_rules,
            maximum_bytes=job.limits.reference_bytes,
        )
    )
    blob = Blob.from_raw(raw)
    held = picture.model_copy(update={"blob": blob, "url": None})

    def look() -> str | None:
        check_picture(held, job.plan.accepted_mime, job.limits)
        return blob.flaw

    if flaw := await off_loop(len(raw), look):
        raise InvalidParameter(picture.spelling, flaw, "a whole picture")
    return blob


async def off_loop(size: int, work: Callable[[], Result]) -> Result:
    """Do work on `size` bytes, in a thread if that would hold up the event loop."""
    return work() if size < _LOOP_BYTES else await asyncio.to_thread(work)


async def pause(seconds: float) -> None:
    """Wait, as between two polls."""
    await asyncio.sleep(seconds)
