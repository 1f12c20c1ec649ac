"""Hypothesis without a clock: a slow machine must not fail a test, and a failure must come again."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unit", deadline=None, derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")
