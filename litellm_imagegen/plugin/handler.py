"""The custom provider that LiteLLM calls: takes the plan that the hook made, carries it out, hands it back.

Where no hook ran (Python without the callback, every synchronous call) it plans from what LiteLLM
still hands over.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from litellm.llms.custom_llm import CustomLLM
from litellm.types.utils import ModelResponse, ModelResponseStream

from litellm_imagegen import engine
from litellm_imagegen.canonical import ImageResult
from litellm_imagegen.engine import Job
from litellm_imagegen.plugin import blocking, wrapping
from litellm_imagegen.plugin.bypass import usable_vault
from litellm_imagegen.plugin.exceptions import translated
from litellm_imagegen.plugin.records import TOKEN, find_record
from litellm_imagegen.plugin.requests import Given, bypass_setting, make_job, make_plan
from litellm_imagegen.surfaces import chat
from litellm_imagegen.transport import Transport


class ImagegenHandler(CustomLLM):
    """Serves `imagegen/<provider>/<model>` on chat completions."""

    def __init__(self) -> None:
        super().__init__()
        self._transport = Transport()

    async def acompletion(self, *args: Any, **given: Any) -> ModelResponse:
        """A whole completion. Raises LiteLLM's exceptions."""
        with translated(str(given["model"])):
            result = await engine.run(_job(given), self._transport)
            shown = chat.completion(result, _url_of(given))
            return wrapping.model_response(shown, result, str(given["model"]))

    async def astreaming(  # type: ignore[override]  # an async generator, as LiteLLM needs
        self, *args: Any, **given: Any
    ) -> AsyncGenerator[ModelResponseStream, None]:
        """The same as chunks. Errors before the first chunk become an HTTP status."""
        with translated(str(given["model"])):
            job = _job(given)
            completion_id, model = wrapping.new_id(), str(given["model"])
            async with aclosing(_chunks(job, self._transport, _url_of(given))) as chunks:
                async for chunk in chunks:
                    yield wrapping.response_chunk(chunk, completion_id, model)

    def completion(self, *args: Any, **given: Any) -> ModelResponse:
        """`acompletion` for synchronous callers."""
        return blocking.run(self.acompletion(**given))

    def streaming(  # type: ignore[override]  # a generator, as LiteLLM needs
        self, *args: Any, **given: Any
    ) -> Iterator[ModelResponseStream]:
        """`astreaming` for synchronous callers."""
        return blocking.iterate(self.astreaming(**given))


async def _chunks(job: Job, transport: Transport, url_of: chat.UrlOf) -> AsyncGenerator[dict[str, Any], None]:
    """The chunks of a stream. The first is given only when the provider has begun to answer."""
    chunks = chat.CompletionChunks(url_of)
    started = False
    async with aclosing(engine.stream(job, transport)) as deltas:
        async for delta in deltas:
            if not started:
                started = True
                yield chunks.start()
            if isinstance(delta, ImageResult):
                for chunk in chunks.end(delta):
                    yield chunk
            else:
                yield chunks.add(delta)


def _url_of(given: Mapping[str, Any]) -> chat.UrlOf:
    """References into the request's vault where pictures take their own way, else data URLs."""
    vault = usable_vault(bypass_setting(given), given.get("logging_obj"))
    if vault is None:
        return chat.data_url
    return lambda picture: vault.keep(picture) or picture.blob.data_url


def _job(given: Mapping[str, Any]) -> Job:
    record = find_record(given.get("logging_obj"))
    token = str((given.get("optional_params") or {}).get(TOKEN))
    plan = record.take(token) if record is not None else None
    return make_job(plan or make_plan(Given.to_handler(given)), given)
