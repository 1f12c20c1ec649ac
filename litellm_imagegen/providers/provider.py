"""What a provider is: a name, an address, a way to show a key, and the wires that its models speak."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from litellm_imagegen.codec import Codec


@dataclass(frozen=True, kw_only=True)
class Wire:
    """How some of a provider's models are called: those whose id begins with one of `starts`."""

    codec: Codec
    family: str
    starts: tuple[str, ...] = ("",)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a deployment shows to its provider: a key, and options beside it by their names in LiteLLM."""

    key: str
    options: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One upstream.

    `wires` are looked through in order, the first that begins like the model counts. Environment variables
    are looked through in order too, where a deployment has no value of its own: `key_variables` for the key,
    `base_variables` for the address, `option_variables` for what else its requests show, by name. `base_url`
    is the address where nobody sets one, None where one must be set. `authenticate` makes headers and `query`
    parameters of the address from what a deployment shows. `renames_models` is true where model ids are known
    here (endings, former ids), false where they pass untouched. `hosts` are those that its replies may send
    us on to, key and all, `picture_hosts` those where it puts pictures.
    """

    name: str
    base_url: str | None
    key_variables: tuple[str, ...]
    authenticate: Callable[[Credentials], Mapping[str, str]]
    wires: tuple[Wire, ...]
    base_variables: tuple[str, ...] = ()
    option_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    query: Callable[[Credentials], Mapping[str, str]] = lambda _: {}
    renames_models: bool = True
    hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()

    def wire(self, model: str) -> Wire:
        """The wire that a model is called on."""
        return next((wire for wire in self.wires if model.startswith(wire.starts)), self.wires[-1])
