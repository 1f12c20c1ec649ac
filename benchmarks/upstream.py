"""A bare upstream: answers generateContent at once with a picture of the size that the prompt names.

`picture 24` in the prompt gives 24 million characters of base64. Nothing is parsed but that number, and
the answer is written from one buffer, so that what is measured is not this program.
"""

import asyncio
import json
import random
import re
import sys
from base64 import b64encode
from functools import lru_cache

_PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef"
)
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


@lru_cache(maxsize=16)
def picture(millions: int) -> str:
    """Base64 of a PNG of that many million characters; its bytes compress as little as a real one's."""
    length = max(millions * 750_000 - len(_PNG) - len(_END) - 12, 0)
    filler = random.Random(7).randbytes(length)  # noqa: S311  # nothing secret
    chunk = length.to_bytes(4, "big") + b"juNk" + filler + b"\0\0\0\0"
    return b64encode(_PNG + chunk + _END).decode()


@lru_cache(maxsize=32)
def answer(millions: int, streamed: bool) -> bytes:
    """A whole HTTP response. With 0 million characters there are words only."""
    parts: list[dict[str, object]] = [{"text": "Here it is."}]
    if millions:
        parts.append({"inlineData": {"mimeType": "image/png", "data": picture(millions)}})
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 1130, "totalTokenCount": 1135}
    ends = {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": usage,
    }
    body = json.dumps(ends).encode()
    kind = "application/json"
    if streamed:
        first = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Here"}]}}]}
        body = b"data: " + json.dumps(first).encode() + b"\r\n\r\ndata: " + body + b"\r\n\r\n"
        kind = "text/event-stream"
    return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept as long as the client wants."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            millions = re.search(rb"picture (\d+)", body)
            writer.write(answer(int(millions[1]) if millions else 0, b"streamGenerateContent" in head))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port: int) -> None:
    """Serve on loopback until the process ends."""
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
