"""Our errors as LiteLLM's typed exceptions, so that its retries, fallbacks and cooldowns see them rightly.

LiteLLM passes its own exception types on as they are and reads status, message and `param` off them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from litellm import exceptions
from litellm.llms.custom_llm import CustomLLMError

from litellm_imagegen.errors import ImagegenError, RequestError

_PROVIDER = "imagegen"
_logger = logging.getLogger("litellm_imagegen")


def _response(status: int) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("POST", "https://litellm-imagegen.invalid"))


_TYPES: dict[int, Callable[..., Exception]] = {
    400: exceptions.BadRequestError,
    401: exceptions.AuthenticationError,
    403: lambda **given: exceptions.PermissionDeniedError(response=_response(403), **given),
    404: exceptions.NotFoundError,
    408: exceptions.Timeout,
    422: lambda **given: exceptions.UnprocessableEntityError(response=_response(422), **given),
    429: exceptions.RateLimitError,
    500: exceptions.InternalServerError,
    502: exceptions.BadGatewayError,
    503: exceptions.ServiceUnavailableError,
}


def to_litellm(error: ImagegenError, model: str) -> Exception:
    """LiteLLM's exception for one of ours. The message stays, the field becomes `param`."""
    make = _TYPES.get(error.status)
    if make is None:
        return CustomLLMError(status_code=error.status, message=error.message)  # type: ignore[no-untyped-call]
    exception = make(message=error.message, model=model, llm_provider=_PROVIDER)
    if isinstance(error, RequestError) and error.field:
        exception.param = error.field  # type: ignore[attr-defined]  # read by LiteLLM's proxy
    return exception


@contextmanager
def translated(model: str, on_error: Callable[[ImagegenError], Any] = lambda error: None) -> Iterator[None]:
    """Let nothing of ours out but LiteLLM's exceptions; `on_error` sees the original first."""
    try:
        yield
    except ImagegenError as error:
        on_error(error)
        raise to_litellm(error, model) from None
    except Exception as error:
        if isinstance(error, tuple(exceptions.LITELLM_EXCEPTION_TYPES)):
            raise
        # A mistake of ours. LiteLLM would put the traceback into the client's message.
        _logger.exception("litellm_imagegen: unexpected %s", type(error).__name__)
        message = f"imagegen: an internal error ({type(error).__name__}); the proxy's log has the details"
        raise exceptions.InternalServerError(message=message, model=model, llm_provider=_PROVIDER) from None
