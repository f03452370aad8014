"""Fixtures for the tests of passes: IR from text, through a pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from smalti.dialects.context import make_context
from smalti.dialects.ir.context import SmaltiContext
from smalti.dialects.ir.text.module_text import parse_module, print_module
from smalti.passes.pipeline import run_pipeline
from smalti.passes.registry import parse_pipeline
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass
class Piped:
    """A module that went through passes."""

    module: ModuleOp
    ctx: SmaltiContext
    passes: list[ModulePass]

    @property
    def text(self) -> str:
        """Its IR without locations."""
        return print_module(self.module, debug_info=False)

    @property
    def located(self) -> str:
        """Its IR with locations."""
        return print_module(self.module)

    def named(self, name: str):
        """The op whose result is called `name`."""
        for op in self.module.walk():
            found = op.properties.get("name")
            if found is not None and found.data == name:
                return op
        raise AssertionError(f"no op '{name}' in\n{self.text}")

    def names(self) -> list[str]:
        """The ops of the function, by kind, in order."""
        function = next(iter(self.module.body.ops))
        return [op.name for op in function.regions[0].block.ops]

    def then(self, pipeline: str) -> "Piped":
        """The same module, after further passes (in place)."""
        passes = parse_pipeline(pipeline)
        run_pipeline(self.ctx, self.module, passes)
        return Piped(self.module, self.ctx, passes)


@pytest.fixture
def piped() -> Callable[..., Piped]:
    """A function from IR and a pipeline to the module that comes out."""

    def run(text: str, pipeline: str = "") -> Piped:
        ctx = make_context()
        module = parse_module(text, ctx)
        passes = parse_pipeline(pipeline)
        run_pipeline(ctx, module, passes)
        return Piped(module, ctx, passes)

    return run


@pytest.fixture
def network() -> Callable[..., str]:
    """A function from inputs (name → shape), the lines of a body and the returned value to the text
    of a module."""

    def make(inputs: dict[str, str], body: str, result: str, type: str) -> str:
        arguments = ", ".join(f"%{name}: tensor<{shape}>" for name, shape in inputs.items())
        names = ", ".join(f'"{name}"' for name in inputs)
        return (
            f"func.func @main({arguments}) -> tensor<{type}> attributes "
            f'{{smalti.inputs = [{names}], smalti.outputs = ["out"]}} {{\n{body}\n'
            f"func.return {result} : tensor<{type}>\n}}\n"
        )

    return make
