"""Every network, exported after each pass of level top, computes in ONNX Runtime what the model does."""

import hashlib

import numpy as np
import onnx
import pytest
from smalti.backends.cpu.session import run_onnx
from smalti.compiler import import_model
from smalti.compiler.compilation.pipelines import passes_of
from smalti.passes.registry import parse_pipeline

from tests.commit_seed import share_of_commit

from .catalog import NETWORKS, Network

FAST = {"digits", "mnist", "cifar10", "blazeface", "gpt2_block", "detector", "segmenter"}
"""The networks whose export takes a second or two; the tests of the others are slow."""
SLOW = [name for name in NETWORKS if name not in FAST]
PARAMETERS = [
    *(pytest.param(NETWORKS[name], id=name) for name in NETWORKS if name in FAST),
    *(
        pytest.param(NETWORKS[name], id=name, marks=pytest.mark.slow)
        for name in share_of_commit(SLOW, 3)
    ),
]
"""Of the others a third, another one with each commit."""


@pytest.mark.parametrize("network", PARAMETERS)
def test_export_after_each_pass(network: Network):
    if not network.is_here:
        pytest.skip(f"{network.file} is not here: public data (set SMALTI_SHARED)")
    model, inputs = network.make(0), network.data(1, 0)
    expected = run_onnx(model, inputs)
    imported = import_model(model, batch=1, symbols=network.symbols)
    del model
    seen = ""
    for each in [None, *passes_of("top")]:
        for run in parse_pipeline(each or ""):
            run.apply(imported.ctx, imported.module)
        if seen == (seen := hashlib.sha256(imported.ir().encode()).hexdigest()):
            continue
        exported = imported.to_onnx()
        onnx.checker.check_model(exported, full_check=True)
        found = run_onnx(exported, inputs)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            spread = max(float(np.ptp(value)), 1e-6)
            np.testing.assert_allclose(
                found[name], value, rtol=0, atol=1e-4 * spread, err_msg=f"{name} after {each}"
            )
