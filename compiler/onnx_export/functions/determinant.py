"""Exports determinants."""

from __future__ import annotations

from ..function_call import plain

EXPORTERS = {"det": plain("Det")}
"""The exporters of this family, by the function's name."""
