"""The custom provider that LiteLLM calls: takes the plan that the hook made, carries it out, hands it back.

Where no hook ran (Python without the callback, every synchronous call) it plans from what LiteLLM
still hands over.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from litellm import CustomStreamWrapper
from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ImageResponse, ModelResponse, ModelResponseStream

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, PartialDelta, ResponseShape, Surface, TextPart
from litellm_imagegen.engine import Job, Step
from litellm_imagegen.errors import RequestError
from litellm_imagegen.plugin import blocking, config, health, wrapping
from litellm_imagegen.plugin.adoption import attribute
from litellm_imagegen.plugin.bridge import Bridge
from litellm_imagegen.plugin.bypass import usable_vault
from litellm_imagegen.plugin.catalogs import CATALOGS
from litellm_imagegen.plugin.exceptions import translated
from litellm_imagegen.plugin.given import Given, Route
from litellm_imagegen.plugin.prices import priced_by_tokens
from litellm_imagegen.plugin.records import TOKEN, Outcome, Prepared, find_record
from litellm_imagegen.plugin.redaction import forget_secrets
from litellm_imagegen.plugin.requests import handlers_headers, make_job, prepare
from litellm_imagegen.plugin.response_events import ResponseEvents
from litellm_imagegen.plugin.routing import raise_refusal_with_fallback
from litellm_imagegen.plugin.sending import ends_with_connection
from litellm_imagegen.plugin.starting import begun, while_connected
from litellm_imagegen.plugin.vault import Vault, current_vault
from litellm_imagegen.providers import Via
from litellm_imagegen.surfaces import chat, images
from litellm_imagegen.transport import Carrier, Transport


class ImagegenHandler(CustomLLM):
    """Serves `imagegen/<provider>/<model>` on chat completions, on responses and on the Images API."""

    def __init__(self) -> None:
        super().__init__()
        self._carriers: dict[Via, Carrier] = {Via.HTTP: Transport(), Via.LITELLM: Bridge()}

    async def acompletion(self, *args: Any, **given: Any) -> ModelResponse | CustomStreamWrapper:
        """A whole completion, or a stream that has begun. Raises LiteLLM's exceptions."""
        model = str(given["model"])
        with translated(model):
            prepared = await _prepared(given)
            if prepared.calls_nobody:
                await _tell_what_is_missing(prepared, given)
                return health.healthy_completion(model)
            if prepared.plan.stream:
                # By that setting LiteLLM watches the client itself.
                watching = None if ends_with_connection() else _vault_of_request(given)
                stream = await begun(self._stream(prepared, given), watching)
                return CustomStreamWrapper(stream, model, given["logging_obj"], config.PREFIX)
            job = await make_job(prepared, given)
            result = await engine.run(job, self._carrier(job))
            _tell(result, given)
            response_id = wrapping.new_id()
            if prepared.plan.surface is Surface.RESPONSES:
                raise_refusal_with_fallback(result, given["litellm_params"])
                result = _kept_for_response(result, prepared, response_id, given)
            shown = chat.completion(result, _url_of(given, prepared), prepared.plan.preferences.output)
            return wrapping.model_response(shown, result, response_id, model)

    async def astreaming(  # type: ignore[override]  # an async generator, as LiteLLM needs
        self, *args: Any, **given: Any
    ) -> AsyncGenerator[ModelResponseStream, None]:
        """The same as chunks, begun when they are read. Raises LiteLLM's exceptions then."""
        with translated(str(given["model"])):
            prepared = await _prepared(given)
        async with aclosing(self._stream(prepared, given)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _stream(
        self, prepared: Prepared, given: Mapping[str, Any]
    ) -> AsyncGenerator[ModelResponseStream, None]:
        """What LiteLLM streams. Errors before the first chunk become an HTTP status."""
        completion_id, model = wrapping.new_id(), str(given["model"])
        vault = _vault_of_request(given)
        has_begun = False
        try:
            with translated(model):
                job = await make_job(prepared, given)
                work = _chunks(job, self._carrier(job), _view(given, prepared, vault, completion_id), vault)
                async with aclosing(work) as chunks:
                    async for chunk in chunks:
                        yield wrapping.response_chunk(chunk, completion_id, model)
                        has_begun = True
        except Exception as failure:
            if vault is not None and not has_begun:
                vault.failure = failure
            raise

    async def aimage_generation(self, *args: Any, **given: Any) -> ImageResponse:
        """Pictures from a prompt. Raises LiteLLM's exceptions."""
        return await self._images(given, Route.GENERATIONS)

    async def aimage_edit(self, *args: Any, **given: Any) -> ImageResponse:
        """Pictures from pictures and a prompt. Raises LiteLLM's exceptions."""
        return await self._images(given, Route.EDITS)

    def _carrier(self, job: Job) -> Carrier:
        return self._carriers[job.provider.via]

    async def _images(self, given: dict[str, Any], route: Route) -> ImageResponse:
        with translated(str(given["model"])):
            prepared = await _prepared(given, route)
            if prepared.calls_nobody:
                await _tell_what_is_missing(prepared, given)
                return health.healthy_images()
            vault = _vault_of_request(given)
            streams = prepared.plan.stream
            if streams and (vault is None or vault.live is None):
                told = "stream: pictures of the Images API are streamed by a proxy alone; leave it out"
                raise RequestError(told, "stream")
            job = await make_job(prepared, given)
            work = _result(job, self._carrier(job), vault if streams else None)
            if vault is not None and (streams or ends_with_connection()):
                work = while_connected(work, vault)
            result = priced_by_tokens(images.chosen(await work, sum(job.plan.counts)), prepared)
            _tell(result, given)
            return wrapping.image_response(images.response(result, _base64_of(given, prepared)), result)

    def completion(self, *args: Any, **given: Any) -> ModelResponse:
        """`acompletion` for synchronous callers."""
        return blocking.run(self.acompletion(**given))

    def streaming(  # type: ignore[override]  # a generator, as LiteLLM needs
        self, *args: Any, **given: Any
    ) -> Iterator[ModelResponseStream]:
        """`astreaming` for synchronous callers."""
        return blocking.iterate(self.astreaming(**given))

    def image_generation(self, *args: Any, **given: Any) -> ImageResponse:
        """`aimage_generation` for synchronous callers, without the fields that LiteLLM drops."""
        return blocking.run(self.aimage_generation(**given))

    def image_edit(self, *args: Any, **given: Any) -> ImageResponse:
        """`aimage_edit` for synchronous callers."""
        return blocking.run(self.aimage_edit(**given))


def _note_edit(given: Mapping[str, Any], logging_object: Any) -> None:
    """Have LiteLLM know for its logs whose call it is, which it notes of every other call itself."""
    arguments = given["optional_params"]
    noted = {name: arguments[name] for name in ("litellm_call_id", "model_info") if name in arguments}
    logging_object.update_from_kwargs(
        kwargs=arguments,
        litellm_params=noted,
        model=given["model"],
        user=arguments.get("user"),
        custom_llm_provider=config.PREFIX,
    )


async def _tell_what_is_missing(prepared: Prepared, given: Mapping[str, Any]) -> None:
    """What can be known without asking anybody. Raises `AuthenticationFailed` and `ConfigurationError`."""
    if not config.upstream_of(str(given["model"])).provider.connects_slowly:
        await make_job(prepared, given)


def _view(
    given: Mapping[str, Any], prepared: Prepared, vault: Vault | None, completion_id: str
) -> chat.CompletionChunks:
    """How LiteLLM is shown a stream. Behind its bridge to responses the vault sends the pictures."""
    plan = prepared.plan
    url_of = _url_of(given, prepared)
    if plan.surface is not Surface.RESPONSES:
        return chat.CompletionChunks(url_of, plan.preferences.output)
    if vault is None or not isinstance(vault.live, ResponseEvents):
        return chat.CompletionChunks()
    vault.live.begin(completion_id, holds_pictures=_usable(given, prepared) is None)
    return chat.CompletionChunks(chat.data_url if vault.live.holds_pictures else vault.live.reference)


async def _chunks(
    job: Job, carrier: Carrier, view: chat.CompletionChunks, vault: Vault | None
) -> AsyncGenerator[dict[str, Any], None]:
    """The chunks of a stream. The first is given only when the provider has taken the request.

    LiteLLM keeps the finish of the first choice alone: the vault is told those of the others.
    """
    is_response = job.plan.surface is Surface.RESPONSES
    async with aclosing(_after_acceptance(job, carrier)) as steps:
        async for step in steps:
            if step is None:
                yield view.start()
                continue
            shown = _as_one_answer(step) if is_response else step
            if vault is not None:
                await vault.came(shown)
            if isinstance(shown, PartialDelta):
                continue
            if isinstance(shown, ImageResult):
                if is_response and vault is not None and vault.live is not None:
                    shown = shown.model_copy(update={"needs_picture": False})
                chunks = list(view.end(shown))
                if vault is not None:
                    vault.finishes = chat.finish_reasons(shown)[1:]
            else:
                chunks = list(view.add(shown))
            for chunk in chunks:
                yield chunk


def _as_one_answer(step: Step) -> Step:
    """A response knows no choices: all that was drawn is one output."""
    update = {"answers": ()} if isinstance(step, ImageResult) else {"choice": 0}
    return step.model_copy(update=update)


async def _after_acceptance(job: Job, carrier: Carrier) -> AsyncGenerator[Step | None, None]:
    """None when the provider has taken the request, at the latest before the first step; then the steps."""
    async with aclosing(engine.stream(job, carrier)) as steps:
        first = asyncio.ensure_future(anext(steps))
        accepted = asyncio.ensure_future(job.accepted.wait())
        try:
            await asyncio.wait({first, accepted}, return_when=asyncio.FIRST_COMPLETED)
            step = first.result() if first.done() else None
            yield None
            yield step if step is not None else await first
        finally:
            for task in (first, accepted):
                task.cancel()
            await asyncio.gather(first, accepted, return_exceptions=True)
        async for step in steps:
            yield step


async def _result(job: Job, carrier: Carrier, vault: Vault | None) -> ImageResult:
    """The whole result; a vault is told what comes on the way."""
    async with aclosing(engine.stream(job, carrier)) as steps:
        async for step in steps:
            if isinstance(step, ImageResult):
                return step
            if vault is not None:
                await vault.came(step)
    raise AssertionError("a stream ends with its result")


def _kept_for_response(
    result: ImageResult, prepared: Prepared, response_id: str, given: Mapping[str, Any]
) -> ImageResult:
    """The words of a result for LiteLLM's bridge; the callback shows the whole of it afterwards."""
    record = find_record(given.get("logging_obj"))
    result = result.model_copy(update={"answers": ()})
    if record is None:
        return result
    as_url = prepared.plan.preferences.responses is ResponseShape.OUTPUT_IMAGE
    shows = _url_of(given, prepared) if as_url else _base64_of(given, prepared)
    record.outcome = Outcome(prepared, result, response_id, shows)
    words = tuple(part for part in result.parts if isinstance(part, TextPart))
    return result.model_copy(update={"parts": words, "needs_picture": False})


def _url_of(given: Mapping[str, Any], prepared: Prepared) -> chat.UrlOf:
    """References into the request's vault where pictures take their own way, else data URLs."""
    vault = _usable(given, prepared)
    if vault is None:
        return chat.data_url
    return lambda picture: vault.keep(picture) or picture.blob.data_url


def _base64_of(given: Mapping[str, Any], prepared: Prepared) -> images.Base64Of:
    """The same as base64."""
    vault = _usable(given, prepared)
    if vault is None:
        return images.base64_text
    return lambda picture: vault.keep(picture, as_url=False) or images.base64_text(picture)


def _usable(given: Mapping[str, Any], prepared: Prepared) -> Vault | None:
    return usable_vault(prepared.bypass, given.get("logging_obj"))


def _vault_of_request(given: Mapping[str, Any]) -> Vault | None:
    vault = current_vault()
    return vault if vault is not None and vault.owner is given.get("logging_obj") else None


def _tell(result: ImageResult, given: Mapping[str, Any]) -> None:
    """For the header: what could be said only once the answer was there."""
    for holder in (find_record(given.get("logging_obj")), _vault_of_request(given)):
        if holder is not None:
            holder.notices = result.notices


async def _prepared(given: Mapping[str, Any], route: Route = Route.CHAT) -> Prepared:
    """The plan that the hook has made, or one of what LiteLLM still hands over."""
    logged = given.get("logging_obj")
    if route is Route.EDITS and logged is not None:
        _note_edit(given, logged)
    try:
        record = find_record(logged)
        token = str((given.get("optional_params") or {}).get(TOKEN))
        if record is not None and (prepared := record.take(token)) is not None:
            if prepared.adopted is not None:
                attribute(logged, prepared.adopted)
            return prepared
        handed_over = Given.to_handler(given, route)
        shown = {name: given[name] for name in ("api_key", "api_base") if given.get(name)}
        listed = await CATALOGS.rows(handed_over.model, lambda: replace(handed_over.access, **shown))
        prepared = prepare(replace(handed_over, listed=listed))
        access = prepared.access
        return replace(prepared, access=replace(access, headers=access.headers or handlers_headers(given)))
    finally:
        forget_secrets(logged)
