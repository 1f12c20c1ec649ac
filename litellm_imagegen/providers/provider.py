"""What a provider is: a name, an address, a way to show a key, a codec and a family of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from litellm_imagegen.codec import Codec


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One upstream.

    `key_variables` are environment variables looked through in order when the deployment has no key;
    empty means that no key is needed. `authenticate` makes headers from a key. `renames_models` is
    true where model ids are known here (endings, former ids), false where they pass untouched. `hosts` are
    those that its replies may send us on to, key and all, `picture_hosts` those where it puts pictures.
    """

    name: str
    base_url: str
    key_variables: tuple[str, ...]
    authenticate: Callable[[str], Mapping[str, str]]
    codec: Codec
    family: str
    renames_models: bool = True
    hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()
