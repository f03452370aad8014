"""Names the entry points of installed plugins; kept apart from `plugin.py` so that looking for plugins is quick."""

GROUP = "smalti.plugins"
"""The group of entry points of installed plugins: each names a `Plugin`."""
