"""What a gateway itself says of a model that no row here is of: asked for once, and kept for an hour.

A model that only draws is not found by a gateway that is asked for words too, and nobody should have to fail
first to learn that.
"""

import time
from collections.abc import Callable, Mapping

from litellm_imagegen.canonical import Modality
from litellm_imagegen.driving import off_loop
from litellm_imagegen.errors import ImagegenError
from litellm_imagegen.plugin import config
from litellm_imagegen.plugin.config import Access
from litellm_imagegen.profiles import Profile, rows_of
from litellm_imagegen.providers import Catalog
from litellm_imagegen.transport import Deadline, Endpoint, Transport

_SECONDS = 5.0  # to wait for a list: without it a model is asked as its vendor's others are
_KEPT_SECONDS = 3600.0
_FAILED_SECONDS = 60.0
_MAXIMUM_BYTES = 32 * 1024 * 1024

Outputs = Mapping[str, tuple[Modality, ...]]


class Catalogs:
    """The lists of all gateways, by their addresses."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Outputs]] = {}
        self._transport = Transport()

    async def rows(self, model: str, access: Callable[[], Access]) -> tuple[Profile, ...]:
        """The row of a call's model, if only its gateway knows it. `access` is what the deployment shows.

        Raises nothing: what cannot be asked for is not known.
        """
        try:
            upstream = config.upstream_of(model)
            if (catalog := upstream.provider.catalog) is None:
                return ()
            own = config.own_rows(upstream.provider.name)
            wire = upstream.provider.wire(upstream.model, own_rows=own)
            if any(row.id == upstream.model for row in rows_of(wire.family, own)):
                return ()
            outputs = await self._listed(catalog, config.endpoint(upstream, access(), wire))
        except ImagegenError:
            return ()
        given = outputs.get(upstream.model)
        row = wire.row(upstream.model, own)
        return (row.model_copy(update={"family": wire.family, "output": given}),) if given else ()

    async def _listed(self, catalog: Catalog, endpoint: Endpoint) -> Outputs:
        """What is kept, or asked for anew. An old list counts on while somebody asks, and if that fails."""
        ends, outputs = self._kept.get(endpoint.base_url, (0.0, {}))
        if time.monotonic() < ends:
            return outputs
        if outputs:
            self._keep(endpoint, outputs, _FAILED_SECONDS)
        try:
            outputs = await self._asked(catalog, endpoint) or outputs
        except (ImagegenError, ValueError):
            self._keep(endpoint, outputs, _FAILED_SECONDS)
        else:
            self._keep(endpoint, outputs, _KEPT_SECONDS if outputs else _FAILED_SECONDS)
        return outputs

    async def _asked(self, catalog: Catalog, endpoint: Endpoint) -> Outputs:
        deadline = Deadline(endpoint.provider, _SECONDS)
        async with self._transport.open(catalog.call, endpoint, deadline, _MAXIMUM_BYTES) as opened:
            reply = await opened.read()
        if reply.status != 200:
            return {}
        return await off_loop(reply.body.remaining_length, lambda: catalog.read(reply.body.parse().value))

    def _keep(self, endpoint: Endpoint, outputs: Outputs, seconds: float) -> None:
        self._kept[endpoint.base_url] = (time.monotonic() + seconds, outputs)


CATALOGS = Catalogs()
