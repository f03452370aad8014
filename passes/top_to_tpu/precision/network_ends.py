"""Finds the ends of a network, which some schemes keep in more bits: the first product, and the last with all after it.

The first reads what nothing has rounded yet; what the last rounds, nothing averages any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.network.traits import SumsProducts
from .given_quantization import constant_of


def network_ends(layers: Sequence[SSAValue]) -> frozenset[SSAValue]:
    """Return the results of the first and of the last product with constant weights among `layers`, in order, and of
    all that follows the last.
    """
    products = [at for at, value in enumerate(layers) if _has_constant_weights(value.owner)]
    return frozenset([layers[products[0]], *layers[products[-1] :]] if products else [])


def _has_constant_weights(op: Operation | Block) -> bool:
    if not isinstance(op, Operation):
        return False
    channels = SumsProducts.of(op)
    return channels is not None and constant_of(getattr(op, channels.weight)) is not None
