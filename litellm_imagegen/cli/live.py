"""A provider's own list of models, beside ours: which of its image models have a row here."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from litellm_imagegen.errors import quote
from litellm_imagegen.plugin import config
from litellm_imagegen.profiles import FAMILIES
from litellm_imagegen.providers import PROVIDERS, Credentials, Provider

_SECONDS = 15.0


@dataclass(frozen=True)
class _Listing:
    """Where a provider lists its models: `path` below its base, key of the list, key and beginning of ids.

    Image models are those with `word` in their id, in small letters.
    """

    path: str
    models: str
    model_id: str
    prefix: str = ""
    word: str = ""


_LISTINGS: Mapping[str, _Listing] = {
    # "imagen" has the word too.
    "gemini": _Listing("models?pageSize=1000", "models", model_id="name", prefix="models/", word="image"),
    "openrouter": _Listing("models?output_modalities=image", "data", model_id="id"),
}


class CannotList(Exception):
    """There is no list to be had; the message says why, in one line and without the key."""


@dataclass(frozen=True)
class Listed:
    """The image models of a provider's list, and what of our rows it does not list, in alphabetical order."""

    provider: str
    address: str
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    unlisted: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """As plain data, by the names of the attributes."""
        return asdict(self)

    def text(self) -> str:
        """For people."""
        lines = [f"{self.provider}: {len(self.known) + len(self.unknown)} image models at {self.address}"]
        for heading, ids in (
            ("with a row here", self.known),
            ("without a row here", self.unknown),
            ("with a row here, and not in that list", self.unlisted),
        ):
            lines += [f"{heading}:", *(f"  {model}" for model in ids or ("none",))]
        return "\n".join(lines)


def listed(name: str, api_base: str | None = None) -> Listed:
    """Ask the provider, with the key that the environment has for it. Raises `CannotList`."""
    if name not in PROVIDERS or name not in _LISTINGS:
        known = ", ".join(sorted(PROVIDERS.keys() & _LISTINGS))
        raise CannotList(f"{name!r} is no provider with a list of models; those that have one: {known}")
    provider = PROVIDERS[name]
    key = config.environment_key(provider)
    if provider.key_variables and not key:
        raise CannotList(f"{name}: no key; set {' or '.join(provider.key_variables)} in the environment")
    base = (api_base or provider.base_url or "").rstrip("/")
    address = f"{base}/{_LISTINGS[name].path}"
    ids = [model for model in _asked(provider, address, key or "") if _LISTINGS[name].word in model.lower()]
    rows = [row for wire in provider.wires for row in FAMILIES[wire.family]]
    ours = {model for row in rows for model in (row.id, *row.former_ids)}
    return Listed(
        provider=name,
        address=address,
        known=tuple(sorted(ours.intersection(ids))),
        unknown=tuple(sorted(set(ids) - ours)),
        unlisted=tuple(sorted({row.id for row in rows if not row.gone}.difference(ids))),
    )


def _asked(provider: Provider, address: str, key: str) -> list[str]:
    """The ids of all models that the provider lists. What httpx says is not told: it may hold the key."""
    listing = _LISTINGS[provider.name]
    try:
        reply = httpx.get(
            address, headers=dict(provider.authenticate(Credentials(key=key))), timeout=_SECONDS
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"{address} cannot be reached ({type(error).__name__})"
        raise CannotList(f"{provider.name}: {why}") from None
    except ValueError:
        why = "the key holds characters that no header can carry"
        raise CannotList(f"{provider.name}: {why}") from None
    if not reply.is_success:
        said = quote(_reason(reply), [key])
        raise CannotList(f"{provider.name}: {address} answered {reply.status_code}: {said}")
    try:
        models = reply.json()[listing.models]
        return [str(model[listing.model_id]).removeprefix(listing.prefix) for model in models]
    except (ValueError, KeyError, TypeError):
        raise CannotList(f"{provider.name}: {address} answered with no list of models") from None


def _reason(reply: httpx.Response) -> str:
    """What an error's body says, in the form that most providers give it."""
    try:
        error = reply.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return reply.text
