"""Faults that a caller may wish for.

Strategy: a wish is words, in square brackets in the prompt (`[sandbox: slow 2; no image]`) or in the
request header `x-sandbox`, which wins. One table holds every word with its pattern, its meaning and the
wish it sets: it reads wishes, and it is the help that is shown. What a wish does on a wire is the wire's
own business, what it does to the connection is `transport`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

_IN_TEXT = re.compile(r"\[\s*sandbox\s*:([^\]]*)\]", re.IGNORECASE)
_NUMBER = r"(\d+(?:\.\d+)?)"
_REASON = r"([A-Za-z0-9_]+)"
_LONGEST_SECONDS = 600.0
_LARGEST_MEGABYTES = 512.0
_MOST_PICTURES = 10

ERROR_CODES = (400, 401, 402, 403, 404, 429, 500, 503, 504)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the caller wished for; every field at its default means an ordinary reply.

    Times are in seconds, `padding_bytes` in bytes.
    """

    block_reason: str | None = None
    finish_reason: str | None = None
    pictures: int | None = None
    words_only: bool = False
    words: bool = False
    refuse_picture: bool = False
    empty: bool = False
    drafts: bool = False
    error_code: int | None = None
    retry_after: float | None = None
    page_status: int | None = None
    page_is_html: bool = False
    slow: float = 0.0
    stall: float = 0.0
    never: bool = False
    cut_off: bool = False
    not_json: bool = False
    unknown_shape: bool = False
    error_mid_stream: bool = False
    gzip: bool = False
    bad_base64: bool = False
    padding_bytes: int = 0


class UnknownFaultError(ValueError):
    """A wish that is not in the table, or whose number is out of range; the text lists the known words."""


@dataclass(frozen=True)
class FaultWord:
    """One word of the table: how it is written, what it does, how it is read."""

    syntax: str
    meaning: str
    pattern: str
    wish: Callable[[tuple[str, ...]], Mapping[str, Any]]


def _fixed(syntax: str, meaning: str, **wish: Any) -> FaultWord:
    return FaultWord(syntax, meaning, re.escape(syntax), lambda _: wish)


def _bounded(value: str, highest: float) -> float:
    amount = float(value)
    if amount > highest:
        raise UnknownFaultError(
            f"{value} is too large a number for a sandbox fault; the most is {highest:g}."
        )
    return amount


def _pictures(arguments: tuple[str, ...]) -> Mapping[str, Any]:
    count = int(_bounded(arguments[0], _MOST_PICTURES))
    if count < 1:
        raise UnknownFaultError("The sandbox fault 'pictures' takes 1 or more.")
    return {"pictures": count}


def _error(arguments: tuple[str, ...]) -> Mapping[str, Any]:
    return {
        "error_code": int(arguments[0]),
        "retry_after": float(arguments[1]) if arguments[1] else None,
    }


_CODES = "|".join(str(code) for code in ERROR_CODES)

WORDS: tuple[FaultWord, ...] = (
    _fixed(
        "refuse prompt",
        "the prompt is blocked (PROHIBITED_CONTENT), no candidates",
        block_reason="PROHIBITED_CONTENT",
    ),
    FaultWord(
        "block REASON",
        "the prompt is blocked for REASON",
        f"block {_REASON}",
        lambda a: {"block_reason": a[0]},
    ),
    _fixed(
        "refuse picture", "IMAGE_SAFETY with a finish message, candidate without content", refuse_picture=True
    ),
    FaultWord(
        "finish REASON",
        "ends with REASON and no parts; add 'words' or 'pictures N' for parts",
        f"finish {_REASON}",
        lambda a: {"finish_reason": a[0]},
    ),
    _fixed("words only", "an ordinary end with text and no picture", words_only=True),
    _fixed("words", "adds a line of text to whatever the reply is", words=True),
    _fixed("no image", "ends with NO_IMAGE and no parts", finish_reason="NO_IMAGE"),
    _fixed("empty", "a reply without candidates", empty=True),
    _fixed("max tokens", "ends with MAX_TOKENS and no parts", finish_reason="MAX_TOKENS"),
    _fixed("drafts", "thought text and two draft pictures before the final one", drafts=True),
    FaultWord("pictures N", "N pictures (1 to 10), a line of text before each", r"pictures (\d+)", _pictures),
    FaultWord(
        f"{_CODES.replace('|', ', ')}",
        "the provider's own error reply; '429 after 17' and '503 after 17' set the wait in seconds",
        rf"({_CODES})(?: after {_NUMBER})?",
        _error,
    ),
    FaultWord(
        "html N",
        "an HTML error page with status N (200 to 599)",
        r"html ([2-5]\d\d)",
        lambda a: {"page_status": int(a[0]), "page_is_html": True},
    ),
    FaultWord(
        "status N",
        "status N (200 to 599) with an empty body",
        r"status ([2-5]\d\d)",
        lambda a: {"page_status": int(a[0])},
    ),
    FaultWord(
        "slow N",
        "waits N seconds before the reply's head",
        f"slow {_NUMBER}",
        lambda a: {"slow": _bounded(a[0], _LONGEST_SECONDS)},
    ),
    FaultWord(
        "stall N",
        "waits N seconds after the first event, or after half of the body",
        f"stall {_NUMBER}",
        lambda a: {"stall": _bounded(a[0], _LONGEST_SECONDS)},
    ),
    _fixed("never", "no reply; ends when the client goes away", never=True),
    _fixed("cut off", "closes the connection in the middle of the picture", cut_off=True),
    _fixed("not json", "status 200 with text that is no JSON", not_json=True),
    _fixed("unknown shape", "status 200 with JSON of another shape", unknown_shape=True),
    _fixed("error mid-stream", "a text delta, then an error object (503)", error_mid_stream=True),
    _fixed("encoded gzip", "a gzip body, whatever was asked for", gzip=True),
    _fixed("bad base64", "picture data that is no base64", bad_base64=True),
    FaultWord(
        "big N",
        "pads the picture by N megabytes (10^6 bytes); it still decodes",
        f"big {_NUMBER}",
        lambda a: {"padding_bytes": int(_bounded(a[0], _LARGEST_MEGABYTES) * 1_000_000)},
    ),
)


def read_wishes(*, texts: Iterable[str], header: str | None) -> Wishes:
    """Read the wishes of a request: those of the header if there is one, else those of the texts.

    Raises UnknownFaultError for a word that is not in the table.
    """
    clauses = (
        [header] if header is not None else [found for text in texts for found in _IN_TEXT.findall(text)]
    )
    wishes = Wishes()
    for clause in (part.strip() for whole in clauses for part in whole.split(";")):
        if clause:
            wishes = replace(wishes, **_wish(clause))
    return wishes


def without_wishes(text: str) -> str:
    """The text as a painter should read it: its wishes cut out."""
    return _IN_TEXT.sub("", text)


def _wish(clause: str) -> Mapping[str, Any]:
    spaced = " ".join(clause.split())
    for word in WORDS:
        match = re.fullmatch(word.pattern, spaced, re.IGNORECASE)
        if match:
            return word.wish(match.groups())
    known = "; ".join(word.syntax for word in WORDS)
    raise UnknownFaultError(f"Unknown sandbox fault '{spaced[:80]}'. Known are: {known}.")
