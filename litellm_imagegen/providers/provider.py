"""What a provider is: a name, an address, a way to show a key, and the wires that its models speak."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from litellm_imagegen.codec import Codec
from litellm_imagegen.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How some of a provider's models are called: those whose id begins with one of `starts`."""

    codec: Codec
    family: str
    starts: tuple[str, ...] = ("",)


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
    """Where calls go, and what goes with each: headers that hold secrets, parameters of the address."""

    base_url: str
    authentication: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One upstream.

    `wires` are looked through in order, the first that begins like the model counts. Environment variables
    are looked through in order too, where a deployment has no value of its own: `key_variables` for the key,
    `base_variables` for the address, `option_variables` for what else its requests show, by name. `base_url`
    is the address where nobody sets one, None where one must be set or is made of options. `authenticate`
    makes headers, and `query` parameters of the address, from what a deployment shows. `needs_key` is false
    where there are other ways, and `connects_slowly` true where `connect` may wait for somebody.

    `renames_models` is true where model ids are known here (endings, former ids), false where they pass
    untouched. `hosts` are those that its replies may send us on to, key and all, `picture_hosts` those where
    it puts pictures.
    """

    name: str
    base_url: str | None
    key_variables: tuple[str, ...]
    wires: tuple[Wire, ...]
    authenticate: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    query: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    base_variables: tuple[str, ...] = ()
    option_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    needs_key: bool = True
    connects_slowly: bool = False
    renames_models: bool = True
    hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()

    def wire(self, model: str) -> Wire:
        """The wire that a model is called on."""
        return next((wire for wire in self.wires if model.startswith(wire.starts)), self.wires[-1])

    def connect(self, shown: Credentials) -> Connection:
        """Where calls go and what they show. Raises `ConfigurationError` and `AuthenticationFailed`."""
        base = shown.base or self.base_url
        if not base:
            variables = " or ".join(self.base_variables)
            reason = f"no address; set api_base on the deployment, or {variables} in the environment"
            raise ConfigurationError(f"{self.name}: {reason}")
        return Connection(base_url=base, authentication=self.authenticate(shown), query=self.query(shown))
