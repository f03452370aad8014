"""Smalti: from an ONNX model, in steps a person can read, to a program for a TPU-like accelerator.

This file is what `import smalti` gives; pyproject.toml maps it, and the folders of the repository to the
subpackages `smalti.dialects`, `smalti.passes`, `smalti.backends`, `smalti.compiler` and `smalti.tools`.
"""

from __future__ import annotations

__version__: str


def __getattr__(name: str) -> str:
    """Look up the installed version when it is first asked for, so that importing stays quick."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    globals()[name] = version("smalti")
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(
        {
            *globals(),
            "__version__",
            "backends",
            "compiler",
            "dialects",
            "passes",
            "runtime",
            "tools",
        }
    )
