"""Who has sent a request to the proxy, and what of it is theirs.

Both are noted at the door. Later on LiteLLM writes down again what a request holds, after hooks of the
operator's have changed it, and takes what a client's own fallbacks say for arguments like any others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WHO = {
    "user_api_key": "api_key",
    "user_api_key_team_id": "team_id",
    "user_api_key_user_id": "user_id",
    "user_api_key_metadata": "metadata",
    "user_api_key_team_metadata": "team_metadata",
}
_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
# A key's or a team's settings of the router, in which LiteLLM looks for fallbacks too; clients can send it.
_OVERRIDE = "router_settings_override"


@dataclass(frozen=True)
class Client:
    """`names` are those of the fields that a client has sent, `elsewhere` those that its body does not show.

    `request` is what LiteLLM notes of it, and `metadata` who it is, by LiteLLM's names.
    """

    names: frozenset[str]
    elsewhere: frozenset[str]
    metadata: Mapping[str, Any]
    request: Mapping[str, Any]

    @classmethod
    def at_door(cls, user_api_key: Any, data: Mapping[str, Any]) -> "Client":
        """The client of a request that has just come in: what LiteLLM's first hook gets of it."""
        who = {name: getattr(user_api_key, attribute, None) for name, attribute in _WHO.items()}
        return cls._of(data.get("proxy_server_request"), who)

    @classmethod
    def by(cls, arguments: Mapping[str, Any], metadata: Any) -> "Client":
        """The same by what LiteLLM says later on, where nobody has stood at the door."""
        return cls._of(arguments.get("proxy_server_request"), metadata)

    @classmethod
    def _of(cls, request: Any, metadata: Any) -> "Client":
        request = _object(request)
        body = _object(request.get("body"))
        sources = (body, _object(body.get(_OVERRIDE)))
        fallbacks = _names_in([source.get(name) for source in sources for name in _FALLBACKS])
        # Key and headers LiteLLM notes apart.
        elsewhere = frozenset((*(request.get("credential_fields") or ()), *fallbacks)) - {"model"}
        return cls(elsewhere | {*body}, elsewhere, _object(metadata), request)

    def sent(self, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The client's fields as a call with these `arguments` has them; None without a proxy."""
        if "body" not in self.request:
            return None
        body = _object(self.request["body"])
        own = {name: value for name, value in body.items() if name in self.names}
        return own | {name: arguments[name] for name in self.elsewhere if name in arguments}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names_in(fallbacks: list[Any]) -> Iterator[str]:
    """What the objects in a list, or in lists in it, may set for the model that they name."""
    waiting = [*fallbacks]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield from map(str, item)
            waiting.extend(value for value in item.values() if isinstance(value, list))
        elif isinstance(item, list):
            waiting.extend(item)
