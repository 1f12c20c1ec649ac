"""What LiteLLM's streams do when they are let go, which Python before 3.12 may answer with a crash."""

import subprocess
import sys

import pytest

# The log's side of a stream tells what the stream's finalizer asks of it, and whether that is in a collection
PROGRAM = """
import gc
import litellm
{ours}
class Log:
    model_call_details = {{}}
    def _restore_correlation_context_if_unclaimed(self):
        print("set while collecting" if collecting else "set")

collecting = False

def told(phase, _):
    global collecting
    collecting = phase == "start"

stream = litellm.CustomStreamWrapper.__new__(litellm.CustomStreamWrapper)
stream.logging_obj, stream.itself = Log(), stream
del stream
gc.callbacks.append(told)
gc.collect()
"""
OURS = "from litellm_imagegen.plugin import registration"


def _said(ours: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(ours=ours)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_litellms_streams_set_context_variables_when_they_are_collected() -> None:
    assert _said("") == "set while collecting"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later ones can bear it")
def test_beside_this_package_they_do_not() -> None:
    assert _said(OURS) == ""
