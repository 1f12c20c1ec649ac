"""The tools of a Responses request, and which of them is chosen.

Strategy: the tool that draws is read field by field, with the readers that the Images API has for the same
fields. Other tools are known by their type and never called.

Source: https://platform.openai.com/docs/guides/tools-image-generation
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from .openai_errors import bad_request, invalid_value, missing_parameter, unknown_parameter
from .openai_fields import check_together, fidelity_reader, picture_readers
from .openai_inputs import Given, read_reference
from .openai_mainline import DEFAULT_IMAGE_MODEL
from .openai_models import MODELS, Model, find_model
from .openai_readers import any_array, any_object, choice, listed, record, shown, text
from .openai_responses_errors import tool_not_found

DRAWING = "image_generation"

_OTHER_TOOLS = (
    "function",
    "web_search",
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "mcp",
    "custom",
)
_FORMATS = ("png", "webp", "jpeg")
_TOLD = {
    "background": "auto",
    "moderation": "auto",
    "n": 1,
    "output_compression": 100,
    "output_format": "png",
    "quality": "auto",
    "size": "auto",
}


@dataclass(frozen=True, kw_only=True)
class DrawingTool:
    """The tool that draws: its image model, its fields as read, a mask, and how replies tell it."""

    model: Model
    fields: Mapping[str, Any]
    mask: Given | None
    told: Mapping[str, Any]

    @property
    def action(self) -> str:
        """What it may do: "generate", "edit" or "auto"."""
        action: str = self.fields.get("action", "auto")
        return action


@dataclass(frozen=True, kw_only=True)
class Tools:
    """All tools, and the choice among them: "auto", "required", "none" or an object.

    `may_draw` is whether the choice leaves the tool that draws, `must_draw` whether it asks for a tool.
    """

    drawing: DrawingTool | None = None
    told: Sequence[Mapping[str, Any]] = ()
    choice: str | Mapping[str, Any] = "auto"
    may_draw: bool = False
    must_draw: bool = False


def read_tools(tools: Any, chosen: Any) -> Tools:
    """Read `tools` and `tool_choice`. Raises OpenAIError. Decodes a mask: call it in a thread."""
    read = listed(_tool)(tools if tools is not None else [], "tools")
    drawing = [tool for tool in read if isinstance(tool, DrawingTool)]
    if len(drawing) > 1:
        raise invalid_value("tools", f"holds '{DRAWING}' more than once.")
    told = [tool.told if isinstance(tool, DrawingTool) else tool for tool in read]
    choosing = chosen if chosen is not None else "auto"
    left = _left_tools(choosing, [str(tool["type"]) for tool in told])
    return Tools(
        drawing=drawing[0] if drawing else None,
        told=told,
        choice=choosing,
        may_draw=DRAWING in left,
        must_draw=DRAWING in left and _asks_for_a_tool(choosing),
    )


def _tool(value: Any, name: str) -> DrawingTool | dict[str, Any]:
    kind = any_object(value, name).get("type")
    if kind is None:
        raise missing_parameter(f"{name}.type")
    if kind == DRAWING:
        return _drawing_tool(value, name)
    if kind not in _OTHER_TOOLS:
        raise invalid_value(name, f"{shown(kind)}; it takes {', '.join((DRAWING, *_OTHER_TOOLS))}.")
    return dict(value)


def _drawing_tool(value: Mapping[str, Any], name: str) -> DrawingTool:
    model = _image_model(value.get("model"), f"{name}.model")
    fields = record(
        {
            "type": text(),
            "model": text(),
            **picture_readers(model),
            "input_fidelity": _not_taken,
            **fidelity_reader(model),
            "output_format": choice(_FORMATS),
            "action": choice(("generate", "edit", "auto")),
            "input_image_mask": read_reference,
        }
    )(value, name)
    check_together(fields, f"{name}.")
    given = {key: fields[key] for key in fields if key != "input_image_mask" and fields[key] != 0}
    return DrawingTool(
        model=model,
        fields=fields,
        mask=fields.get("input_image_mask"),
        told={**_TOLD, "model": model.name, **given},
    )


def _not_taken(_: Any, name: str) -> NoReturn:
    raise unknown_parameter(name)


def _image_model(value: Any, name: str) -> Model:
    if value is None:
        return MODELS[DEFAULT_IMAGE_MODEL]
    model = find_model(text(shortest=1)(value, name))
    if model is None:
        raise invalid_value(name, f"{shown(value)}; it takes {', '.join(MODELS)}.")
    return model


def _left_tools(chosen: Any, types: Sequence[str]) -> Sequence[str]:
    """The types of the tools that a choice leaves."""
    if isinstance(chosen, str):
        choice(("none", "auto", "required"))(chosen, "tool_choice")
        if chosen == "required" and not types:
            raise bad_request("Tool choice 'required' needs tools in 'tools' parameter.", param="tool_choice")
        return () if chosen == "none" else types
    kind = any_object(chosen, "tool_choice").get("type")
    if kind == "allowed_tools":
        return _allowed_tools(chosen, types)
    if kind in (DRAWING, "file_search", "web_search_preview", "code_interpreter"):
        record({"type": text()})(chosen, "tool_choice")
    elif kind not in _OTHER_TOOLS:
        raise invalid_value(
            "tool_choice", f"{shown(kind)}; it takes {DRAWING}, allowed_tools and other tools."
        )
    if kind not in types:
        raise tool_not_found(kind)
    return (kind,)


def _asks_for_a_tool(chosen: Any) -> bool:
    if isinstance(chosen, str):
        return chosen == "required"
    return bool(chosen.get("mode", "required") == "required")


def _allowed_tools(chosen: Any, types: Sequence[str]) -> Sequence[str]:
    fields = record(
        {"type": text(), "mode": choice(("auto", "required")), "tools": any_array}, required=("mode", "tools")
    )(chosen, "tool_choice")
    allowed = [str(any_object(tool, "tool_choice.tools").get("type")) for tool in fields["tools"]]
    for kind in allowed:
        if kind not in types:
            raise tool_not_found(kind)
    return allowed
