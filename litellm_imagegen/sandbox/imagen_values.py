"""Objects whose names are taken only as they are written.

Strategy: the instances and parameters of a prediction are free JSON values (google.protobuf.Value) to
Google's front end. It turns snake_case into camelCase in fields of its own alone, so inside of these two
only the names which the model itself knows count.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import strict
from .strict import Reader, Violation, Violations


def as_written(fields: Mapping[str, Reader], *, required: Sequence[str] = ()) -> Reader:
    """An object with these fields and no others, each in the one spelling that is given here."""
    read_known = strict.message(fields, required=required)

    def read(value: Any, path: str, violations: Violations) -> Any:
        if not isinstance(value, dict):
            return read_known(value, path, violations)
        for name in value:
            if name not in fields:
                violations.append(
                    Violation(
                        f"{path}.{name}", f"Unknown name \"{name}\" at '{path}': there is no such field."
                    )
                )
        return read_known({name: value[name] for name in value if name in fields}, path, violations)

    return read
