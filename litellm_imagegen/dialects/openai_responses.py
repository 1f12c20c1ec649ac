"""OpenAI Responses: the `image_generation` tool. Source: https://platform.openai.com/docs/guides/tools-image-generation."""

from collections.abc import Iterator, Mapping
from typing import Any

from litellm_imagegen.canonical import Asked
from litellm_imagegen.dialects.reading import Fields
from litellm_imagegen.dialects.shared import picture_fields

_TOOL = "image_generation"


def read(fields: Fields) -> Iterator[Asked]:
    """The tool's settings. Other tools are not for pictures, and stay unread."""
    tools = fields.peek("tools")
    if isinstance(tools, list):
        fields.take("tools")
        for index, tool in enumerate(tools):
            place = f"{fields.spelling('tools')}[{index}]"
            if isinstance(tool, Mapping) and tool.get("type") == _TOOL:
                yield from _tool(fields.inner(place, {k: v for k, v in tool.items() if k != "type"}))
            else:
                fields.leave(place, tool)
    if _chooses_pictures(fields.peek("tool_choice")):
        fields.take("tool_choice")


def _tool(tool: Fields) -> Iterator[Asked]:
    tool.take("action")  # whether to draw or to edit shows in the pictures that are given
    yield from tool.read_shape("size")
    yield from picture_fields(tool)


def _chooses_pictures(value: Any) -> bool:
    """A picture is wanted in any case here: choosing the tool, or leaving it open, changes nothing."""
    return value in ("auto", "required") or (isinstance(value, Mapping) and value.get("type") == _TOOL)
