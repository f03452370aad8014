"""Declares the buffers in which cores keep or gather tensors, when the first tile of them is computed."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Operation, SSAValue

from ....dialects import tile
from ....dialects.ir.attribute import integer, ints, text
from ....dialects.ir.text.value_name import value_name
from ....dialects.tile import buffer_type
from ...tiling.windows import flatten
from .layer import Buffer
from .residents import Piece, Residents
from .slabs import Gathering, Slab


class HeldBuffers:
    """The buffers of tensors that stay in local memories, as a part of a layer asks for them. Those that are new are
    among the `declarations`, which stand before the operations of all parts.
    """

    def __init__(self, residents: Residents, location: LocationAttr) -> None:
        self.declarations: list[Operation] = []
        self._residents = residents
        self._location = location

    def slab(self, tensor: Buffer, slab: Slab) -> Piece:
        """Return the buffer of a slab, or where it lies in that of a larger tensor."""
        residents = self._residents
        piece = residents.piece(tensor, slab)
        if piece is not None:
            return piece
        outer = residents.plan.outer(tensor.value, slab)
        if outer is not None and tensor.value in residents.plan.in_place:
            alias, other = outer
            whole = self.slab(residents.plan.tensors[alias.outer.value], other)
            return residents.add_part(tensor, slab, alias, whole)
        where: dict[str, Attribute] = {
            "tensor": text(tensor.name),
            "window": ints(flatten(slab.box)),
            "order": ints(tensor.layout.order),
        }
        return residents.add_slab(tensor, slab, self._declare(tensor, slab, tensor.name, where))

    def gathering(self, tensor: Buffer, gathering: Gathering) -> Piece:
        """Return the buffer of a gathering."""
        piece = self._residents.gathered(tensor, gathering)
        if piece is not None:
            return piece
        value = self._declare(tensor, gathering, f"{tensor.name}_part", {})
        return self._residents.add_gathered(tensor, gathering, value)

    def _declare(
        self,
        tensor: Buffer,
        place: Slab | Gathering,
        name: str,
        properties: Mapping[str, Attribute],
    ) -> SSAValue:
        shape = self._residents.plan.shape(tensor, place.box)
        alloc = tile.AllocOp.create(
            result_types=[buffer_type(shape, tensor.storage, "local")],
            properties={"core": integer(place.core), **properties},
            location=self._location,
        )
        alloc.output.name_hint = value_name(name) or "part"
        self.declarations.append(alloc)
        return alloc.output
