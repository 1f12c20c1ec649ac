"""What every endpoint says about a picture beside the picture: metadata, notices, usage."""

from collections.abc import Iterable
from typing import Any

from litellm_imagegen.canonical import ImageResult, Notice

_HEADER_CHARACTERS = 1024


def provider_metadata(result: ImageResult) -> dict[str, Any]:
    """`{<provider>: its own facts, imagegen: {provider, model, notices[], images[]}}`."""
    images = [{**picture.blob.facts, "seed": picture.seed} for picture in result.pictures]
    return {
        result.provider: dict(result.facts),
        "imagegen": {
            "provider": result.provider,
            "model": result.model,
            "notices": [_notice(notice) for notice in result.notices],
            "images": images,
        },
    }


def notices_header(notices: Iterable[Notice]) -> str | None:
    """`x-imagegen-notices`: field names and codes, ASCII, at most 1 KB; None when there is nothing to say."""
    entries = [f"{notice.field}={notice.code}" for notice in notices]
    safe = "; ".join("".join(c if 32 <= ord(c) < 127 else "?" for c in entry) for entry in entries)
    return safe[:_HEADER_CHARACTERS] or None


def _notice(notice: Notice) -> dict[str, Any]:
    shown = notice.model_dump(mode="json")
    return {"field": shown["field"], "asked": shown["asked"], "used": shown["used"], "why": shown["why"]}
