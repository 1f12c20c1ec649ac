"""The body of an OpenAI request as it arrives: JSON, or a form with files.

Strategy: both come out as one `Body`: plain values, and files apart. In a form every value is a string;
numbers and booleans are parsed here, by the names of their fields, and one that does not parse stays the
string it is, for the field's own reader to refuse.

Source: https://platform.openai.com/docs/api-reference/images/createEdit
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from . import strict
from .openai_errors import OpenAIError, bad_request, body_too_large, invalid_value, unsupported_content_type
from .openai_fields import BOOLEANS, WHOLE_NUMBERS

LARGEST_BODY = 256 * 1024 * 1024

_JSON = "application/json"
_FORM = "multipart/form-data"
_PICTURES = "image"
_PICTURE_ARRAY = "image[]"
_FILE_FIELDS = (_PICTURES, "mask", "markup")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file of a form, with the content type that its part declares."""

    content_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a body holds; `files` only when it is a form. Several pictures are `files["image"]`, in order."""

    is_form: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Sequence[Upload]] = field(default_factory=dict)


class _Limited(Request):
    """A request that stops reading its body where it grows too large."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The chunks of the body. Raises OpenAIError when they are more than this API takes."""
        total = 0
        async for chunk in super().stream():
            total += len(chunk)
            if total > LARGEST_BODY:
                raise body_too_large(LARGEST_BODY)
            yield chunk


async def read_body(request: Request, *, takes_form: bool) -> Body:
    """Read a request's body. Raises OpenAIError when it is no JSON object, no form, or too large."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > LARGEST_BODY:
        raise body_too_large(LARGEST_BODY)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    limited = _Limited(request.scope, request.receive)
    if kind == _JSON:
        return _json_body(await limited.body())
    if kind == _FORM and takes_form:
        return await _form_body(limited)
    raise unsupported_content_type(content_type, (_JSON, _FORM) if takes_form else (_JSON,))


def _json_body(raw: bytes) -> Body:
    try:
        value = strict.decode_json(raw)
    except ValueError as fault:
        raise bad_request(f"The body cannot be parsed as JSON: {str(fault)[:200]}") from None
    if not isinstance(value, dict):
        raise bad_request("The body must be a JSON object.")
    return Body(values=value)


async def _form_body(request: Request) -> Body:
    try:
        async with request.form(max_files=64, max_fields=64) as form:
            return await _read_form(form)
    except HTTPException as fault:
        raise bad_request(f"The form cannot be parsed: {fault.detail}") from None


async def _read_form(form: FormData) -> Body:
    values: dict[str, Any] = {}
    files: dict[str, list[Upload]] = {}
    seen: set[str] = set()
    for name, value in form.multi_items():
        if name in seen and name != _PICTURE_ARRAY:
            raise _duplicate(name)
        seen.add(name)
        place = _PICTURES if name == _PICTURE_ARRAY else name
        if isinstance(value, UploadFile):
            if place not in _FILE_FIELDS:
                raise invalid_value(name[:80], "takes no file.")
            upload = Upload(content_type=value.content_type or "", data=await value.read())
            files.setdefault(place, []).append(upload)
        elif place in _FILE_FIELDS:
            raise invalid_value(name, "needs a file; its part names no file.")
        else:
            values[name] = _parsed(name, value)
    return Body(is_form=True, values=values, files=files)


def _parsed(name: str, value: str) -> Any:
    if name in WHOLE_NUMBERS and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    if name in BOOLEANS and value in ("true", "false"):
        return value == "true"
    return value


def _duplicate(name: str) -> OpenAIError:
    return bad_request(
        f"Duplicate parameter: '{name[:80]}'. It takes one value; several pictures go under 'image[]'.",
        param=name[:80],
        code="duplicate_parameter",
    )
