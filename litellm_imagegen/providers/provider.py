"""What a provider is: a name, an address, a way to show a key, and the wires that its models speak."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from litellm_imagegen.canonical import Modality, Surface
from litellm_imagegen.codec import Call, Codec
from litellm_imagegen.errors import ConfigurationError
from litellm_imagegen.plan import Target
from litellm_imagegen.profiles import Profile, find

_VERSION = re.compile(r"v\d\w*")


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How some of a provider's models are called: those whose id begins with one of `starts`.

    `name` tells the wires of a provider apart, for operators too. With `surfaces` it serves these kinds of
    endpoint alone, with `only_draws` models that give pictures and no words; one with `is_chosen` is taken
    where an operator names it, and never else. `prefix` stands before a model's own id and is no part of the
    row's, `version` in the place of the address's own last part where this wire has another one.
    """

    codec: Codec
    family: str
    name: str = ""
    starts: tuple[str, ...] = ("",)
    surfaces: frozenset[Surface] = frozenset(Surface)
    only_draws: bool = False
    is_chosen: bool = False
    prefix: str = ""
    version: str | None = None

    def row(self, model: str, own_rows: Iterable[Profile] = ()) -> Profile:
        """What is known of a model; the operator's own rows go before ours."""
        return find(self.family, model.removeprefix(self.prefix), own_rows)

    def serves(self, model: str, surface: Surface, own_rows: Iterable[Profile] = ()) -> bool:
        """Whether a model is called this way for an endpoint of this kind."""
        if self.is_chosen or surface not in self.surfaces or not model.startswith(self.starts):
            return False
        return not self.only_draws or self.row(model, own_rows).output == (Modality.IMAGE,)

    def address(self, base_url: str) -> str:
        """Where its calls go, for an address of the provider's."""
        if self.version is None:
            return base_url
        host, _, version = base_url.rstrip("/").rpartition("/")
        return f"{host if _VERSION.fullmatch(version) else base_url.rstrip('/')}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a deployment, or the environment in its place, has for its provider.

    A key, which may be empty; an address of its own; options by their names in LiteLLM.
    """

    key: str = field(repr=False)
    base: str | None = None
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where calls go, and what goes with each: headers that hold secrets, others, and parameters."""

    base_url: str
    authentication: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """A gateway's own list: the call for it, and a reader of what each model answers with, by id."""

    call: Call
    read: Callable[[Any], Mapping[str, tuple[Modality, ...]]]


class Via(StrEnum):
    """Who carries a provider's calls out: HTTP, or LiteLLM's own functions for pictures."""

    HTTP = "http"
    LITELLM = "litellm"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One upstream.

    `via` tells who carries its calls out, and `catalog` what is known of a model that has no row.

    `wires` are looked through in order, the first that serves the model counts. Environment variables are
    looked through in order too, where a deployment has no value of its own: `key_variables` for the key,
    `base_variables` for the address, `option_variables` for what else its requests show, by name. `base_url`
    is the address where nobody sets one, None where one must be set or is made of options. `authenticate`
    makes headers that hold secrets, `headers` further ones, and `query` parameters of the address, from what
    a deployment shows. `needs_key` is false where there are other ways, and `connects_slowly` true where
    `connect` may wait for somebody.

    `rows` are its models where `profiles` has none of them. `renames_models` is true where model ids are
    known here (endings, former ids), false where they pass untouched. `hosts` are those that its replies may
    send us on to, key and all, `picture_hosts` those where it puts pictures, None for any public one.
    """

    name: str
    base_url: str | None
    key_variables: tuple[str, ...]
    wires: tuple[Wire, ...]
    authenticate: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    query: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    headers: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    base_variables: tuple[str, ...] = ()
    option_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    via: Via = Via.HTTP
    catalog: Catalog | None = None
    needs_key: bool = True
    connects_slowly: bool = False
    rows: tuple[Profile, ...] = ()
    renames_models: bool = True
    hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] | None = ()

    def __post_init__(self) -> None:
        names = [wire.name for wire in self.wires]
        if len({*names}) < len(names):
            raise ValueError(f"{self.name}: two wires of one name")

    def wire(self, model: str, surface: Surface = Surface.CHAT, own_rows: Iterable[Profile] = ()) -> Wire:
        """The wire that a model is called on for an endpoint of this kind."""
        rows = tuple(own_rows)
        return next((wire for wire in self.wires if wire.serves(model, surface, rows)), self.wires[-1])

    def target(self, wire: Wire, name: str | None = None, *, has_pictures: bool = False) -> Target:
        """What a plan has to know of a wire, for a request with pictures to draw by or without any.

        `name` is the provider's as the operator knows it.
        """
        codec = wire.codec
        return Target(
            provider=name or self.name,
            family=wire.family,
            vocabulary=codec.names(has_pictures=has_pictures),
            vendor=codec.vendor,
            wire=wire.name,
            refused_options=codec.refused_options,
            together=codec.together,
            maximum_pictures=codec.maximum_pictures,
            passes_options=codec.passes_options,
            renames_models=self.renames_models,
            prefix=wire.prefix,
        )

    def wire_named(self, name: str) -> Wire:
        """The wire of this name. Raises `ConfigurationError` that tells those that there are."""
        for wire in self.wires:
            if wire.name == name:
                return wire
        known = ", ".join(wire.name for wire in self.wires)
        raise ConfigurationError(f"wire: {name!r} is none of {self.name}'s; it has: {known}")

    def connect(self, shown: Credentials) -> Connection:
        """Where calls go and what they show. Raises `ConfigurationError` and `AuthenticationFailed`."""
        base = shown.base or self.base_url
        if not base:
            variables = " or ".join(self.base_variables)
            reason = f"no address; set api_base on the deployment, or {variables} in the environment"
            raise ConfigurationError(f"{self.name}: {reason}")
        return Connection(
            base_url=base,
            authentication=self.authenticate(shown),
            headers=self.headers(shown),
            query=self.query(shown),
        )


def bearer(shown: Credentials) -> Mapping[str, str]:
    """A key as most show it."""
    return {"authorization": f"Bearer {shown.key}"}
