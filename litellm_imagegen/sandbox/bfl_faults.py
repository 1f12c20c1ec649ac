"""Faults of a wire with jobs: what may be wished for of the polls and of the download.

Strategy: the same clauses in the same places as in `faults` (`[sandbox: poll 429 2; never ready]` in the
prompt, or the header `x-sandbox`, which wins). The words of this module's table are taken out first; the
rest is handed to `faults`, and what this wire cannot do of it is refused by name, not ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .bfl_errors import ERROR_CODES, wrong_wish
from .faults import FaultWord, UnknownFaultError, Wishes, read_wishes, without_wishes

_IN_TEXT = re.compile(r"\[\s*sandbox\s*:([^\]]*)\]", re.IGNORECASE)
_NUMBER = r"(\d{1,6}(?:\.\d+)?)"
_COUNT = r"([1-9]\d{0,2})"
_CODES = "|".join(str(code) for code in ERROR_CODES)
_ADDRESS = r"([!-~]+)"
_STRANGE_POLLS = 2
_LONGEST_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class PollFault:
    """What one poll answers instead of the job's state: an error, or (without a code) half a reply."""

    code: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class JobWishes:
    """What was wished for of a job; every field at its default means an ordinary job.

    `ready_after` and `poll_seconds`, the wait before each reply to a poll, are in seconds. `poll_faults`
    are used up one by one, the first poll first.
    `sample_failures` counts the downloads that fail, from the first on.
    """

    ready_after: float = 0.05
    poll_faults: tuple[PollFault, ...] = ()
    poll_seconds: float = 0.0
    strange_polls: int = 0
    failed: bool = False
    lost: bool = False
    state_field: bool = False
    bare_polling_url: bool = False
    polling_url: str | None = None
    poll_redirect: str | None = None
    sample_error: int | None = None
    sample_failures: float = 0
    sample_url: str | None = None
    sample_redirect: str | None = None
    flat_errors: bool = False


def _fixed(syntax: str, meaning: str, **wish: Any) -> FaultWord:
    return FaultWord(syntax, meaning, re.escape(syntax), lambda _: wish)


def _poll_errors(arguments: tuple[str, ...]) -> Mapping[str, Any]:
    code, count, seconds = arguments
    fault = PollFault(code=int(code), retry_after=float(seconds) if seconds else None)
    return {"poll_faults": (fault,) * int(count)}


def _sample_errors(arguments: tuple[str, ...]) -> Mapping[str, Any]:
    code, count = arguments
    return {"sample_error": int(code), "sample_failures": int(count) if count else math.inf}


WORDS: tuple[FaultWord, ...] = (
    FaultWord(
        "ready after S",
        "the job takes S seconds; 0 makes the first poll find it done",
        f"ready after {_NUMBER}",
        lambda a: {"ready_after": float(a[0])},
    ),
    _fixed("never ready", "the job stays Pending for ever", ready_after=math.inf),
    _fixed("job failed", 'the job ends with the status "Error" and details', failed=True),
    _fixed("job lost", 'the first poll finds it Pending, later ones "Task not found"', lost=True),
    _fixed("unknown status", 'the first two polls tell the status "Thinking"', strange_polls=_STRANGE_POLLS),
    _fixed("state", "polls name the field state instead of status", state_field=True),
    FaultWord(
        "poll CODE N",
        "the next N polls answer CODE; 'poll 429 N after S' sets the wait in seconds; may be repeated",
        rf"poll ({_CODES}) {_COUNT}(?: after {_NUMBER})?",
        _poll_errors,
    ),
    FaultWord(
        "poll cut N",
        "the next N polls close the connection in the middle of the body",
        f"poll cut {_COUNT}",
        lambda a: {"poll_faults": (PollFault(),) * int(a[0])},
    ),
    FaultWord(
        "poll slow S",
        "each poll that tells a state waits S seconds (600 at most) before its head",
        f"poll slow {_NUMBER}",
        lambda a: {"poll_seconds": min(float(a[0]), _LONGEST_SECONDS)},
    ),
    FaultWord(
        "poll elsewhere URL",
        "polling_url is URL, word for word",
        f"poll elsewhere {_ADDRESS}",
        lambda a: {"polling_url": a[0]},
    ),
    FaultWord(
        "poll redirect URL",
        "polls answer 302 to URL",
        f"poll redirect {_ADDRESS}",
        lambda a: {"poll_redirect": a[0]},
    ),
    _fixed("poll without id", "polling_url has no ?id=, which the caller has to add", bare_polling_url=True),
    FaultWord(
        "sample CODE N",
        "the first N downloads answer CODE; without N all of them",
        rf"sample ({_CODES})(?: {_COUNT})?",
        _sample_errors,
    ),
    FaultWord(
        "sample elsewhere URL",
        "result.sample is URL, word for word",
        f"sample elsewhere {_ADDRESS}",
        lambda a: {"sample_url": a[0]},
    ),
    FaultWord(
        "sample redirect URL",
        "downloads answer 302 to URL",
        f"sample redirect {_ADDRESS}",
        lambda a: {"sample_redirect": a[0]},
    ),
    _fixed("flat errors", "error bodies have the shape {error, message, details}", flat_errors=True),
)


def read_all_wishes(*, prompt: str, header: str | None) -> tuple[JobWishes, Wishes]:
    """Read this wire's own wishes and the common ones. Raises BflError (422) for what is not to be had."""
    sources = [header] if header is not None else _IN_TEXT.findall(prompt)
    job_wishes, rest = JobWishes(), []
    for clause in (" ".join(part.split()) for source in sources for part in source.split(";")):
        wish = _wish(clause)
        if wish is None:
            rest.append(clause)
        else:
            job_wishes = _joined(job_wishes, wish)
    try:
        wishes = read_wishes(texts=(), header=";".join(rest))
    except UnknownFaultError as fault:
        own = "; ".join(word.syntax for word in WORDS)
        raise wrong_wish(f"{fault} Here as well: {own}.") from None
    _refuse_what_is_not_here(wishes)
    return job_wishes, wishes


def _wish(clause: str) -> Mapping[str, Any] | None:
    for word in WORDS:
        match = re.fullmatch(word.pattern, clause, re.IGNORECASE)
        if match:
            return word.wish(match.groups())
    return None


def _joined(job_wishes: JobWishes, wish: Mapping[str, Any]) -> JobWishes:
    """The wishes with one more; faults of polls queue up behind each other."""
    queued = job_wishes.poll_faults + wish.get("poll_faults", ())
    return replace(job_wishes, **{**wish, "poll_faults": queued})


def _refuse_what_is_not_here(wishes: Wishes) -> None:
    missing = {
        "words only": wishes.words_only,
        "words": wishes.words,
        "drafts": wishes.drafts,
        "pictures N": wishes.pictures is not None,
        "max tokens": wishes.finish_reason == "MAX_TOKENS",
        "error mid-stream": wishes.error_mid_stream,
        "bad base64": wishes.bad_base64,
    }
    for syntax, wished in missing.items():
        if wished:
            raise wrong_wish(
                f"The sandbox fault '{syntax}' does not exist on this wire: a job makes one picture, "
                "sends it as a file and says no words."
            )


def painted_text(prompt: str) -> str:
    """The prompt as it is written on the picture: without wishes, and with a stand-in when there is none."""
    return " ".join(without_wishes(prompt).split()) or "(no words)"
