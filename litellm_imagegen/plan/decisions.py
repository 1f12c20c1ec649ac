"""What had to change on the way from wish to plan: a notice for each, or an error under the strict policy."""

from collections.abc import Mapping
from typing import Any

from litellm_imagegen.canonical import Asked, ImageInput, Notice, NoticeCode, Origin, Policy
from litellm_imagegen.errors import InvalidParameter, quote, written

_NOTICE_CHARACTERS = 100
_MAXIMUM_NOTICES = 100
_MAXIMUM_DEPTH = 3


class Decisions:
    """Collects notices; under the strict policy a client's wish that would need one is an error.

    With `drops_unsupported` (LiteLLM's drop_params) the strict policy leaves out what the model lacks.
    What was meant for another vendor than `vendor` is never an error.
    """

    def __init__(self, policy: Policy, vendor: str, *, drops_unsupported: bool) -> None:
        self._policy = policy
        self._vendor = vendor
        self._drops_unsupported = drops_unsupported
        self.notices: list[Notice] = []

    def adapted(self, asked: Asked, used: Any, why: str, allowed: str) -> Any:
        """Use another value than the one asked for, and say so."""
        if asked.vendor in (None, self._vendor):
            self._refuse_if_strict(asked.spelling, asked.value, asked.origin, allowed)
        self._note(NoticeCode.ADAPTED, asked.spelling, asked.value, used, why)
        return used

    def shortened(self, spelling: str, asked: str, used: str, allowed: str) -> None:
        """Send less than was given, and say so."""
        self._refuse_if_strict(spelling, asked, Origin.CLIENT, allowed)
        self._note(NoticeCode.ADAPTED, spelling, asked, used, f"the model takes {allowed}")

    def left_out(self, asked: Asked, why: str) -> None:
        """Leave a wish out, and say so."""
        if asked.vendor in (None, self._vendor):
            self.unsupported(asked.spelling, asked.value, asked.origin, why)
        else:
            self.for_others(asked)

    def unsupported(self, spelling: str, value: Any, origin: Origin, why: str) -> None:
        """Leave a field out, and say so."""
        if not self._drops_unsupported:
            self._refuse_if_strict(spelling, value, origin, f"leaving it out ({why})")
        self._note(NoticeCode.UNSUPPORTED, spelling, value, None, why)

    def owned(self, spelling: str, value: Any, used: Any = None) -> None:
        """Stay at the operator's value, and say so: that is no departure the client could forbid."""
        self._note(NoticeCode.UNSUPPORTED, spelling, value, used, "the operator does not let clients set it")

    def for_others(self, asked: Asked) -> None:
        """Pass over what was meant for another vendor, and say so."""
        why = f"meant for {asked.vendor}, not for {self._vendor}"
        self._note(NoticeCode.UNSUPPORTED, asked.spelling, asked.value, None, why)

    def renamed(self, asked: str, used: str, why: str) -> None:
        """Call another model id, and say so: that is the operator's doing."""
        self._note(NoticeCode.ADAPTED, "model", asked, used, why)

    def preference(self, name: str, asked: str, used: str, why: str) -> None:
        """Show the outcome in another way, and say so: the picture is the same."""
        self._note(NoticeCode.ADAPTED, name, asked, used, why)

    def _note(self, code: NoticeCode, field: str, asked: Any, used: Any, why: str) -> None:
        """Everything foreign in a notice is short and harmless."""
        if len(self.notices) == _MAXIMUM_NOTICES:
            return
        if len(self.notices) == _MAXIMUM_NOTICES - 1:
            field, asked, used, why = "...", None, None, "there are more notices than are told"
        notice = Notice(code=code, field=str(_short(field)), asked=_short(asked), used=_short(used), why=why)
        self.notices.append(notice)

    def _refuse_if_strict(self, spelling: str, value: Any, origin: Origin, allowed: str) -> None:
        if self._policy is Policy.STRICT and origin is Origin.CLIENT:
            raise InvalidParameter(spelling, value, allowed)


def _without_values(value: Any, depth: int = _MAXIMUM_DEPTH) -> Any:
    """Objects by their names alone: what nobody knows may hold a key."""
    if isinstance(value, Mapping):
        return dict.fromkeys(value, "...")
    if isinstance(value, list):
        return [_without_values(item, depth - 1) for item in value] if depth else ["..."]
    return value


def _short(value: Any) -> Any:
    """A value fit for a notice: small ones as they are, anything else as at most 100 characters."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, ImageInput):
        return "a picture"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = quote(written(_without_values(value)))
    if isinstance(value, tuple) and len(text) <= _NOTICE_CHARACTERS and text == repr(value):
        return value
    return text if len(text) <= _NOTICE_CHARACTERS else f"{text[: _NOTICE_CHARACTERS - 1]}…"
