"""The short text that stands for a picture on LiteLLM's way: random, of fixed length, with its facts.

Whoever logs an answer can tell the facts from the reference alone; the picture itself is found by the
whole of it, in the vault of the request it was made for and nowhere else.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from litellm_imagegen.blob import PictureFacts

TEXT_PREFIX = "imagegen-picture:"
PREFIX = TEXT_PREFIX.encode()
_TOKEN_BYTES = 16
_MIME_CHARACTERS = 24
_MAXIMUM_PIXELS = 999_999
_FORM = re.compile(
    r"imagegen-picture:[0-9a-f]{32}:(?P<sha256>[0-9a-f]{64}):(?P<bytes>[0-9]{12})"
    r":(?P<width>[0-9]{6})x(?P<height>[0-9]{6}):(?P<mime>[ -~]{24})"
)
LENGTH = len(PREFIX) + 2 * _TOKEN_BYTES + 1 + 64 + 1 + 12 + 1 + 6 + 1 + 6 + 1 + _MIME_CHARACTERS


def make(facts: PictureFacts) -> str:
    """A new reference to a picture. Pixels that are not known, or beyond what fits, count as 0."""
    mime = "".join(c for c in facts["mime"] if c.isascii() and (c.isalnum() or c in "/+.-"))
    width, height = (
        pixels if pixels and pixels <= _MAXIMUM_PIXELS else 0 for pixels in (facts["width"], facts["height"])
    )
    return (
        f"{TEXT_PREFIX}{secrets.token_hex(_TOKEN_BYTES)}:{facts['sha256']}:{facts['bytes']:012d}"
        f":{width:06d}x{height:06d}:{mime[:_MIME_CHARACTERS]:.<{_MIME_CHARACTERS}}"
    )


def replaced(text: str, show: Callable[[dict[str, Any]], str]) -> str:
    """`text` with every reference in it shown by its facts."""
    return _FORM.sub(lambda match: show(_facts(match)), text)


def facts_of(text: str) -> dict[str, Any] | None:
    """The facts that a reference tells, None for text that is none."""
    match = _FORM.fullmatch(text)
    return None if match is None else _facts(match)


def _facts(match: "re.Match[str]") -> dict[str, Any]:
    return {
        "sha256": match["sha256"],
        "mime": match["mime"].rstrip("."),
        "bytes": int(match["bytes"]),
        "width": int(match["width"]) or None,
        "height": int(match["height"]) or None,
    }
