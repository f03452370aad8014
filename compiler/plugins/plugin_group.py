"""Where installed plugins are announced; apart from `plugin.py`, so that looking is quick."""

GROUP = "smalti.plugins"
"""The group of entry points of installed plugins: each names a `Plugin`."""
