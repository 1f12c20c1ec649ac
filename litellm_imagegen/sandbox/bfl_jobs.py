"""The jobs of one app: what was asked, how far each has come, and how often anything was called.

Strategy: a job is never worked on. Its state is computed from the time that has passed when somebody
polls, and its picture is painted when somebody downloads it, so a job costs no more than its request. The
oldest jobs are forgotten when there are too many of them or their input pictures weigh too much.

Source: https://docs.bfl.ai/api_integration/integration_guidelines
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from .bfl_faults import JobWishes, PollFault
from .bfl_models import Family
from .bfl_request import Asked
from .faults import Wishes

READY = "Ready"
LOST = "Task not found"

_PENDING = "Pending"
_PHASES = (_PENDING, "Reasoning", "Generating")
_STRANGE = "Thinking"
_NO_PICTURE_REASON = "NO_IMAGE"
_MOST_JOBS = 256
_MOST_BYTES = 64 * 1024 * 1024
_BYTES_PER_PIXEL = 3
_SAMPLE_SECONDS = 600.0

Clock = Callable[[], float]


@dataclass(eq=False, kw_only=True)
class Job:
    """One submitted request. `started` is the clock's time, `started_unix` the calendar's, to be told."""

    key: str
    asked: Asked
    wishes: Wishes
    job_wishes: JobWishes
    started: float
    started_unix: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    signature: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    polls: int = 0
    downloads: int = 0

    @property
    def weight(self) -> int:
        """The memory it holds, about, in bytes: its thumbnails and its prompt."""
        shown = [picture.thumbnail for picture in self.asked.inputs if picture.thumbnail]
        pixels = sum(thumbnail.width * thumbnail.height for thumbnail in shown)
        return pixels * _BYTES_PER_PIXEL + len(self.asked.prompt)

    @property
    def has_sample(self) -> bool:
        """Whether the finished job has a picture to hand over."""
        return not self.wishes.empty and self.wishes.finish_reason != _NO_PICTURE_REASON

    @property
    def final_status(self) -> str:
        """The status it ends with."""
        if self.wishes.block_reason is not None:
            return "Request Moderated"
        if self.wishes.refuse_picture:
            return "Content Moderated"
        if self.job_wishes.failed:
            return "Error"
        reason = self.wishes.finish_reason
        return READY if reason in (None, _NO_PICTURE_REASON) else str(reason)

    def poll_fault(self) -> PollFault | None:
        """The wished fault of the poll that was just counted, if it has one."""
        queued = self.job_wishes.poll_faults
        return queued[self.polls - 1] if self.polls <= len(queued) else None

    def status(self, now: float) -> str:
        """The status that the poll just counted tells."""
        answered = self.polls - len(self.job_wishes.poll_faults)
        if self.job_wishes.lost:
            return _PENDING if answered == 1 else LOST
        if answered <= self.job_wishes.strange_polls:
            return _STRANGE
        if self._is_done(now):
            return self.final_status
        phases = _PHASES if self.asked.model.family is Family.FLUX_3 else _PHASES[:1]
        return phases[int(self.progress(now) * len(phases))]

    def progress(self, now: float) -> float:
        """How much of its time has passed, from 0 to less than 1."""
        return 0.0 if self._is_done(now) else max(0.0, (now - self.started) / self.job_wishes.ready_after)

    def sample_expired(self, now: float) -> bool:
        """Whether the picture's address has run out, ten minutes after the job was done."""
        return now > self.started + self.job_wishes.ready_after + _SAMPLE_SECONDS

    def _is_done(self, now: float) -> bool:
        return now - self.started >= self.job_wishes.ready_after


@dataclass
class Counts:
    """How often each kind of address was called, refused calls included."""

    submits: int = 0
    polls: int = 0
    downloads: int = 0


class JobStore:
    """The jobs that one app remembers, the newest last. `clock` gives seconds that never go back."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counts = Counts()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._weight = 0

    def add(self, *, key: str, asked: Asked, wishes: Wishes, job_wishes: JobWishes) -> Job:
        """Start a job and forget the oldest ones that it leaves no room for."""
        job = Job(key=key, asked=asked, wishes=wishes, job_wishes=job_wishes, started=self.clock())
        self._jobs[job.id] = job
        self._weight += job.weight
        while len(self._jobs) > _MOST_JOBS or (self._weight > _MOST_BYTES and len(self._jobs) > 1):
            _, forgotten = self._jobs.popitem(last=False)
            self._weight -= forgotten.weight
        return job

    def find(self, job_id: str) -> Job | None:
        """The job of this id; None when it never was or is forgotten."""
        return self._jobs.get(job_id)
