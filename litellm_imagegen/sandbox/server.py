"""Runs the sandbox: in a thread of this process for tests and first tries, or in the foreground.

Strategy: one server per process, started on first use, on a free port of the loopback. It must not change
its host: no signal handlers, no output, and no settings of uvicorn's loggers, since the host may itself
be a uvicorn server; what the sandbox's own thread logs is filtered out instead. A forked child has no
copy of the thread, so it starts its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time

import uvicorn

from .app import create_app

_START_SECONDS = 10.0
_QUIET_LOGGERS = ("uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio")


class _Running:
    """The server of one process."""

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.socket = _listener("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.fault: BaseException | None = None
        config = uvicorn.Config(
            create_app(),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            timeout_keep_alive=60,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._run, name="litellm-imagegen-sandbox", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until it serves. Raises RuntimeError if it does not."""
        self.thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self.server.started:
            if not self.thread.is_alive():
                raise RuntimeError(f"The sandbox server ended while starting: {self.fault!r}") from self.fault
            if time.monotonic() > deadline:
                self.server.should_exit = True
                raise RuntimeError(f"The sandbox server did not start within {_START_SECONDS:g} seconds.")
            time.sleep(0.005)

    def _run(self) -> None:
        _in_sandbox.quiet = True
        try:
            self.server.run(sockets=[self.socket])
        except BaseException as fault:  # noqa: BLE001 - uvicorn leaves with SystemExit too; the caller reports it
            self.fault = fault


class _Process:
    """What this process knows of its server."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: _Running | None = None


_in_sandbox = threading.local()
_process = _Process()


def _not_from_sandbox(_: logging.LogRecord) -> bool:
    return not getattr(_in_sandbox, "quiet", False)


def base_url() -> str:
    """The address of this process's sandbox, "http://127.0.0.1:PORT", started if it does not run yet.

    Safe to call from any thread. Blocks 10 seconds at most; raises RuntimeError if the server does not start.
    """
    with _process.lock:
        running = _process.running
        if running is None or running.process_id != os.getpid() or not running.thread.is_alive():
            for name in _QUIET_LOGGERS:
                logging.getLogger(name).addFilter(_not_from_sandbox)
            running = _Running()
            running.start()
            _process.running = running
        return running.url


def serve(host: str, port: int) -> None:
    """Serve in the foreground until interrupted, with uvicorn's usual log. OSError when the port is taken."""
    # uvicorn hands an interrupt on after it has shut down; for a command line that is an ordinary end.
    with _listener(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(create_app(), lifespan="off", ws="none")).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    """A bound socket. It names TCP as its protocol, without which asyncio leaves Nagle's delay on (40 ms)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _after_fork() -> None:
    """Forget the parent's server; a lock held by another thread at the fork would never be released here."""
    _process.lock = threading.Lock()
    if _process.running is not None:
        _process.running.socket.close()
        _process.running = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
