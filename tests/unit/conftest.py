"""Hypothesis without a clock: a slow machine must not fail a test, and a failure must come again."""

import os

from hypothesis import HealthCheck, settings

# A campaign tries more of them.
EXAMPLES = int(os.environ.get("IMAGEGEN_EXAMPLES", "200"))

settings.register_profile(
    "unit",
    deadline=None,
    derandomize=True,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")
