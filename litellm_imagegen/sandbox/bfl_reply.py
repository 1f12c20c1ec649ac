"""Composes what Black Forest Labs answers: to a submit, to a poll; and paints the picture.

Source: https://docs.bfl.ai/api_integration/integration_guidelines
"""

from __future__ import annotations

import io
import json
import struct
from typing import Any

from PIL import Image

from .bfl_faults import painted_text
from .bfl_jobs import LOST, READY, Job
from .drawing import Painting, paint
from .encoding import encode

_CONTENT_MODERATED = "Content Moderated"
_REQUEST_MODERATED = "Request Moderated"
_CHUNK_HEAD = 8
# A repainted picture may have any size; below this one there is no room to write and hang anything.
_SMALLEST_PAINTED = 64


def submitted(job: Job, base_url: str) -> dict[str, Any]:
    """The reply to a submit; a caller with a webhook is told no polling_url. `base_url` ends in a slash."""
    asked = job.asked
    figures = {
        "cost": asked.cost,
        "input_mp": asked.input_megapixels,
        "output_mp": asked.output_megapixels,
    }
    if asked.webhook_url is not None:
        return {"id": job.id, "status": "Pending", "webhook_url": asked.webhook_url, **figures}
    return {"id": job.id, "polling_url": _polling_url(job, base_url), **figures}


def _polling_url(job: Job, base_url: str) -> str:
    if job.job_wishes.polling_url is not None:
        return job.job_wishes.polling_url
    address = f"{base_url}v1/get_result"
    return address if job.job_wishes.bare_polling_url else f"{address}?id={job.id}"


def lost(job_id: str) -> dict[str, Any]:
    """The reply to a poll for a task that is not known."""
    return {"id": job_id, "status": LOST, "result": None}


def polled(job: Job, now: float, base_url: str) -> dict[str, Any]:
    """The reply to a poll. `base_url` ends in a slash."""
    status = job.status(now)
    if status == LOST:
        body = lost(job.id)
    else:
        body = {
            "id": job.id,
            "status": status,
            "result": _result(job, status, base_url),
            "progress": None if status == job.final_status else round(job.progress(now), 3),
            "details": _details(job, status),
            "preview": None,
        }
    if status == READY:
        body["cost"] = job.asked.cost
    return {"state": body.pop("status"), **body} if job.job_wishes.state_field else body


def _result(job: Job, status: str, base_url: str) -> dict[str, Any] | None:
    if status == _CONTENT_MODERATED:
        return {"sample": None}
    if status != READY:
        return None
    return {
        "sample": _sample_url(job, base_url) if job.has_sample else None,
        "prompt": job.asked.prompt,
        "seed": job.asked.seed,
        "start_time": job.started_unix,
        "end_time": job.started_unix + job.job_wishes.ready_after,
        "duration": job.job_wishes.ready_after,
    }


def _sample_url(job: Job, base_url: str) -> str:
    if job.job_wishes.sample_url is not None:
        return job.job_wishes.sample_url
    return f"{base_url}results/{job.id}/{sample_name(job)}?sig={job.signature}"


def sample_name(job: Job) -> str:
    """The file's name at the end of its address."""
    return f"sample.{job.asked.format}"


def _details(job: Job, status: str) -> dict[str, Any] | None:
    if status == _REQUEST_MODERATED:
        return {"Moderation Reasons": [job.wishes.block_reason]}
    if status == _CONTENT_MODERATED:
        return {"Moderation Reasons": ["The picture goes against the rules (sandbox)"]}
    if status == job.final_status != READY:
        return {"error": "The task could not be finished. (sandbox)"}
    return None


def painted(job: Job) -> bytes:
    """The picture's file, the same at each call. It draws, so call it off the event loop."""
    asked = job.asked
    prompt = painted_text(asked.prompt)
    size = (asked.width, asked.height)
    painting = Painting(
        width=max(_SMALLEST_PAINTED, asked.width),
        height=max(_SMALLEST_PAINTED, asked.height),
        prompt=prompt,
        caption=f"{asked.model.name} · {asked.width}x{asked.height} · seed {asked.seed}",
        seed_material=json.dumps([asked.model.name, prompt, asked.seed]),
        inputs=asked.inputs,
    )
    picture = paint(painting)
    if picture.size != size:
        picture = picture.resize(size)
    padding = job.wishes.padding_bytes
    if asked.format == "webp":
        return _webp(picture, padding)
    return encode(picture, mime_type=f"image/{asked.format}", padding_bytes=padding)


def _webp(picture: Image.Image, padding_bytes: int) -> bytes:
    """A WebP file, on wish padded by a chunk of a name that readers skip.

    Source: https://developers.google.com/speed/webp/docs/riff_container#unknown_chunks
    """
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=80, method=0)
    data = file.getvalue()
    if not padding_bytes:
        return data
    padding_bytes += padding_bytes % 2  # chunks have an even length
    data += b"PADD" + struct.pack("<I", padding_bytes) + bytes(padding_bytes)
    return b"RIFF" + struct.pack("<I", len(data) - _CHUNK_HEAD) + data[_CHUNK_HEAD:]
