"""https://vercel.com/docs/ai-gateway/openai-compat/image-generation: OpenAI's client for Python."""

import base64
import os
from datetime import datetime

from openai import OpenAI


def main() -> None:
    client = OpenAI(
        api_key=os.getenv("AI_GATEWAY_API_KEY"),
        base_url=os.getenv("BASE_URL"),
    )

    result = client.images.generate(
        model="bfl/flux-2-pro",
        prompt="A lighthouse",
        n=1,
        response_format="b64_json",
    )

    if not result.data:
        raise Exception("no data")

    for i, image in enumerate(result.data):
        if image.b64_json:
            image_bytes = base64.b64decode(image.b64_json)
            timestamp = datetime.now().strftime("%Y%m%d_%H%M%S")
            output_file = f"output/image_{timestamp}_{i + 1}.png"
            with open(output_file, "wb") as f:
                f.write(image_bytes)


if __name__ == "__main__":
    main()
