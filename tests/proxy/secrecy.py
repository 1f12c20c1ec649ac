"""What may stand in no log: a proxy's secrets, and long runs of base64, which are pictures."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RECORD = "recorded.log"  # as in recorder.py, which LiteLLM executes apart from these tests
_PICTURE = re.compile(rb"[A-Za-z0-9+/]{200}")
_SECRET = re.compile(r"auth|key|secret|token|password|credential", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9+/=_.-]+")
_HEADERS = ("headers", "extra_headers")
_NAMES_OF_CODE = frozenset({"custom_auth"})
_SHORTEST_SECRET = 8
_SHOWN_BEFORE, _SHOWN_BEHIND = 300, 60


def secrets_of(config: Mapping[str, Any], variables: Mapping[str, str]) -> frozenset[bytes]:
    """The secrets of a proxy's config and environment, each by its longest part that a log shows as it is."""
    told = set(_told(variables))
    for deployment in config.get("model_list", ()):
        told |= set(_told(deployment["litellm_params"]))
    for credential in config.get("credential_list", ()):
        told |= set(_told(credential["credential_values"]))
    general = config.get("general_settings", {})
    told |= set(_told({name: value for name, value in general.items() if name not in _NAMES_OF_CODE}))
    longest = {max(_PLAIN.findall(text), key=len, default="") for text in told}
    return frozenset(part.encode() for part in longest if len(part) >= _SHORTEST_SECRET)


def _told(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        if name in _HEADERS and isinstance(value, Mapping):
            yield from (str(text) for header, text in value.items() if _SECRET.search(header))
        elif _SECRET.search(name):
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    """Texts that are secret, also those of credentials in an object, or in its JSON."""
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)
    if isinstance(value, Mapping):
        yield from _told(value)
    elif isinstance(value, str) and not value.startswith("os.environ/"):
        yield value


def assert_holds_nothing_secret(path: Path, secrets: frozenset[bytes]) -> None:
    """No line of a log holds a secret or a picture."""
    with path.open("rb") as log:
        for line in log:
            found = [place for secret in secrets if (place := line.find(secret)) >= 0]
            if (picture := _PICTURE.search(line)) is not None:
                found.append(picture.start())
            for place in found:
                shown = line[max(0, place - _SHOWN_BEFORE) : place + _SHOWN_BEHIND]
                raise AssertionError(f"{path.name}: {line[:40]!r}: a secret or a picture at ...{shown!r}")
