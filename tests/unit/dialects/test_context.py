"""The context: dialects come when they are mentioned, and clones share the weights."""

import subprocess
import sys

from smalti.dialects.context import DIALECTS, make_context
from smalti.dialects.ir.context import weights_of
from xdsl.context import Context


def test_dialects_are_loaded_when_mentioned():
    ctx = make_context()
    assert set(DIALECTS) == set(ctx.registered_dialect_names)
    assert [dialect.name for dialect in ctx.loaded_dialects] == ["builtin"]
    assert ctx.get_optional_op("top.relu") is not None
    assert {dialect.name for dialect in ctx.loaded_dialects} == {"builtin", "top"}


def test_making_a_context_imports_no_dialect():
    code = (
        "import sys; from smalti.dialects.context import make_context; make_context();"
        "print([m for m in sys.modules if m in ('smalti.dialects.top', 'smalti.dialects.isa', "
        "'onnx')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_clones_share_the_weights():
    ctx = make_context()
    clone = ctx.clone()
    assert weights_of(clone) is weights_of(ctx)
    clone.get_optional_op("top.relu")
    assert [dialect.name for dialect in ctx.loaded_dialects] == ["builtin"]


def test_a_plain_context_gets_an_empty_store_when_first_asked():
    ctx = Context()
    assert weights_of(ctx) is weights_of(ctx) and not weights_of(ctx).changed
