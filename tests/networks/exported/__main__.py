"""Exports architectures with both exporters of PyTorch, measures them, and writes a table of tests/networks/models.md.

python -m tests.networks.exported [NAME ...] [--exporter torchscript] [--models FOLDER] [--write]

It needs the extra `models`. With --models, files that are in the folder already are not exported again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..figures import MODELS_PAGE, Figures
from ..model_file import HEADER, ModelFile, row
from .architecture import EXPORTERS
from .catalog import CATALOG
from .export import export

FIGURES = Figures("exported", HEADER, keys=2, words=2)


def model_file(name: str, exporter: str, folder: Path) -> ModelFile:
    """Export an architecture, and return its file with its operands and others to calibrate with: those with noise."""
    path = export(CATALOG[name], exporter, folder)
    with np.load(path.with_suffix(".npz")) as file:
        inputs = dict(file)
    rng = np.random.default_rng(1)
    samples = tuple(
        {
            each: value + rng.normal(0, 0.3, value.shape).astype(value.dtype)
            if value.dtype.kind == "f"
            else rng.permuted(value, axis=-1)
            for each, value in inputs.items()
        }
        for _ in range(4)
    )
    return ModelFile(name, path, inputs, samples, exporter)


def main(words: Sequence[str] | None = None) -> int:
    """Always 0: an architecture that an exporter cannot write is told and left out."""
    parser = argparse.ArgumentParser(prog="python -m tests.networks.exported", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="architectures (default: all)")
    parser.add_argument("--exporter", action="append", choices=EXPORTERS, help="default: both")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="keep the ONNX files here")
    parser.add_argument(
        "--write", action="store_true", help=f"put the rows into {MODELS_PAGE.name}"
    )
    args = parser.parse_args(words)
    unknown = [name for name in args.names if name not in CATALOG]
    if unknown:
        parser.error(f"no architecture {', '.join(unknown)}; there are {', '.join(CATALOG)}")
    order = [(name, exporter) for name in CATALOG for exporter in EXPORTERS]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.models or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name, exporter in order:
            if name not in (args.names or CATALOG) or exporter not in (args.exporter or EXPORTERS):
                continue
            try:
                measured = model_file(name, exporter, folder)
            except Exception as error:  # whatever an exporter raises
                text = (str(error).splitlines() or [""])[0]
                print(f"{name} by {exporter}: {type(error).__name__}: {text}", file=sys.stderr)
                continue
            rows.append(row(measured))
            print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
            if args.write:
                FIGURES.write([rows[-1]], order, MODELS_PAGE)
    if not args.write:
        print(FIGURES.text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
