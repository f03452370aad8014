"""The compiler: import, pipelines, calibration, and the public API.

Users of Smalti in Python call `compile_model`, `load_program`, `import_model`, `export_model`,
`calibrate_model`, `compare_model` and, with a `Trial`, `analyze_sensitivity`, `search_model` and `search_front`; those
who extend it call `Plugin` and `load_plugin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.compare_levels import LevelReport, compare_model
    from .compilation.accuracy import Accuracy
    from .compilation.optimization import Optimization
    from .model import (
        CompiledModel,
        ImportedModel,
        compile_model,
        export_model,
        import_model,
        load_program,
    )
    from .model_calibration import calibrate_model
    from .model_search import Trial, analyze_sensitivity, search_front, search_model
    from .plugins.plugin import Plugin, load_plugin

_HOMES = {
    "Accuracy": "compilation.accuracy", "CompiledModel": "model", "ImportedModel": "model", "compile_model": "model",
    "export_model": "model", "import_model": "model", "load_program": "model", "LevelReport": "analysis.compare_levels",
    "Optimization": "compilation.optimization",
    "calibrate_model": "model_calibration", "compare_model": "analysis.compare_levels",
    "Trial": "model_search", "analyze_sensitivity": "model_search", "search_front": "model_search",
    "search_model": "model_search",
    "Plugin": "plugins.plugin", "load_plugin": "plugins.plugin",
}  # fmt: skip
__all__ = [
    "Accuracy", "CompiledModel", "ImportedModel", "LevelReport", "Optimization", "Plugin", "Trial",
    "analyze_sensitivity", "calibrate_model", "compare_model", "compile_model", "export_model", "import_model",
    "load_plugin", "load_program", "search_front", "search_model",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a name of the API when it is first asked for, so that `import smalti.compiler` alone stays quick."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the names of the API too, loaded or not, for completion."""
    return sorted({*globals(), *__all__})
