"""What the functions of the vector unit cost: passes over their elements, unless a target gives other numbers.

The numbers here are assumptions of the model. Most functions are made of steps: an exponential (or
logarithm: the reduction of the range, a polynomial, and putting the exponent back), a division (or square
root: a first approximation and Newton steps), and operations of one pass each. A target that has a
quicker exponential says so in one number, and everything that is made of exponentials follows; one that
has a unit for a whole function says that function's number.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple


class Steps(NamedTuple):
    """How many steps of each kind a function consists of."""

    exponentials: int = 0
    divisions: int = 0
    others: int = 1


STEP_OPERATIONS: Mapping[str, int] = {"exponential": 6, "division": 4}
"""The passes of the steps that functions consist of, unless a target gives other numbers."""

_ONE = Steps()
FUNCTIONS: Mapping[str, Steps] = {
    # Of one operand.
    "abs": _ONE, "neg": _ONE, "sign": _ONE, "floor": _ONE, "ceil": _ONE, "round": _ONE, "not": _ONE,
    "is_nan": _ONE, "is_inf": _ONE, "leaky_relu": Steps(0, 0, 2), "thresholded_relu": Steps(0, 0, 2),
    "hard_sigmoid": Steps(0, 0, 2), "hard_swish": Steps(0, 0, 3), "shrink": Steps(0, 0, 3),
    "reciprocal": Steps(0, 1, 0), "sqrt": Steps(0, 1, 0), "softsign": Steps(0, 1, 2),
    "exp": Steps(1, 0, 0), "log": Steps(1, 0, 0), "power": Steps(2, 0, 1), "elu": Steps(1, 0, 2),
    "selu": Steps(1, 0, 3), "celu": Steps(1, 0, 3), "sigmoid": Steps(1, 1, 1), "swish": Steps(1, 1, 3),
    "tanh": Steps(1, 1, 2), "sinh": Steps(1, 1, 2), "cosh": Steps(1, 1, 2), "softplus": Steps(2, 0, 3),
    "mish": Steps(3, 1, 6), "erf": Steps(2, 1, 0), "gelu": Steps(2, 1, 3), "gelu_tanh": Steps(1, 1, 7),
    "sin": Steps(1, 0, 2), "cos": Steps(1, 0, 2), "tan": Steps(1, 1, 4), "asin": Steps(1, 1, 2),
    "acos": Steps(1, 1, 2), "atan": Steps(1, 1, 2), "asinh": Steps(1, 1, 3), "acosh": Steps(1, 1, 3),
    "atanh": Steps(1, 1, 2),
    # Of two operands; power is above.
    "add": _ONE, "sub": _ONE, "mul": _ONE, "min": _ONE, "max": _ONE, "div": Steps(0, 1, 0),
    "modulo": Steps(0, 1, 2), "prelu": Steps(0, 0, 2), "less": _ONE, "less_or_equal": _ONE,
    "equal": _ONE, "not_equal": _ONE, "and": _ONE, "or": _ONE, "xor": _ONE, "select": _ONE,
    # Reductions, by element reduced; max and min are above.
    "mean": _ONE, "sum": _ONE, "prod": _ONE, "l1": Steps(0, 0, 2), "l2": _ONE, "sum_square": _ONE,
    "log_sum": _ONE, "log_sum_exp": Steps(1, 0, 2),
    # Normalizations: normalize takes mean, deviations, their squares' sum, quotient, scale, offset;
    # local_response_norm squares, a power and a product, and one pass more for each channel of its sum.
    "softmax": Steps(1, 0, 2), "normalize": Steps(0, 0, 6), "local_response_norm": Steps(1, 0, 4),
    # By element of a right-hand matrix, for each row of the left-hand one.
    "vector_matmul": _ONE,
    # By tap of a window.
    "depthwise_conv2d": _ONE, "pool": _ONE, "resample": _ONE,
    # A look-up makes an address of the bits and reads the entry; a residual adds to its epilogue.
    "convert": _ONE, "lookup": Steps(0, 0, 2), "epilogue": Steps(0, 0, 2), "residual": _ONE,
    # Transposes whole blocks of lane_group x lane_group elements.
    "permute": _ONE,
}  # fmt: skip
"""Every function of the vector unit, by name."""


def operations_by_function(said: Mapping[str, int]) -> dict[str, int]:
    """Return the passes of every step and function; `said` holds those that a target gives itself."""
    exponential, division = ({**STEP_OPERATIONS, **said}[step] for step in STEP_OPERATIONS)
    made = {
        name: steps.exponentials * exponential + steps.divisions * division + steps.others
        for name, steps in FUNCTIONS.items()
    }
    return {**STEP_OPERATIONS, **made, **said}


def without_defaults(said: dict[str, int]) -> dict[str, int]:
    """Return `said` without the numbers that hold anyway, so that equal machines have equal descriptions.

    Raises ValueError if there is no such function.
    """
    known = (*STEP_OPERATIONS, *FUNCTIONS)
    for name in said:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f" (near: {', '.join(near)})" if near else ""
            raise ValueError(f"the vector unit has no function '{name}'{hint}")
    steps = {name: said[name] for name in STEP_OPERATIONS if name in said}
    defaults = {**operations_by_function(steps), **STEP_OPERATIONS}
    return {name: count for name, count in said.items() if count != defaults[name]}
