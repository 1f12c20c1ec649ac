"""The recipe, the same for every provider and endpoint: parse, plan, drive, merge.

`prepare` makes a plan from a raw request and does no I/O. `run` and `stream` carry a plan out. A
surface shows the outcome.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any, TypeVar
from urllib.parse import urlsplit

from litellm_imagegen.blob import Blob
from litellm_imagegen.canonical import (
    Delta,
    EndDelta,
    Finish,
    ImageResult,
    Limits,
    Notice,
    NoticeCode,
    OnNoImage,
    Outcome,
    Picture,
    PictureDelta,
    Preferences,
    RemotePicture,
    TextDelta,
    TextPart,
    Usage,
)
from litellm_imagegen.codec import Call
from litellm_imagegen.conversion import Conversion, converted
from litellm_imagegen.cost import cost_of
from litellm_imagegen.dialects import parse_chat
from litellm_imagegen.errors import (
    BadReply,
    ImagegenError,
    InvalidParameter,
    LimitExceeded,
    NoImage,
    ProviderFailed,
    ProviderUnavailable,
    RateLimited,
)
from litellm_imagegen.fetching import FetchRules, fetch
from litellm_imagegen.plan import Plan, make_plan
from litellm_imagegen.profiles import Profile
from litellm_imagegen.providers import Provider
from litellm_imagegen.transport import Deadline, Endpoint, Transport

# A reply may hold several pictures, and signatures as long as a picture beside each of them.
_REPLY_BYTES_PER_PICTURE_BYTE = 4
_LOOP_BYTES = 1024 * 1024
_REPEATS = 3

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A plan with what it takes to carry it out."""

    plan: Plan
    provider: Provider
    endpoint: Endpoint
    limits: Limits


def prepare(
    *,
    provider: Provider,
    model: str,
    body: Mapping[str, Any],
    defaults: Mapping[str, Any],
    preferences: Preferences,
    limits: Limits,
    notices: tuple[Notice, ...] = (),
    locked: frozenset[str] = frozenset(),
    deadline_seconds: float | None = None,
    name: str | None = None,
    is_priced: bool = True,
    model_is_clients: bool = False,
    drops_unsupported: bool = False,
    own_rows: Iterable[Profile] = (),
    goes_to_successor: bool = False,
) -> Plan:
    """The plan for a chat request.

    `body` is what the client sent, `defaults` what the operator set for the deployment, both raw;
    `notices` are those that the caller has already. `name` is the provider's name as the operator
    knows it, where it differs. Without `is_priced` no cost is worked out. Raises `RequestError`.
    """
    request = parse_chat(model=model, body=body, defaults=defaults, model_is_clients=model_is_clients)
    plan = make_plan(
        request,
        provider=name or provider.name,
        family=provider.family,
        vocabulary=provider.codec.vocabulary,
        vendor=provider.codec.vendor,
        preferences=preferences,
        limits=limits,
        locked=locked,
        deadline_seconds=deadline_seconds,
        renames_models=provider.renames_models,
        drops_unsupported=drops_unsupported,
        own_rows=own_rows,
        goes_to_successor=goes_to_successor,
    )
    update: dict[str, Any] = {"notices": (*notices, *plan.notices)}
    return plan.model_copy(update=update if is_priced else {**update, "price": None})


async def run(job: Job, transport: Transport) -> ImageResult:
    """Carry a plan out and return the whole result. Raises `ImagegenError`."""
    deltas = [delta async for delta in stream(job, transport)]
    last = deltas[-1]
    assert isinstance(last, ImageResult), "a stream ends with its result"
    return last


async def stream(
    job: Job, transport: Transport
) -> AsyncGenerator[TextDelta | PictureDelta | ImageResult, None]:
    """Carry a plan out; words and pictures as they come, and last of all the whole result.

    Where it takes several calls they run at once, and give what they give in their order. Under
    `OnNoImage.RETRY` words are held back until a picture or the end comes, since a second try may replace
    them. Raises `ImagegenError`; then no result follows.
    """
    calls = [replace(job, plan=plan) for plan in job.plan.calls]
    steps = _one(job, transport) if len(calls) == 1 else _several(job.plan, calls, transport)
    async with aclosing(steps) as given:
        async for step in given:
            yield step


async def _several(
    plan: Plan, calls: Sequence[Job], transport: Transport
) -> AsyncGenerator[TextDelta | PictureDelta | ImageResult, None]:
    """All calls at once; what fails is told where others succeed, and raised where none does."""
    tasks = [asyncio.create_task(_collected(call, transport)) for call in calls]
    results: list[ImageResult] = []
    failures: list[ImagegenError] = []
    try:
        for task in tasks:
            try:
                *deltas, result = await task
            except ImagegenError as error:
                failures.append(error)
                continue
            assert isinstance(result, ImageResult), "a stream ends with its result"
            results.append(result)
            for delta in deltas:
                yield delta
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not results:
        raise failures[0]
    yield _together(plan, results, failures)


async def _collected(call: Job, transport: Transport) -> list[TextDelta | PictureDelta | ImageResult]:
    return [step async for step in _one(call, transport)]


def _together(plan: Plan, results: Sequence[ImageResult], failures: Sequence[ImagegenError]) -> ImageResult:
    """One result of several calls: the pictures of all, and a word on each call that gave none."""
    drawn = [result for result in results if result.pictures]
    first = (drawn or results)[0]
    usages = [result.usage for result in results if result.usage is not None]
    reasons = [error.message for error in failures]
    reasons += [result.refusal or "no picture came" for result in results if not result.pictures]
    asked = sum(plan.counts)
    notices = dict.fromkeys(notice for result in results for notice in result.notices)
    missing = tuple(
        Notice(code=NoticeCode.ADAPTED, field="n", asked=asked, used=len(drawn), why=reason)
        for reason in reasons
        if drawn
    )
    return first.model_copy(
        update={
            "parts": tuple(part for result in results for part in result.parts),
            "usage": reduce(Usage.__add__, usages) if usages else None,
            "notices": (*notices, *missing),
        }
    )


async def _one(
    job: Job, transport: Transport
) -> AsyncGenerator[TextDelta | PictureDelta | ImageResult, None]:
    """One call, or two where a model answers in words at first."""
    plan = job.plan
    deadline = Deadline(plan.provider, plan.deadline_seconds)
    holds_words = plan.on_no_image is OnNoImage.RETRY and plan.wants_picture
    spent: Usage | None = None
    for is_last_try in (False, True) if holds_words else (True,):
        held: list[TextDelta] = []
        assembly = _Assembly(plan)
        try:
            async with aclosing(_deltas(job, transport, deadline)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, PictureDelta):
                        delta = PictureDelta(picture=await assembly.finished(delta.picture, job.limits))  # noqa: PLW2901
                    assembly.add(delta)
                    if isinstance(delta, TextDelta) and holds_words and not assembly.has_picture:
                        held.append(delta)
                    elif not isinstance(delta, EndDelta):
                        for earlier in held:
                            yield earlier
                        held.clear()
                        yield delta
            result = assembly.result(spent)
        except ImagegenError as error:
            error.hide(job.endpoint.secrets)
            raise
        if result.outcome is Outcome.WORDS_ONLY and not is_last_try:
            spent = result.usage
            continue
        for earlier in held:
            yield earlier
        yield result


async def _deltas(job: Job, transport: Transport, deadline: Deadline) -> AsyncGenerator[Delta, None]:
    """Send a call, read what comes back, and go on with the call that the reply asks for, if it does."""
    call: Call | None = job.provider.codec.encode(job.plan)
    failures = 0
    while call is not None:
        following: Call | None = None
        try:
            async with aclosing(_steps(call, job, transport, deadline)) as steps:
                async for step in steps:
                    if isinstance(step, Call):
                        following = step
                    elif isinstance(step, RemotePicture):
                        yield PictureDelta(picture=await _fetched(step, job, deadline))
                    else:
                        yield step
            failures = 0
        except (RateLimited, ProviderFailed, ProviderUnavailable) as error:
            failures += 1
            if not call.may_repeat or failures > _REPEATS:
                raise
            following = call.model_copy(update={"delay_seconds": error.retry_after or 2.0**failures / 2})
        if following is not None:
            await deadline.wait_for(asyncio.sleep(following.delay_seconds))
        call = following


async def _fetched(remote: RemotePicture, job: Job, deadline: Deadline) -> Picture:
    """A picture that the provider has put at an address. It has been paid for: a failure is tried again."""
    own = urlsplit(job.endpoint.base_url).hostname or ""
    rules = FetchRules(hosts=(*job.provider.picture_hosts, own))
    for failures in range(_REPEATS + 1):
        if failures:
            await deadline.wait_for(asyncio.sleep(2.0**failures / 2))
        try:
            raw = await deadline.wait_for(
                fetch("picture", remote.url, rules=rules, maximum_bytes=job.limits.picture_bytes)
            )
            return Picture(blob=Blob.from_raw(raw, remote.mime), seed=remote.seed)
        except LimitExceeded as error:
            reason = f"a picture over limits.picture_bytes ({job.limits.picture_bytes})"
            raise BadReply(job.plan.provider, reason) from error
        except InvalidParameter as error:
            if failures == _REPEATS:
                reason = "its picture could not be fetched; the call may be charged"
                raise BadReply(job.plan.provider, reason) from error
    raise AssertionError("unreachable")


async def _steps(
    call: Call, job: Job, transport: Transport, deadline: Deadline
) -> AsyncGenerator[Delta | RemotePicture | Call, None]:
    """One call: send it, and read what comes back."""
    plan, codec = job.plan, job.provider.codec
    maximum_bytes = job.limits.picture_bytes * _REPLY_BYTES_PER_PICTURE_BYTE
    async with transport.open(call, job.endpoint, deadline, maximum_bytes) as opened:
        if opened.status != 200:
            raise codec.decode_error(plan, await opened.read())
        if not call.streams:
            reply = await opened.read()
            for delta in await _off_loop(reply.body.remaining_length, lambda: codec.decode(plan, reply)):
                yield delta
            return
        finished = False
        async with aclosing(opened.events()) as events:
            async for event in events:
                try:
                    deltas = await _off_loop(event.remaining_length, partial(codec.decode_event, plan, event))
                except BadReply:
                    if finished:
                        break  # the answer is complete: what cannot be read after it does not undo it
                    raise
                for delta in deltas:
                    finished = finished or (isinstance(delta, EndDelta) and delta.finish is not None)
                    yield delta
        if not finished:
            raise BadReply(plan.provider, "the stream was cut off before its end; the call may be charged")


async def _off_loop(size: int, work: Callable[[], Result]) -> Result:
    """Do work on `size` bytes, in a thread if that would hold up the event loop."""
    return work() if size < _LOOP_BYTES else await asyncio.to_thread(work)


class _Assembly:
    """Puts deltas together into a result, and says what kind of result it is."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._parts: list[TextPart | Picture] = []
        self._words: list[str] = []
        self._end = EndDelta()
        self.has_picture = False

    async def finished(self, picture: Picture, limits: Limits) -> Picture:
        """The picture as it is to be given, looked at and converted off the event loop.

        Raises `BadReply` for what is no picture data.
        """
        blob = picture.blob
        try:
            facts, flaw = await _off_loop(blob.held_bytes, lambda: (blob.facts, blob.flaw))
        except ValueError as error:
            raise BadReply(self._plan.provider, "picture data that is not base64") from error
        if flaw:
            raise BadReply(self._plan.provider, f"{flaw} where a picture should be")
        if facts["bytes"] > limits.picture_bytes:
            raise BadReply(
                self._plan.provider,
                f"a picture of {facts['bytes']} bytes, over limits.picture_bytes ({limits.picture_bytes})",
            )
        if (conversion := self._plan.conversion) is None:
            return picture
        try:
            other = await asyncio.to_thread(_converted, blob, conversion)
        except ValueError as error:
            raise BadReply(self._plan.provider, str(error)) from error
        return picture.model_copy(update={"blob": other})

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case TextDelta():
                self._words.append(delta.text)
            case PictureDelta():
                self.has_picture = True
                self._close_words()
                self._parts.append(delta.picture)
            case EndDelta():
                given = {name: value for name, value in delta if name != "facts" and value is not None}
                facts = {**self._end.facts, **delta.facts}
                self._end = self._end.model_copy(update={**given, "facts": facts})

    def result(self, spent: Usage | None) -> ImageResult:
        """The whole result. Raises `BadReply` for an empty one and `NoImage` where words are not enough."""
        self._close_words()
        end, plan = self._end, self._plan
        usage = end.usage and end.usage.model_copy(update={"cost": cost_of(end.usage, plan.price)})
        if spent is not None:
            usage = usage + spent if usage else spent
        result = ImageResult(
            provider=plan.provider,
            model=plan.model,
            parts=tuple(self._parts),
            finish=end.finish or Finish.OTHER,
            refusal=end.refusal,
            usage=usage,
            facts=end.facts,
            notices=plan.notices,
        )
        if result.outcome is Outcome.EMPTY:
            reason = end.facts.get("finishReason")
            why = f" ({reason})" if reason else ""
            raise BadReply(plan.provider, f"an empty answer, neither words nor a picture{why}")
        if (
            result.outcome is Outcome.WORDS_ONLY
            and plan.wants_picture
            and plan.on_no_image is OnNoImage.ERROR
        ):
            raise NoImage(plan.provider, result.text)
        return result.model_copy(update={"notices": (*result.notices, *_later_notices(result))})

    def _close_words(self) -> None:
        if self._words:
            self._parts.append(TextPart(text="".join(self._words)))
            self._words.clear()


def _converted(blob: Blob, conversion: Conversion) -> Blob:
    """With its facts worked out: the next who asks for them may be on the event loop."""
    other = converted(blob, conversion)
    _ = other.facts
    return other


def _later_notices(result: ImageResult) -> tuple[Notice, ...]:
    """What can only be said once the answer is there: pictures came, and something else was refused."""
    if not result.pictures:
        return ()
    if result.refusal:
        return (Notice(code=NoticeCode.ADAPTED, field="answer", asked=None, why=result.refusal),)
    if result.finish is Finish.LENGTH:
        return (
            Notice(code=NoticeCode.ADAPTED, field="answer", asked=None, why="cut off at the token limit"),
        )
    return ()
