"""An upstream that keeps whatever it is sent, forms and all, and can hold an answer back."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_WAIT_SECONDS = 20
_POLL_SECONDS = 0.01


@dataclass
class Asked:
    """One request: header names in lower case; of a form its fields, files as (file name, bytes)."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Vendor:
    """`replies` are given in order, the last one again and again; None hangs up in the place of a reply.

    With `holds` the reply waits until the caller has hung up, which sets `gone`.
    """

    url: str
    replies: list[tuple[int, Mapping[str, str], bytes] | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    holds: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)

    def will_say(self, body: Any, status: int = 200, **headers: str) -> None:
        """Answer with JSON from now on, or with bytes as they are."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.replies = [(status, {"content-type": "application/json", **told}, raw)]

    def will_hang_up(self) -> None:
        """End the connection in the place of an answer."""
        self.replies = [None]


def _parsed(content_type: str, raw: bytes) -> Any:
    if "json" in content_type or raw[:1] == b"{":
        return json.loads(raw or b"null")
    if "multipart" not in content_type:
        return raw
    form = BytesParser(policy=HTTP).parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + raw)
    fields: dict[str, Any] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        fields[str(name)] = (
            (part.get_filename(), content) if part.get_filename() else content.decode().rstrip("\r\n")
        )
    return fields


@contextmanager
def running_vendor() -> Iterator[Vendor]:
    """Serve on loopback for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {key.lower(): value for key, value in self.headers.items()}
            parsed = _parsed(headers.get("content-type", ""), raw)
            vendor.asked.append(Asked(self.command, self.path, headers, parsed))
            vendor.arrived.set()
            if vendor.holds:
                self.connection.settimeout(_WAIT_SECONDS)
                if not self.rfile.read(1):
                    vendor.gone.set()
                self.close_connection = True
                return
            reply = vendor.replies[0] if len(vendor.replies) == 1 else vendor.replies.pop(0)
            if reply is None:
                self.close_connection = True
                return
            self._answer(*reply)

        def do_GET(self) -> None:
            vendor.asked.append(Asked(self.command, self.path, {}, None))
            known = vendor.files.get(self.path)
            self._answer(404 if known is None else 200, {}, known or b"")

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    vendor = Vendor(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
