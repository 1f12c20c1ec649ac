"""AIone's document on Gemini image generation: the fields of its requests, and the answer's content.

The document gives no program, only bodies. Arguments: a model, the image fields as JSON, and "reference" for
a message with one.
"""

import json
import os
import sys

import httpx

REFERENCE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def main() -> None:
    model, image_fields, *rest = sys.argv[1:]
    text = "A cat by a window"
    content = [
        {"type": "text", "text": text},
        {"type": "image_url", "image_url": {"url": REFERENCE}},
    ]
    response = httpx.post(
        f"{os.environ['BASE_URL']}/chat/completions",
        headers={"Authorization": f"Bearer {os.environ['AIONE_API_KEY']}"},
        json={
            "model": model,
            "messages": [{"role": "user", "content": content if rest else text}],
            "max_tokens": 4096,
            **json.loads(image_fields),
        },
        timeout=60,
    )
    response.raise_for_status()
    for part in response.json()["choices"][0]["message"]["content"]:
        if part["type"] == "image_url":
            print(part["image_url"]["url"])


if __name__ == "__main__":
    main()
