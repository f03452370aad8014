"""Plugins add dialects, passes, targets and instructions to Smalti without changing a line of it.

A plugin is a Python module with a global `PLUGIN`. It is named on the command line
(`--load-plugin=FILE_OR_MODULE`), loaded by `load_plugin`, or installed: a package that has an entry
point in the group `smalti.plugins` is found by every tool.

    PLUGIN = Plugin(
        passes={"top-merge-relu": MergeRelu},
        targets={"my-chip": Path(__file__).with_name("my_chip.toml")},
    )

`python -m smalti.tools.new_pass`, `new_op` and `new_target` write such a package, with a golden test, to a folder that
`--package` names.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from xdsl.ir import Dialect
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError, Place, words_of
from ...backends.diagnostics.files import why_no_file
from ...backends.diagnostics.plugin_fault import note_plugin
from ...backends.instructions.instruction_set import Instruction, register_instruction
from ...backends.numerics.functions.function import Function, FunctionError
from ...backends.numerics.functions.registry import register_functions
from ...backends.targets.target import register_target
from ...dialects.context import register_dialect
from ...passes.registry import register_pass
from .plugin_fields import check_fields
from .plugin_files import files_of_module, note_plugin_parts
from .plugin_group import GROUP


@dataclass(frozen=True)
class Plugin:
    """What a plugin adds; none of its names may be taken already.

    Args:
        dialects: by name, a function that makes the dialect (called when IR mentions it).
        passes: by name, the class of a pass.
        targets: by name, the path of the target's TOML file.
        instructions: classes of instructions, their opcodes from 256 on, whose `numerics` is the
            function that computes them.
        importers: how an ONNX op becomes top ops: by "DOMAIN.OP", a `function(node, builder)` that emits the ops with
            the builder and returns the node's outputs. Local functions of that name are not inlined.
        exporters: how a top op becomes nodes of ONNX: by its class, or by the name of a function that `top.call` calls,
            a `function(op, graph)` that appends them with `graph.node` and returns the name of the result's tensor.
        conversions: how a top op becomes tpu ops: `function(builder, op)`, with the builder of
            convert-top-to-tpu.
        functions: named functions that the host computes (`backends/numerics/functions/function.py`): an importer
            calls one with `top.call`.
        tilers: the class that makes tiles of layers of a tpu op (`passes/tile/tiler_bases/tiler.py`).
        devices: by name (`NPU.0`), what makes a device that `smalti.runtime` serves models on: a class derived from
            `smalti.runtime.Device`, or a function.
    """

    dialects: Mapping[str, Callable[[], Dialect]] = field(default_factory=dict)
    passes: Mapping[str, type[ModulePass]] = field(default_factory=dict)
    targets: Mapping[str, str | Path] = field(default_factory=dict)
    instructions: Sequence[type[Instruction]] = ()
    functions: Sequence[Function] = ()
    importers: Mapping[str, Callable[..., Sequence[Any]]] = field(default_factory=dict)
    exporters: Mapping[Any, Callable[..., str]] = field(default_factory=dict)
    conversions: Mapping[type[Any], Callable[..., None]] = field(default_factory=dict)
    tilers: Mapping[type[Any], type[Any]] = field(default_factory=dict)
    devices: Mapping[str, Callable[[], Any]] = field(default_factory=dict)

    def parts(self) -> Iterator[object]:
        """Yield the classes and functions that the plugin adds."""
        yield from (*self.dialects.values(), *self.passes.values(), *self.instructions)
        for each in self.functions:
            yield from (each.infer, each.compute)
        yield from (*self.importers.values(), *self.devices.values())
        for table in (self.exporters, self.conversions, self.tilers):
            for op, handler in table.items():
                yield from (op, handler)

    def register(self) -> None:
        """Register everything that the plugin adds.

        Raises:
            DiagnosticError: if a name or number is taken, or an instruction does not fit.
            DiagnosticError: if the name of a target is taken.
        """
        for each in self.instructions:
            from ...dialects.isa import register_instruction_op

            register_instruction(each)
            register_instruction_op(each)
        try:
            register_functions(self.functions)
        except FunctionError as error:
            raise DiagnosticError(f"a function cannot be added: {error}") from None
        for name, factory in self.dialects.items():
            register_dialect(name, factory)
        for name, cls in self.passes.items():
            register_pass(name, cls)
        for name, path in self.targets.items():
            register_target(name, Path(path))
        if self.importers:
            from ..onnx_import.operator_table import register_importers

            register_importers(self.importers)
        if self.exporters:
            from ..onnx_export.operator_table import register_exporters

            register_exporters(self.exporters)
        if self.conversions:
            from ...passes.top_to_tpu.conversions import register_conversions

            register_conversions(self.conversions)
        if self.tilers:
            from ...passes.tile.tilers.registry import register_tilers

            register_tilers(self.tilers)
        if self.devices:
            from ...backends.runtime.devices.registry import register_devices

            register_devices(self.devices)


_LOADED: dict[str, Plugin] = {}
"""The plugins loaded so far, by where they came from: a file, a module, or an entry point."""
_FILES: dict[str, list[str]] = {}
"""The files and folders of these, by the same keys; none of a plugin that was given as an object."""


def plugin_files() -> Mapping[str, Sequence[str]]:
    """Return for each plugin that is loaded the files and folders that its code is in; nothing if nobody knows."""
    return {key: _FILES.get(key, []) for key in _LOADED}


def load_plugin(source: str | Path | Plugin) -> Plugin:
    """Load and register a plugin, unless it is loaded already.

    Args:
        source: the path of a .py file, the name of a module, or a plugin.

    Raises:
        DiagnosticError: if there is no such file or module, importing it fails, it has no `PLUGIN`, or the plugin's
            names are taken.
    """
    if isinstance(source, Plugin):
        # A cell of a notebook that is run again makes the same plugin anew.
        for known in _LOADED.values():
            if known == source:
                return known
        return _registered(f"plugin {id(source)}", source)
    text = str(source)
    is_file = isinstance(source, Path) or text.endswith(".py") or "/" in text
    key = str(Path(text).resolve()) if is_file else text
    if key in _LOADED:
        return _LOADED[key]
    with _told_as_broken(text, "imported"):
        module = _import_file(Path(text)) if is_file else _import_module(text)
        plugin = getattr(module, "PLUGIN", None)
    if not isinstance(plugin, Plugin):
        found = "there is none" if plugin is None else f"it is a {type(plugin).__name__}"
        raise DiagnosticError(
            f"a plugin has a global PLUGIN of class Plugin, {found}",
            Place(file=text),
            hint="write PLUGIN = Plugin(passes={...}), from smalti.compiler import Plugin",
        )
    _FILES[key] = files_of_module(module)
    note_plugin(text, _FILES[key])
    return _registered(key, plugin, text)


def load_installed_plugins() -> None:
    """Load the plugins of installed packages, once. Raises the errors of `load_plugin`."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        key = f"{GROUP}:{point.name}"
        if key in _LOADED:
            continue
        with _told_as_broken(f"the installed plugin '{point.name}' ({point.value})", "imported"):
            plugin = point.load()
        if not isinstance(plugin, Plugin):
            raise DiagnosticError(
                f"the entry point '{point.name}' of {GROUP} is {point.value}, which is no Plugin",
                hint="name a global of class smalti.compiler.Plugin, or uninstall the package",
            )
        _FILES[key] = files_of_module(sys.modules[point.module])
        note_plugin(point.name, _FILES[key])
        _registered(key, plugin, point.name)


def _registered(key: str, plugin: Plugin, name: str | None = None) -> Plugin:
    if key in _LOADED:
        return _LOADED[key]
    if any(known is plugin for known in _LOADED.values()):
        # An installed plugin that the command line names as well.
        _LOADED[key] = plugin
        return plugin
    try:
        with _told_as_broken(name or "the plugin", "registered"):
            check_fields(vars(plugin))
            note_plugin_parts(plugin.parts(), name)
            plugin.register()
    except DiagnosticError as error:
        if name is not None and error.place is None:
            error.place = Place(file=name)
        raise
    _LOADED[key] = plugin
    return plugin


def _import_file(path: Path) -> ModuleType:
    if (reason := why_no_file(path)) is not None:
        raise DiagnosticError(
            reason,
            Place(file=str(path)),
            hint="give the path of a plugin's .py file, or the name of a module",
        )
    name = f"smalti_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DiagnosticError("this is no Python file", Place(file=str(path)))
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks up its module while the class is made.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            raise DiagnosticError(
                f"there is no module '{name}'",
                hint="install it, or give the path of its file, which ends in .py",
            ) from None
        raise


@contextmanager
def _told_as_broken(name: str, action: str) -> Iterator[None]:
    """Turn whatever a plugin raises while it is loaded into a diagnostic: the error, and the plugin's last line that
    ran. Interruptions by the user, and diagnostics, pass.
    """
    try:
        yield
    except (DiagnosticError, KeyboardInterrupt):
        raise
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        file, line = last.filename, last.lineno
        if isinstance(error, SyntaxError):
            file, line = error.filename or name, error.lineno
        raise DiagnosticError(
            f"the plugin cannot be {action}: {words_of(error)}",
            Place(file=name),
            notes=[f"raised at {file}:{line}"] if line else [],
            hint="a plugin does not end the program" if isinstance(error, SystemExit) else None,
        ) from error
