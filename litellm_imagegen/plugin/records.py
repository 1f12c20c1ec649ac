"""What is remembered of a request while it lives, kept by its LiteLLM logging object.

The hook makes a plan and leaves an opaque token in the arguments; the handler finds the plan by it.
LiteLLM may carry one request to several deployments, one after the other or at once: each has its own
token. Everything goes when the logging object does, so nothing outlives a request.
"""

import secrets
import weakref
from dataclasses import dataclass
from typing import Any

from litellm_imagegen.canonical import Notice
from litellm_imagegen.plan import Plan
from litellm_imagegen.plugin.config import Access

TOKEN = "imagegen_token"  # noqa: S105  # the name of an argument


@dataclass(frozen=True)
class Prepared:
    """A plan, and what its deployment shows to the provider: LiteLLM hands a handler only some of that."""

    plan: Plan
    access: Access


class Record:
    """One request: its plans by token until a handler takes them, and what the latest one had to say."""

    def __init__(self) -> None:
        self._prepared: dict[str, Prepared] = {}
        self.notices: tuple[Notice, ...] = ()

    def add(self, prepared: Prepared) -> str:
        """Keep a plan; the token to find it by."""
        token = secrets.token_urlsafe(16)
        self._prepared[token] = prepared
        self.notices = prepared.plan.notices
        return token

    def take(self, token: str) -> Prepared | None:
        """The plan for a token, once."""
        return self._prepared.pop(token, None)


_records: "weakref.WeakKeyDictionary[Any, Record]" = weakref.WeakKeyDictionary()


def record_of(logging_object: Any) -> Record:
    """The record of the request that `logging_object` belongs to."""
    record = _records.get(logging_object)
    if record is None:
        record = _records[logging_object] = Record()
    return record


def find_record(logging_object: Any) -> Record | None:
    """The record if there is one: foreign requests have none."""
    return None if logging_object is None else _records.get(logging_object)
