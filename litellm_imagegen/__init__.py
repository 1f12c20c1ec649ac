"""Image generation through LiteLLM: every image model, every spelling of the request, one output.

In a proxy's config name `litellm_imagegen.handler` in `custom_provider_map` and `litellm_imagegen.callback`
in `callbacks` (the latter alone is enough). In Python call `register()` once, then
`litellm.completion(model="imagegen/<provider>/<model>", ...)`.

Importing this package loads nothing else; LiteLLM is touched when one of the names is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litellm_imagegen.plugin.registration import callback, handler, register

__all__ = ["__version__", "callback", "handler", "register"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from litellm_imagegen.plugin import registration  # noqa: PLC0415  # LiteLLM takes a second to import

    return getattr(registration, name)
