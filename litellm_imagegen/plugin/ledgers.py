"""Which jobs have been taken for the request that code runs for, across all tries of that request."""

import contextvars

from litellm_imagegen.engine import Ledger

_ledger: contextvars.ContextVar[Ledger | None] = contextvars.ContextVar("imagegen_ledger", default=None)


def current_ledger() -> Ledger:
    """The jobs taken for the request that this code runs for: a second try asks for their outcome.

    LiteLLM makes a new logging object for each try of a picture, so that what tries of one request share is
    the proxy's request, or, without a proxy, the task that they run in.
    """
    ledger = _ledger.get()
    if ledger is None:
        ledger = Ledger()
        _ledger.set(ledger)
    return ledger


def begin_request() -> contextvars.Token[Ledger | None]:
    """A request of the proxy begins here, and all its tries share what this sets."""
    return _ledger.set(Ledger())


def end_request(token: contextvars.Token[Ledger | None]) -> None:
    """The request of `begin_request` has ended."""
    _ledger.reset(token)
