"""Words of a reply, cut as a stream sends them."""

from __future__ import annotations

_DELTAS_PER_TEXT = 3


def deltas(text: str) -> list[str]:
    """A text cut at spaces into a few pieces, which join to the same text; a short one stays whole."""
    words = text.split(" ")
    if len(words) < _DELTAS_PER_TEXT:
        return [text]
    step = -(-len(words) // _DELTAS_PER_TEXT)
    texts = [" ".join(words[start : start + step]) for start in range(0, len(words), step)]
    return [text if index == 0 else f" {text}" for index, text in enumerate(texts)]
