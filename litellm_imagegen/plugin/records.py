"""What is remembered of a request while it lives, kept by its LiteLLM logging object.

The hook makes a plan and leaves an opaque token in the arguments; the handler finds the plan by it.
LiteLLM may carry one request to several deployments, one after the other or at once: each has its own
token. Everything goes when the logging object does, so nothing outlives a request.
"""

import secrets
import weakref
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litellm_imagegen.canonical import ImageResult, Message, Notice
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin.config import Access, Bypass
from litellm_imagegen.surfaces.responses import Shows

TOKEN = "imagegen_token"  # noqa: S105  # the name of an argument

_SERVED_HERE = "imagegen_serves"


@dataclass(frozen=True)
class Adopted:
    """A deployment of LiteLLM's own that is answered here.

    `model` is "imagegen/<provider>/<model>"; `provider` and `model_id` are LiteLLM's names of the two, and
    `prices` the operator's own, by LiteLLM's names.
    """

    model: str
    provider: str
    model_id: str
    prices: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """A plan, and what else of the request a handler needs: LiteLLM hands it only some of that.

    `access` is what the deployment shows to the provider; `turns` are those that the next response may refer
    to, None where it may not, and `owner` is whose they are. `adopted` tells a deployment of LiteLLM's own.
    With `calls_nobody` it is a health check, for which nothing is drawn.
    """

    plan: Plan
    access: Access
    bypass: Bypass
    turns: tuple[Message, ...] | None = None
    owner: Hashable = None
    previous_response_id: str | None = None
    adopted: Adopted | None = None
    calls_nobody: bool = False


class Record:
    """One request: its plans by token until a handler takes them, and what the latest one had to say.

    `outcome` is what a whole response is to show, until it is shown.
    """

    def __init__(self) -> None:
        self._prepared: dict[str, Prepared] = {}
        self.notices: tuple[Notice, ...] = ()
        self.outcome: Outcome | None = None

    def add(self, prepared: Prepared) -> str:
        """Keep a plan; the token to find it by."""
        token = secrets.token_urlsafe(16)
        self._prepared[token] = prepared
        self.notices = prepared.plan.notices
        return token

    def knows(self, token: object) -> bool:
        """Whether there is a plan for a token, which only the hook can have made."""
        return token in self._prepared

    def take(self, token: str) -> Prepared | None:
        """The plan for a token, once."""
        return self._prepared.pop(token, None)


@dataclass(frozen=True)
class Outcome:
    """A result for a whole response, under the id that the response has."""

    prepared: Prepared
    result: ImageResult
    response_id: str
    shows: Shows


_records: "weakref.WeakKeyDictionary[Any, Record]" = weakref.WeakKeyDictionary()


def mark(logging_object: Any, *, is_served_here: bool = True) -> None:
    """Note among what LiteLLM logs of a call whether it is ours: its answer may hold a picture."""
    logging_object.model_call_details[_SERVED_HERE] = is_served_here


def is_served_here(log_arguments: Mapping[str, Any]) -> bool:
    """Whether LiteLLM logs a call of ours."""
    return log_arguments.get(_SERVED_HERE) is True


def record_of(logging_object: Any) -> Record:
    """The record of the request that `logging_object` belongs to."""
    record = _records.get(logging_object)
    if record is None:
        record = _records[logging_object] = Record()
    return record


def find_record(logging_object: Any) -> Record | None:
    """The record if there is one: foreign requests have none."""
    return None if logging_object is None else _records.get(logging_object)
