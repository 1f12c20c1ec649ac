"""What a caller of Imagen may wish for: the words of all wires, and a few that only this wire has.

Strategy: the own words are taken out of the wishes first, for one of them decides whether the model lives
at all and so comes before the request is checked; the rest is read by the table of all wires. Words that
speak of what a prediction does not have (thoughts, text, finish reasons, a stream) are refused rather
than left without effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .faults import FaultWord, UnknownFaultError, Wishes, read_wishes

_IN_TEXT = re.compile(r"\[\s*sandbox\s*:([^\]]*)\]", re.IGNORECASE)
_REFUSED_PROMPT = "PROHIBITED_CONTENT"
_NO_IMAGE = "NO_IMAGE"
_MOST_FILTERED = 10


@dataclass(frozen=True, kw_only=True)
class OwnWishes:
    """The wishes of this wire alone. `alive` is None when the caller leaves it to the sandbox.

    `rest` holds the other clauses as they were written, for `read_shared_wishes`.
    """

    alive: bool | None = None
    filtered: int = 0
    rest: str = ""


def _filtered(arguments: tuple[str, ...]) -> Mapping[str, Any]:
    count = int(arguments[0])
    if not 1 <= count <= _MOST_FILTERED:
        raise UnknownFaultError(f"The sandbox fault 'filter' takes 1 to {_MOST_FILTERED}.")
    return {"filtered": count}


OWN_WORDS: tuple[FaultWord, ...] = (
    FaultWord("alive", "the model answers, as it did until its end", "alive", lambda _: {"alive": True}),
    FaultWord("retired", "404, as the provider answers today", "retired", lambda _: {"alive": False}),
    FaultWord("filter N", "the last N pictures (1 to 10) are filtered out", r"filter (\d+)", _filtered),
)


def read_own_wishes(*, texts: Iterable[str], header: str | None) -> OwnWishes:
    """Take this wire's wishes out of those of the header if there is one, else out of those of the texts.

    Raises UnknownFaultError for a number out of range.
    """
    wholes = [header] if header is not None else [found for text in texts for found in _IN_TEXT.findall(text)]
    own, rest = OwnWishes(), []
    for clause in (" ".join(part.split()) for whole in wholes for part in whole.split(";")):
        wish = _own_wish(clause)
        if wish is None:
            rest.append(clause)
        else:
            own = replace(own, **wish)
    return replace(own, rest=";".join(rest))


def _own_wish(clause: str) -> Mapping[str, Any] | None:
    for word in OWN_WORDS:
        match = re.fullmatch(word.pattern, clause, re.IGNORECASE)
        if match:
            return word.wish(match.groups())
    return None


def read_shared_wishes(rest: str) -> Wishes:
    """Read the clauses which all wires share. Raises UnknownFaultError for those without a meaning here."""
    try:
        wishes = read_wishes(texts=(), header=rest)
    except UnknownFaultError as fault:
        own = "; ".join(word.syntax for word in OWN_WORDS)
        raise UnknownFaultError(f"{fault} On this wire also: {own}.") from None
    meaningless = _meaningless(wishes)
    if meaningless:
        raise UnknownFaultError(
            f"The sandbox fault '{meaningless}' has no meaning here: a prediction holds pictures alone, "
            "without words, thoughts, block or finish reasons, and is never streamed."
        )
    return wishes


def _meaningless(wishes: Wishes) -> str | None:
    """The first wish that this wire cannot grant, as it is written."""
    candidates = (
        ("drafts", wishes.drafts),
        ("words only", wishes.words_only),
        ("words", wishes.words),
        ("error mid-stream", wishes.error_mid_stream),
        ("max tokens", wishes.finish_reason == "MAX_TOKENS"),
        (f"finish {wishes.finish_reason}", wishes.finish_reason not in (None, _NO_IMAGE)),
        (f"block {wishes.block_reason}", wishes.block_reason not in (None, _REFUSED_PROMPT)),
    )
    return next((word for word, wished in candidates if wished), None)
