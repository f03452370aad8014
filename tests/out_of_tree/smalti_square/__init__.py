"""Squares for Smalti: a plugin."""

from pathlib import Path

from smalti.compiler import Plugin

from .dialect import SQUARE, SquareOp, TpuSquareOp
from .instruction import Square
from .lowering import FindSquares, SquareTiler, convert

PLUGIN = Plugin(
    dialects={"square": lambda: SQUARE},
    passes={"top-find-squares": FindSquares},
    targets={"square-2c": Path(__file__).with_name("square-2c.toml")},
    instructions=[Square],
    conversions={SquareOp: convert},
    tilers={TpuSquareOp: SquareTiler},
)
