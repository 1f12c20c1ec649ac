"""Pictures take their own way to the client, past LiteLLM's copying, scanning, dumping and logging.

The handler hands LiteLLM a short reference in a picture's place, and the picture's bytes go into the body
at the very last moment: as the server sends it. An ASGI wrapper around the proxy's whole application opens
a vault for each request to a route we serve, finds the references of that request (and of no other) in
what is sent, and sends the picture from its buffer instead. LiteLLM does everything else exactly as it
does without us, but for streams that it has no form for (`vault.Live`). The vault ends with its request,
however that ends.

A reference is random, made after the model has answered, and known to nobody before it is replaced: text
that looks like one is none, and passes through.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import litellm
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.litellm_logging import get_custom_logger_compatible_class

from litellm_imagegen.plugin.config import Bypass
from litellm_imagegen.plugin.given import PATHS
from litellm_imagegen.plugin.ledgers import begin_request, end_request
from litellm_imagegen.plugin.model_info import ROUTES as MODEL_INFO
from litellm_imagegen.plugin.model_info import ModelInfoSender
from litellm_imagegen.plugin.sending import Receive, Receiver, Send, Sender
from litellm_imagegen.plugin.vault import Message, Vault, close_vault, current_vault, open_vault

Application = Callable[[Message, Receive, Send], Awaitable[None]]

_ROUTES = tuple(PATHS.values())
# What LiteLLM's own hooks see may hold references: they count and limit, they do not look at pictures.
_LITELLMS_OWN_HOOKS = "litellm.proxy.hooks."
_HOOKS_THAT_SEE_ANSWERS = (
    "async_post_call_success_hook",
    "async_post_call_streaming_hook",
    "async_post_call_streaming_iterator_hook",
    "async_post_call_success_deployment_hook",
    "async_post_call_streaming_deployment_hook",
)


class BypassApplication:
    """The proxy's application with our last step around it."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection; other routes pass untouched."""
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path.endswith(MODEL_INFO):
            send = ModelInfoSender(send)
        if not path.endswith(_ROUTES):
            await self.application(scope, receive, send)
            return
        vault, token = open_vault()
        ledger = begin_request()
        sender, receiver = Sender(vault, send), Receiver(vault, receive)
        try:
            await self.application(scope, receiver, sender)
        finally:
            sender.close()
            receiver.close()
            end_request(ledger)
            close_vault(vault, token)


def install() -> bool:
    """Put our last step around the proxy of this process, once. False where there is none or it cannot be.

    It stands inside the proxy's middleware, around its routes, so that it sees answers before they are
    compressed; pictures do not compress, and an answer with one leaves in pieces and as it is.
    """
    application = getattr(sys.modules.get("litellm.proxy.proxy_server"), "app", None)
    router: Any = getattr(application, "router", None)
    inner = getattr(router, "middleware_stack", None)
    if inner is None:
        return False
    if not isinstance(inner, BypassApplication):
        router.middleware_stack = BypassApplication(inner)
    return True


def usable_vault(setting: Bypass, logging_object: Any) -> Vault | None:
    """The vault that a request's pictures may go into, None where they have to go LiteLLM's way.

    A vault serves the call it was opened for and no other that is made on the way. Where an answer may be
    cached the picture itself has to be in it, whatever the setting.
    """
    vault = current_vault()
    if vault is None or vault.owner is None or vault.owner is not logging_object:
        return None
    if setting is Bypass.OFF or litellm.cache is not None:
        return None
    if setting is Bypass.AUTO and answers_are_looked_at():
        return None
    return vault


def answers_are_looked_at() -> bool:
    """Whether some callback may want to see, or to change, the pictures of an answer themselves."""
    return any(map(_looks_at_answers, litellm.callbacks))


def answers_may_be_blocked() -> bool:
    """Whether some callback may keep an answer back: it has seen it, or judges the request meanwhile."""
    return any(_looks_at_answers(callback) or _judges_meanwhile(callback) for callback in litellm.callbacks)


def _judges_meanwhile(callback: Any) -> bool:
    if isinstance(callback, str):
        callback = get_custom_logger_compatible_class(callback)
    if isinstance(callback, CustomGuardrail):
        return "during_call" in str(callback.event_hook)
    hook = "async_moderation_hook"
    return isinstance(callback, CustomLogger) and getattr(type(callback), hook) is not getattr(
        CustomLogger, hook
    )


def _looks_at_answers(callback: Any) -> bool:
    """Whether a callback may want to see or to change the picture itself."""
    if isinstance(callback, str):
        callback = get_custom_logger_compatible_class(callback)
    if isinstance(callback, CustomGuardrail):
        hooks = str(callback.event_hook)
        return callback.event_hook is None or "post_call" in hooks
    kind = type(callback)
    if not isinstance(callback, CustomLogger) or kind.__module__.startswith(
        (_LITELLMS_OWN_HOOKS, __package__)
    ):
        return False
    return any(
        getattr(kind, hook, None) is not getattr(CustomLogger, hook, None) for hook in _HOOKS_THAT_SEE_ANSWERS
    )
