"""The wire of Black Forest Labs: submit a job, poll it, fetch its picture from a signed address.

Strategy: one `_Service` per app holds the jobs and the counts. A submit checks the key, reads the
request, reads the wishes and only then makes a job; polls and downloads look the job up and do what was
wished at the submit. `cut off`, `stall` and `big` act on the download, the connection's other faults on
the reply to the submit.

Source: https://docs.bfl.ai/api_integration/integration_guidelines
"""

from __future__ import annotations

import asyncio
import functools
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from . import bfl_reply
from .bfl_checks import Fault
from .bfl_errors import BflError, error, invalid, not_authenticated
from .bfl_faults import JobWishes, read_all_wishes
from .bfl_jobs import Clock, Job, JobStore
from .bfl_models import MODELS, Model
from .bfl_request import read_request
from .faults import Wishes
from .transport import Delivery, Outgoing, page
from .wire import Wire

_LARGEST_BODY = 256 * 1024 * 1024
_CREDITS = 1000.0
_JSON = "application/json"
_WORDS = "text/plain; charset=utf-8"


def routes(clock: Clock = time.monotonic) -> list[Route]:
    """The routes of this wire with a store of their own, to be mounted at the root."""
    service = _Service(JobStore(clock))
    submits = [
        Route(f"/v1/{name}", functools.partial(service.submit, model), methods=["POST"])
        for name, model in MODELS.items()
    ]
    return [
        *submits,
        # Only what looks like a model of this provider: other wires have addresses below /v1/ as well.
        Route("/v1/flux{rest:path}", service.unknown_model, methods=["POST"]),
        Route("/v1/get_result", service.poll, methods=["GET"]),
        Route("/v1/credits", service.credits, methods=["GET"]),
        Route("/v1/sandbox/bfl", service.counts, methods=["GET"]),
        Route("/results/{id}/{name}", service.download, methods=["GET"]),
    ]


class _Service:
    """The endpoints, over the jobs of one app."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs

    async def submit(self, model: Model, request: Request) -> Response:
        """POST /v1/{model}: check everything, then start a job."""
        self._jobs.counts.submits += 1
        wishes = Wishes()
        try:
            key = _key(request)
            asked = await asyncio.to_thread(read_request, await _body(request), model)
            job_wishes, wishes = read_all_wishes(prompt=asked.prompt, header=request.headers.get("x-sandbox"))
            outgoing = _instead_of_a_job(wishes, job_wishes)
            if outgoing is None:
                job = self._jobs.add(key=key, asked=asked, wishes=wishes, job_wishes=job_wishes)
                outgoing = _json(bfl_reply.submitted(job, str(request.base_url)))
        except BflError as refusal:
            outgoing = _refused(refusal)
        except ClientDisconnect:
            outgoing = Outgoing()
        return Delivery(outgoing, replace(wishes, cut_off=False, stall=0.0))

    async def unknown_model(self, _: Request) -> Response:
        """POST /v1/flux...: no such model, which the provider says before it looks at the key."""
        return Delivery(_refused(error(404)))

    async def poll(self, request: Request) -> Response:
        """GET /v1/get_result?id=...: how far the job has come; other callers' jobs are not found."""
        self._jobs.counts.polls += 1
        try:
            key = _key(request)
            job_id = request.query_params.get("id")
            if job_id is None:
                raise invalid([Fault(("query", "id"), "This parameter is required", "missing")])
            job = self._jobs.find(job_id)
            if job is None or not secrets.compare_digest(job.key.encode(), key.encode()):
                return Delivery(_json(bfl_reply.lost(job_id)))
            return self._polled(job, str(request.base_url))
        except BflError as refusal:
            return Delivery(_refused(refusal))

    def _polled(self, job: Job, base_url: str) -> Response:
        job.polls += 1
        wishes = job.job_wishes
        if wishes.poll_redirect is not None:
            return Delivery(_redirect(wishes.poll_redirect))
        fault = job.poll_fault()
        if fault is not None and fault.code is not None:
            raise error(fault.code, retry_after=fault.retry_after, flat=wishes.flat_errors)
        outgoing = _json(bfl_reply.polled(job, self._jobs.clock(), base_url))
        return Delivery(outgoing, Wishes(cut_off=fault is not None, slow=wishes.poll_seconds))

    async def download(self, request: Request) -> Response:
        """GET /results/{id}/sample.ext?sig=...: the picture, for a caller without a key."""
        self._jobs.counts.downloads += 1
        if "x-key" in request.headers:
            return Delivery(_words(400, "The key was sent to a delivery host; it belongs to the API only."))
        job = self._jobs.find(request.path_params["id"])
        if job is None or request.path_params["name"] != bfl_reply.sample_name(job):
            return Delivery(_words(404, "No such file."))
        signature = request.query_params.get("sig", "")
        if not secrets.compare_digest(signature.encode(), job.signature.encode()):
            return Delivery(_words(403, "The signature does not fit."))
        if job.sample_expired(self._jobs.clock()):
            return Delivery(_words(403, "The address has expired."))
        return await _downloaded(job)

    async def credits(self, request: Request) -> Response:
        """GET /v1/credits: what is left on the account, always the same."""
        wishes = Wishes()
        try:
            _key(request)
            job_wishes, wishes = read_all_wishes(prompt="", header=request.headers.get("x-sandbox"))
            outgoing = _instead_of_a_job(wishes, job_wishes) or _json({"credits": _CREDITS})
        except BflError as refusal:
            outgoing = _refused(refusal)
        return Delivery(outgoing, wishes)

    async def counts(self, _: Request) -> Response:
        """GET /v1/sandbox/bfl: how often each kind of address was called; no address of the provider's."""
        return Delivery(_json(asdict(self._jobs.counts)))


async def _downloaded(job: Job) -> Response:
    job.downloads += 1
    wishes = job.job_wishes
    if wishes.sample_redirect is not None:
        return Delivery(_redirect(wishes.sample_redirect))
    if wishes.sample_error is not None and job.downloads <= wishes.sample_failures:
        return Delivery(_words(wishes.sample_error, "The picture cannot be handed over. (sandbox)"))
    data = await asyncio.to_thread(bfl_reply.painted, job)
    outgoing = Outgoing(content_type=f"image/{job.asked.format}", pieces=[data])
    return Delivery(outgoing, Wishes(cut_off=job.wishes.cut_off, stall=job.wishes.stall))


def _instead_of_a_job(wishes: Wishes, job_wishes: JobWishes) -> Outgoing | None:
    """The wished reply that makes no job, if there is one. Raises BflError for a wished error."""
    if wishes.error_code is not None:
        raise error(wishes.error_code, retry_after=wishes.retry_after, flat=job_wishes.flat_errors)
    if wishes.never:
        return Outgoing()
    if wishes.not_json:
        return Outgoing(content_type=_JSON, pieces=[b"<this is not JSON>"])
    if wishes.unknown_shape:
        return _json({"hello": "world"})
    return page(wishes)


def _key(request: Request) -> str:
    key = request.headers.get("x-key")
    if not key or key.startswith("invalid"):
        raise not_authenticated()
    return key


async def _body(request: Request) -> bytes:
    """The request's body. Raises BflError when it is larger than ten of the largest pictures in base64."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise BflError(413, {"detail": "The request is too large."})
    return bytes(body)


def _json(body: Mapping[str, Any], status: int = 200) -> Outgoing:
    return Outgoing(status=status, content_type=_JSON, pieces=[json.dumps(body).encode("ascii")])


def _refused(refusal: BflError) -> Outgoing:
    return replace(_json(refusal.body, refusal.status), headers=refusal.headers)


def _words(status: int, sentence: str) -> Outgoing:
    return Outgoing(status=status, content_type=_WORDS, pieces=[sentence.encode()])


def _redirect(address: str) -> Outgoing:
    return Outgoing(status=302, content_type=_WORDS, headers={"location": address})


WIRE = Wire(
    title="Black Forest Labs API (FLUX)",
    paths=(
        "POST /v1/{model} (flux-...)",
        "GET /v1/get_result?id={id}",
        "GET /results/{id}/sample.{format}?sig={signature}",
        "GET /v1/credits",
        "GET /v1/sandbox/bfl",
    ),
    routes=routes,
)
