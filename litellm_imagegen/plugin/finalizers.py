"""Python before 3.12 crashes where the garbage collector ends one of LiteLLM's streams at the wrong moment.

It then walks memory that is free already: a context variable is being set, which allocates, the collector
runs, and a finalizer sets a context variable too (https://github.com/python/cpython/issues/148891). LiteLLM's
streams have such a finalizer. All that it puts right, now and then, is the trace id in log lines that follow
a stream which nobody has read to its end.
"""

import sys

from litellm import CustomStreamWrapper

_MENDED = (3, 12)
_FINALIZER = "__del__"


def disarm() -> None:
    """Take the finalizer from LiteLLM's streams where Python cannot bear it. It may be called again."""
    if sys.version_info < _MENDED and _FINALIZER in vars(CustomStreamWrapper):
        delattr(CustomStreamWrapper, _FINALIZER)
