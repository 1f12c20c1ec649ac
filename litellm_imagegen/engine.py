"""The recipe, the same for every provider and endpoint: parse, plan, drive, merge.

`prepare` makes a plan from a raw request and does no I/O. `run` and `stream` carry a plan out. A
surface shows the outcome.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import reduce
from typing import Any

from litellm_imagegen.assembly import Assembly
from litellm_imagegen.canonical import (
    EndDelta,
    ImageInput,
    ImageRequest,
    ImageResult,
    Limits,
    Notice,
    NoticeCode,
    OnNoImage,
    Outcome,
    PartialDelta,
    PictureDelta,
    Preferences,
    TextDelta,
    Usage,
)
from litellm_imagegen.dialects import parse_chat
from litellm_imagegen.driving import Job, Ledger, drive, with_pictures_fetched
from litellm_imagegen.errors import BadReply, ImagegenError, quote
from litellm_imagegen.plan import Plan, make_plan
from litellm_imagegen.profiles import Profile
from litellm_imagegen.providers import Provider, Wire
from litellm_imagegen.transport import Carrier, Deadline

__all__ = ["Job", "Ledger", "Parse", "Step", "prepare", "run", "stream"]

Parse = Callable[..., ImageRequest]
Step = TextDelta | PartialDelta | PictureDelta | ImageResult


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
    answers_are_watched: bool = False,
    wire: str | None = None,
    parse: Parse = parse_chat,
) -> Plan:
    """The plan for a request, which `parse` reads as the endpoint's dialects have it.

    `body` is what the client sent, `defaults` what the operator set for the deployment, both raw;
    `notices` are those that the caller has already. `name` is the provider's name as the operator
    knows it, where it differs, and `wire` that of the wire to take, where an operator has chosen one. Without
    `is_priced` no cost is worked out. Raises `RequestError`, and `ConfigurationError` for an unknown wire.
    """
    own_rows = (*own_rows, *provider.rows)
    if goes_to_successor:
        model, told = _successor(provider, model, own_rows)
        notices = (*notices, *told)
    request = parse(model=model, body=body, defaults=defaults, model_is_clients=model_is_clients)
    chosen = provider.wire_named(wire) if wire else provider.wire(model, request.surface, own_rows)
    has_pictures = _draws_by_pictures(request, chosen, own_rows)
    plan = make_plan(
        request,
        provider.target(chosen, name, has_pictures=has_pictures),
        preferences=preferences,
        limits=limits,
        locked=locked,
        deadline_seconds=deadline_seconds,
        drops_unsupported=drops_unsupported,
        own_rows=own_rows,
        answers_are_watched=answers_are_watched,
    )
    update: dict[str, Any] = {"notices": (*notices, *plan.notices)}
    return plan.model_copy(update=update if is_priced else {**update, "price": None, "tells_cost": False})


def _draws_by_pictures(request: ImageRequest, wire: Wire, own_rows: tuple[Profile, ...]) -> bool:
    """Whether a request comes with pictures, of which the model takes any."""
    bounds = wire.row(request.model, own_rows).maximum_reference_images, wire.codec.maximum_pictures
    pictures = any(isinstance(part, ImageInput) for message in request.messages for part in message.parts)
    return pictures and 0 not in bounds


def _successor(
    provider: Provider, model: str, own_rows: tuple[Profile, ...]
) -> tuple[str, tuple[Notice, ...]]:
    """The model that followed one that is gone, which may be of another family."""
    row = provider.wire(model).row(model, own_rows)
    if not row.gone or not row.successor:
        return model, ()
    why = f"gone since {row.gone}"
    return row.successor, (
        Notice(code=NoticeCode.ADAPTED, field="model", asked=row.id, used=row.successor, why=why),
    )


async def run(job: Job, transport: Carrier) -> ImageResult:
    """Carry a plan out and return the whole result. Raises `ImagegenError`."""
    deltas = [delta async for delta in stream(job, transport)]
    last = deltas[-1]
    assert isinstance(last, ImageResult), "a stream ends with its result"
    return last


async def stream(job: Job, transport: Carrier) -> AsyncGenerator[Step, None]:
    """Carry a plan out; words and pictures as they come, and last of all the whole result.

    Where it takes several calls they run at once, and give what they give in their order. Under
    `OnNoImage.RETRY` words are held back until a picture or the end comes, since a second try may replace
    them. Raises `ImagegenError`; then no result follows.
    """
    job = await with_pictures_fetched(job)
    calls = [replace(job, plan=plan, number=number) for number, plan in enumerate(job.plan.calls)]
    steps = _one(job, transport) if len(calls) == 1 else _several(job.plan, calls, transport)
    async with aclosing(steps) as given:
        async for step in given:
            yield step


async def _several(plan: Plan, calls: Sequence[Job], transport: Carrier) -> AsyncGenerator[Step, None]:
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
            before = sum(len(earlier.choices) for earlier in results)
            results.append(result)
            for delta in deltas:
                assert not isinstance(delta, ImageResult), "a stream has one result"
                yield delta.model_copy(update={"choice": before + delta.choice})
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not results:
        raise failures[0]
    yield _together(plan, results, failures)


def _masked(result: ImageResult, job: Job) -> ImageResult:
    """A provider may repeat a key in what it says, in a refusal as in an error."""
    if result.refusal is None:
        return result
    return result.model_copy(update={"refusal": quote(result.refusal, job.endpoint.secrets)})


async def _collected(call: Job, transport: Carrier) -> list[Step]:
    return [step async for step in _one(call, transport)]


def _together(plan: Plan, results: Sequence[ImageResult], failures: Sequence[ImagegenError]) -> ImageResult:
    """One result of several calls: the pictures of all, and a word on each call that gave none."""
    drawn = [result for result in results if result.pictures]
    first = (drawn or results)[0]
    usages = [result.usage for result in results if result.usage is not None]
    reasons = [error.message for error in failures]
    reasons += [result.refusal or "no picture came" for result in results if not result.pictures]
    asked = sum(plan.counts)
    notices: list[Notice] = []  # not a set: what was asked for may be a list
    for notice in (notice for result in results for notice in result.notices):
        if notice not in notices:
            notices.append(notice)
    missing = tuple(
        Notice(code=NoticeCode.ADAPTED, field="n", asked=asked, used=len(drawn), why=reason)
        for reason in reasons
        if drawn
    )
    return first.model_copy(
        update={
            "parts": tuple(part for result in results for part in result.parts),
            "answers": tuple(answer for result in results for answer in result.choices),
            "usage": reduce(Usage.__add__, usages) if usages else None,
            "notices": (*notices, *missing),
        }
    )


async def _one(job: Job, transport: Carrier) -> AsyncGenerator[Step, None]:
    """One call, or two where a model answers in words at first."""
    plan = job.plan
    deadline = Deadline(plan.provider, plan.deadline_seconds)
    holds_words = plan.preferences.on_no_image is OnNoImage.RETRY and plan.wants_picture
    spent: Usage | None = None
    for is_last_try in (False, True) if holds_words else (True,):
        held: list[TextDelta] = []
        assembly = Assembly(plan)
        try:
            async with aclosing(drive(job, transport, deadline)) as deltas:
                async for delta in deltas:
                    if not isinstance(delta, EndDelta):
                        delta = delta.model_copy(update={"choice": assembly.choice})  # noqa: PLW2901
                    if isinstance(delta, PictureDelta | PartialDelta):
                        try:
                            picture = await assembly.finished(delta.picture, job.limits)
                        except BadReply:
                            if isinstance(delta, PartialDelta):
                                continue  # the finished picture may be better
                            raise
                        delta = delta.model_copy(update={"picture": picture})  # noqa: PLW2901
                    assembly.add(delta)
                    if isinstance(delta, TextDelta) and holds_words and not assembly.has_picture:
                        held.append(delta)
                    elif not isinstance(delta, EndDelta):
                        for earlier in held:
                            yield earlier
                        held.clear()
                        yield delta
            result = _masked(assembly.result(spent), job)
        except ImagegenError as error:
            error.hide(job.endpoint.secrets)
            raise
        if result.outcome is Outcome.WORDS_ONLY and not is_last_try:
            spent = result.usage
            continue
        for earlier in held:
            yield earlier
        yield result
