"""The custom provider that LiteLLM calls: takes the plan that the hook made, carries it out, hands it back.

Where no hook ran (Python without the callback, every synchronous call) it plans from what LiteLLM
still hands over.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ImageResponse, ModelResponse, ModelResponseStream

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult, PictureDelta, TextDelta
from litellm_imagegen.engine import Job
from litellm_imagegen.errors import ClientGone
from litellm_imagegen.plugin import blocking, wrapping
from litellm_imagegen.plugin.bypass import Vault, current_vault, usable_vault
from litellm_imagegen.plugin.exceptions import translated
from litellm_imagegen.plugin.records import TOKEN, find_record
from litellm_imagegen.plugin.requests import Given, Route, bypass_setting, make_job, prepare
from litellm_imagegen.surfaces import chat, images
from litellm_imagegen.transport import Transport


class ImagegenHandler(CustomLLM):
    """Serves `imagegen/<provider>/<model>` on chat completions and on the Images API."""

    def __init__(self) -> None:
        super().__init__()
        self._transport = Transport()

    async def acompletion(self, *args: Any, **given: Any) -> ModelResponse:
        """A whole completion. Raises LiteLLM's exceptions."""
        with translated(str(given["model"])):
            result = await engine.run(await _job(given), self._transport)
            _tell(result, given)
            shown = chat.completion(result, _url_of(given))
            return wrapping.model_response(shown, result, str(given["model"]))

    async def astreaming(  # type: ignore[override]  # an async generator, as LiteLLM needs
        self, *args: Any, **given: Any
    ) -> AsyncGenerator[ModelResponseStream, None]:
        """The same as chunks. Errors before the first chunk become an HTTP status."""
        with translated(str(given["model"])):
            job = await _job(given)
            completion_id, model = wrapping.new_id(), str(given["model"])
            vault = _vault_of_request(given)
            async with aclosing(_chunks(job, self._transport, _url_of(given), vault)) as chunks:
                async for chunk in chunks:
                    yield wrapping.response_chunk(chunk, completion_id, model)

    async def aimage_generation(self, *args: Any, **given: Any) -> ImageResponse:
        """Pictures from a prompt. Raises LiteLLM's exceptions."""
        return await self._images(given, Route.GENERATIONS)

    async def aimage_edit(self, *args: Any, **given: Any) -> ImageResponse:
        """Pictures from pictures and a prompt. Raises LiteLLM's exceptions."""
        return await self._images(given, Route.EDITS)

    async def _images(self, given: dict[str, Any], route: Route) -> ImageResponse:
        with translated(str(given["model"])):
            job = await _job(given, route)
            work = engine.run(job, self._transport)
            result = images.chosen(await _while_connected(work, given), sum(job.plan.counts))
            _tell(result, given)
            return wrapping.image_response(images.response(result, _base64_of(given)), result)

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


async def _chunks(
    job: Job, transport: Transport, url_of: chat.UrlOf, vault: Vault | None
) -> AsyncGenerator[dict[str, Any], None]:
    """The chunks of a stream. The first is given only when the provider has taken the request.

    LiteLLM keeps the finish of the first choice alone: the vault is told those of the others.
    """
    chunks = chat.CompletionChunks(url_of)
    async with aclosing(_after_acceptance(job, transport)) as deltas:
        async for delta in deltas:
            if delta is None:
                yield chunks.start()
                continue
            if isinstance(delta, ImageResult) and vault is not None:
                vault.finishes = chat.finish_reasons(delta)[1:]
            for chunk in chunks.end(delta) if isinstance(delta, ImageResult) else chunks.add(delta):
                yield chunk


async def _after_acceptance(
    job: Job, transport: Transport
) -> AsyncGenerator[TextDelta | PictureDelta | ImageResult | None, None]:
    """None when the provider has taken the request, at the latest before the first delta; then the deltas."""
    async with aclosing(engine.stream(job, transport)) as deltas:
        first = asyncio.ensure_future(anext(deltas))
        accepted = asyncio.ensure_future(job.accepted.wait())
        try:
            await asyncio.wait({first, accepted}, return_when=asyncio.FIRST_COMPLETED)
            delta = first.result() if first.done() else None
            yield None
            yield delta if delta is not None else await first
        finally:
            for task in (first, accepted):
                task.cancel()
            await asyncio.gather(first, accepted, return_exceptions=True)
        async for delta in deltas:
            yield delta


async def _while_connected(work: Coroutine[Any, Any, ImageResult], given: Mapping[str, Any]) -> ImageResult:
    """The outcome of some work, which ends when the client hangs up. Raises `ClientGone` then."""
    vault = _vault_of_request(given)
    if vault is None:
        return await work
    working, gone = asyncio.create_task(work), asyncio.create_task(vault.client_gone.wait())
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


def _url_of(given: Mapping[str, Any]) -> chat.UrlOf:
    """References into the request's vault where pictures take their own way, else data URLs."""
    vault = _vault(given)
    if vault is None:
        return chat.data_url
    return lambda picture: vault.keep(picture) or picture.blob.data_url


def _base64_of(given: Mapping[str, Any]) -> images.Base64Of:
    """The same as base64."""
    vault = _vault(given)
    if vault is None:
        return images.base64_text
    return lambda picture: vault.keep(picture, as_url=False) or images.base64_text(picture)


def _vault(given: Mapping[str, Any]) -> Vault | None:
    return usable_vault(bypass_setting(given), given.get("logging_obj"))


def _vault_of_request(given: Mapping[str, Any]) -> Vault | None:
    vault = current_vault()
    return vault if vault is not None and vault.owner is given.get("logging_obj") else None


def _tell(result: ImageResult, given: Mapping[str, Any]) -> None:
    """For the header: what could be said only once the answer was there."""
    for holder in (find_record(given.get("logging_obj")), _vault_of_request(given)):
        if holder is not None:
            holder.notices = result.notices


async def _job(given: Mapping[str, Any], route: Route = Route.CHAT) -> Job:
    record = find_record(given.get("logging_obj"))
    token = str((given.get("optional_params") or {}).get(TOKEN))
    prepared = record.take(token) if record is not None else None
    return await make_job(prepared or prepare(Given.to_handler(given, route)), given)
