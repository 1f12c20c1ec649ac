"""An upstream that records what it is sent and answers with what a test has put there."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Recorded:
    """One request as it arrived: header names in lower case, body parsed."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Upstream:
    """`reply` is what the next requests get; `requests` what came."""

    url: str
    reply: tuple[int, Mapping[str, str], bytes] = (200, {}, b"{}")
    requests: list[Recorded] = field(default_factory=list)

    def will_say(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON, or with bytes as they are."""
        given = {"content-type": "application/json", **(headers or {})}
        self.reply = (status, given, body if isinstance(body, bytes) else json.dumps(body).encode())

    def will_stream(self, *events: Any) -> None:
        """Answer with server-sent events."""
        frames = b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)
        self.reply = (200, {"content-type": "text/event-stream"}, frames)


@contextmanager
def running_upstream() -> Iterator[Upstream]:
    """Serve on loopback for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            headers = {key.lower(): value for key, value in self.headers.items()}
            upstream.requests.append(Recorded(self.command, self.path, headers, body))
            status, reply_headers, reply = upstream.reply
            self.send_response(status)
            for key, value in reply_headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream = Upstream(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
