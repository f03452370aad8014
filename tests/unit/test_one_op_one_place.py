"""What is known of one op is in few places: its own page at each level, and a line where each is registered.

Local response normalization is the op that is counted, as it has a page at every level from ONNX to its cycles. A file
that mentions it and is not named here keeps a second copy of what the op is, or treats it as a special case. The same
files for a new op are shown in dialects/first_op.md.
"""

import re

from tests.shared_files import ROOT
from tests.unit.test_import_direction import library_files

WORDS = re.compile(r"local_response_norm|LocalResponseNorm|\bLRN\b")
PLACES = {
    "compiler/onnx_import/ops/axis_normalization.py": "the ONNX operator",
    "compiler/onnx_import/ops/normalization_steps.py": "the ONNX operator, step by step in f64",
    "compiler/onnx_export/ops/normalization.py": "back to the ONNX operator",
    "dialects/network/normalization.py": "what its top op and tpu op share",
    "dialects/top/normalization.py": "the top op",
    "dialects/tpu/normalization.py": "the tpu op",
    "dialects/tile/normalization.py": "the tile op",
    "backends/instructions/normalization.py": "the instruction",
    "backends/numerics/normalization.py": "what it computes",
    "backends/numerics/device/normalization.py": "what the instruction computes, on packed tiles",
    "backends/targets/vector_operations.py": "the steps of the vector unit that it takes",
    "passes/top_to_tpu/normalization.py": "from top to tpu",
    "passes/tile/tilers/normalization.py": "its tiler",
    "dialects/top/__init__.py": "registered",
    "dialects/tpu/__init__.py": "registered",
    "dialects/tile/__init__.py": "registered",
    "backends/instructions/instruction_set.py": "registered",
}
"""The files of the library that speak of the op, each with what of it they hold."""


def test_one_op_is_known_in_few_files():
    found = {
        str(path.relative_to(ROOT))
        for path in library_files()
        if WORDS.search(path.read_text(encoding="utf-8"))
    }
    print(f"local response normalization: {len(found)} files", *sorted(found), sep="\n  ")
    assert found - PLACES.keys() == set(), "these files know the op, but are not named here"
    assert PLACES.keys() - found == set(), "these files are named here, but do not know the op"
