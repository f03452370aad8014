"""Writes an architecture as an ONNX file with one of PyTorch's exporters, and its operands beside it."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np

from .architecture import Architecture

SEED = 0
OPSETS = {"torchscript": 20, "dynamo": 18}
"""The opset that each exporter writes."""


def export(architecture: Architecture, exporter: str, folder: Path) -> Path:
    """Write `NAME.EXPORTER.onnx` and `NAME.EXPORTER.npz` (the operands by name), unless both are there, and return the
    model's path. Files that are there need no PyTorch.
    """
    path = folder / f"{architecture.name}.{exporter}.onnx"
    operands_path = path.with_suffix(".npz")
    if path.exists() and operands_path.exists():
        return path
    import torch

    torch.backends.mha.set_fastpath_enabled(False)  # an op of inference, which cannot be exported
    torch.manual_seed(SEED)
    model, operands = architecture.make()
    settle(model.eval())
    partial = path.with_suffix(".partial")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            operands,
            str(partial),
            input_names=list(architecture.inputs),
            opset_version=OPSETS[exporter],
            dynamo=exporter == "dynamo",
            external_data=False,
            verbose=False,
        )
    arrays = {
        name: operand.numpy() for name, operand in zip(architecture.inputs, operands, strict=True)
    }
    np.savez(operands_path, **arrays)
    partial.rename(path)
    return path


def settle(model) -> None:
    """Give a network what training would: statistics of batch normalizations other than zeros and ones, and matrices
    that begin as zeros, such as a classifier's, seeded numbers; else outputs would be the same whatever goes in.
    """
    import torch
    from torch.nn.modules.batchnorm import _BatchNorm

    for parameter in model.parameters():
        if parameter.ndim > 1 and not parameter.any():
            parameter.data.normal_(0, 0.1)
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.running_mean is not None:
            module.running_mean.copy_(0.1 * torch.randn_like(module.running_mean))
            assert module.running_var is not None
            module.running_var.copy_(1 + 0.3 * torch.rand_like(module.running_var))
