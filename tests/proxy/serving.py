"""Starts `litellm --config` processes: whole ones, or forks of one that has imported LiteLLM's proxy already.

An import of LiteLLM's proxy takes seconds. A fork runs the same command as a whole process and differs in the
environment alone that LiteLLM reads while it is imported.
"""

import faulthandler
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_IMPORTED = ["litellm.proxy.proxy_cli", "litellm.proxy.proxy_server"]


@dataclass(frozen=True)
class Fork:
    """A forked process, in the terms of a `subprocess.Popen`."""

    process: ForkServerProcess

    def poll(self) -> int | None:
        return self.process.exitcode

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float) -> None:
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("litellm", timeout)


def start(
    arguments: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """A process of its own."""
    program = shutil.which("litellm", path=str(Path(sys.executable).parent)) or "litellm"
    with log.open("wb") as output:
        return subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
        )


def start_fork(arguments: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> Fork:
    """A fork, which is ready sooner."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    process = context.Process(target=_serve, args=(arguments, folder, log, dict(environment)))
    process.start()
    return Fork(process)


def _serve(arguments: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> None:
    with log.open("wb") as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    faulthandler.enable()
    from litellm import run_server  # noqa: PLC0415  # what imports this module does without LiteLLM

    run_server.main(list(arguments), prog_name="litellm")
