"""Our errors as LiteLLM's typed exceptions, so that its retries, fallbacks and cooldowns see them rightly.

LiteLLM passes its own exception types on as they are and reads status, message and `param` off them.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from litellm import exceptions
from litellm.litellm_core_utils.exception_mapping_utils import ExceptionCheckers

from litellm_imagegen.errors import (
    ImagegenError,
    PictureRefused,
    ProviderError,
    ProviderRejected,
    RequestError,
)

_PROVIDER = "imagegen"
_logger = logging.getLogger("litellm_imagegen")


_TYPES: dict[int, Callable[..., Exception]] = {
    400: exceptions.BadRequestError,
    401: exceptions.AuthenticationError,
    402: getattr(exceptions, "PaymentRequiredError", partial(exceptions.APIError, 402)),
    403: exceptions.PermissionDeniedError,
    404: exceptions.NotFoundError,
    408: exceptions.Timeout,
    422: exceptions.UnprocessableEntityError,
    429: exceptions.RateLimitError,
    499: partial(exceptions.APIError, 499),
    500: exceptions.InternalServerError,
    502: exceptions.BadGatewayError,
    503: exceptions.ServiceUnavailableError,
}
_WITH_RESPONSE = frozenset({403, 422, 429, 503})


def to_litellm(error: ImagegenError, model: str) -> Exception:
    """LiteLLM's exception for one of ours. The message stays, the field becomes `param`.

    LiteLLM's proxy hands `headers` on to the client, and its router waits as long as the response says.
    """
    given: dict[str, Any] = {"message": error.message, "model": model, "llm_provider": _PROVIDER}
    wait = error.retry_after if isinstance(error, ProviderError) else None
    headers = {} if wait is None else {"retry-after": str(math.ceil(wait))}
    if error.status in _WITH_RESPONSE:
        request = httpx.Request("POST", "https://litellm-imagegen.invalid")
        given["response"] = httpx.Response(error.status, headers=headers, request=request)
    exception = _kind_of(error)(**given)
    if headers:
        exception.headers = headers  # type: ignore[attr-defined]
    if isinstance(error, RequestError) and error.field:
        exception.param = error.field  # type: ignore[attr-defined]
    return exception


def _kind_of(error: ImagegenError) -> Callable[..., Exception]:
    """Two kinds of 400 have fallbacks of their own; what is too long, LiteLLM tells by a provider's words."""
    if isinstance(error, PictureRefused):
        return exceptions.ContentPolicyViolationError
    if isinstance(error, ProviderRejected) and ExceptionCheckers.is_error_str_context_window_exceeded(
        error.message
    ):
        return exceptions.ContextWindowExceededError
    return _TYPES[error.status]


@contextmanager
def translated(model: str) -> Iterator[None]:
    """Let nothing of ours out but LiteLLM's exceptions."""
    try:
        yield
    except ImagegenError as error:
        raise to_litellm(error, model) from None
    except Exception as error:
        if isinstance(error, tuple(exceptions.LITELLM_EXCEPTION_TYPES)):
            raise
        # A mistake of ours. LiteLLM would put the traceback into the client's message.
        _logger.exception("litellm_imagegen: unexpected %s", type(error).__name__)
        message = f"imagegen: an internal error ({type(error).__name__}); the proxy's log has the details"
        raise exceptions.InternalServerError(message=message, model=model, llm_provider=_PROVIDER) from None
