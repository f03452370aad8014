"""xDSL's printer, made to print what it and MLIR read back unchanged.

Lists in `dense<>` that hold infinities or other floats that are written by their bits are printed as one
string of hexadecimal bytes, which every MLIR reads.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, LocationAttr, ModuleOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.printer import Printer

from ..location import ParsedLoc
from .pretty_location import pretty_location
from .type_alias import type_aliases


class SmaltiPrinter(Printer):
    """xDSL's printer; dense lists of floats that it would print wrongly become one hexadecimal
    string.
    """

    print_positions = False
    """Whether an op without a location is printed with the place where it was read."""
    elide_above: int | None = None
    """The elements of constants that have more than this many are left out, as MLIR elides them."""
    comments: Mapping[Operation, str] = MappingProxyType({})
    """The comments to print at the end of the lines of ops."""
    block_comments: Mapping[Block, list[str]] = MappingProxyType({})
    """The comments to print in lines of their own at the begins of blocks."""
    unique_ids = False
    """Whether no two values of the text have the same name, in whatever functions they stand."""
    pretty_locations = False
    """Whether locations are printed for people, in a form that is not read back."""
    _aliases: dict[int, str] | None = None

    @property
    def names(self) -> Mapping[SSAValue, str]:
        """The names of the values printed so far."""
        return self._ssa_values

    def enter_scope(self) -> None:
        super().enter_scope()
        if self.unique_ids:
            self._ssa_names[-1] = self._ssa_names[-2]

    def print_op(self, op: Operation) -> None:
        block = op.parent
        if block is not None and block in self.block_comments and op.prev_op is None:
            for line in self.block_comments[block]:
                self.print_string(f"// {line}")
                self._print_new_line()
        super().print_op(op)
        if op in self.comments:
            self.print_string(f"  // {self.comments[op]}")

    def print_aliases(self, module: ModuleOp) -> None:
        """Print definitions of short names for the types that `module` uses often, and use these names from then on."""
        aliases = type_aliases(module, self._text_of)
        for name, attribute in aliases.definitions:
            self.print_string(f"{name} = ")
            self.print_attribute(attribute)
            self.print_string("\n")
        self._aliases = aliases.name_of

    @staticmethod
    def _text_of(attribute: Attribute) -> str:
        stream = io.StringIO()
        SmaltiPrinter(stream).print_attribute(attribute)
        return stream.getvalue()

    def print_attribute(self, attribute: Attribute) -> None:
        if self.pretty_locations and isinstance(attribute, LocationAttr | ParsedLoc):
            self.print_string(pretty_location(attribute))
            return
        if self._aliases and (alias := self._aliases.get(id(attribute))) is not None:
            self.print_string(alias)
            return
        if self.elide_above is not None and _number_of_elements(attribute) > self.elide_above:
            self.print_string("dense_resource<__elided__> : ")
            assert isinstance(attribute, DenseIntOrFPElementsAttr)
            self.print_attribute(attribute.type)
            return
        if isinstance(attribute, DenseIntOrFPElementsAttr) and _needs_bytes(attribute):
            self.print_string(f'dense<"0x{attribute.data.data.hex().upper()}"> : ')
            self.print_attribute(attribute.type)
            return
        super().print_attribute(attribute)


class _FloatProbe(Printer):
    """Finds out how xDSL's printer would print a float."""

    def text_of(self, value: float, type: Any) -> str:
        self.text = ""
        self.print_float(value, type)
        return self.text

    def print_string(self, text: str, *, indent: int | None = None) -> None:
        self.text += text


def _number_of_elements(attribute: Attribute) -> int:
    """Return how many elements a constant has; 0 for any other attribute, and for a splat, which is short."""
    if not isinstance(attribute, DenseIntOrFPElementsAttr) or attribute.is_splat():
        return 0
    return len(attribute)


def _needs_bytes(attribute: DenseIntOrFPElementsAttr) -> bool:
    """Tell whether the list holds floats that xDSL's printer would write as hexadecimal numbers or would not write
    exactly.
    """
    type = attribute.get_element_type()
    if not isinstance(type, AnyFloat) or len(attribute) > 100 or len(attribute) == 0:
        return False
    probe = _FloatProbe()
    for value in attribute.get_values():
        assert isinstance(value, float)
        text = probe.text_of(value, type)
        if text.startswith("0x") or "." not in text:
            return True
    return False
