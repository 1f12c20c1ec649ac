"""All providers by name: ours, and those that other packages bring with them.

A package names its provider in the entry point group `litellm_imagegen.providers`
(https://packaging.python.org/specifications/entry-points): docs/adding-a-provider.md.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points

from litellm_imagegen.providers.provider import Provider

GROUP = "litellm_imagegen.providers"
_RESERVED = "sandbox"
_logger = logging.getLogger(__name__)


class Registry(Mapping[str, Provider]):
    """The providers. Other packages are loaded when somebody first looks, so that they may import this one.

    One that cannot be loaded is told in the log and left out: it must not take the others with it.
    """

    def __init__(self, own: Iterable[Provider]) -> None:
        self._own = {provider.name: provider for provider in own}

    def __getitem__(self, name: str) -> Provider:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[str, Provider]:
        found = dict(self._own)
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            provider = _loaded(entry)
            if provider is None:
                continue
            if provider.name in found or provider.name == _RESERVED or "/" in provider.name:
                _logger.warning("litellm_imagegen: %s: the name %r is taken", entry.value, provider.name)
                continue
            found[provider.name] = provider
        return found


def _loaded(entry: EntryPoint) -> Provider | None:
    try:
        provider = entry.load()
    except Exception as error:  # noqa: BLE001  # whatever another package's code raises
        _logger.warning("litellm_imagegen: %s cannot be loaded: %r", entry.value, error)
        return None
    if isinstance(provider, Provider):
        return provider
    _logger.warning("litellm_imagegen: %s is no Provider", entry.value)
    return None
