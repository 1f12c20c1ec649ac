"""Measurements on one machine in one run, side by side. Not part of the package."""
