"""The shared pattern driver: fixpoint, locations, names, and that it ends."""

import pytest
from smalti.backends.diagnostics.diagnostic import DiagnosticError
from smalti.dialects import top
from smalti.dialects.ir.location import named, names_of, place_of
from smalti.dialects.network.rewriting import erase_if_unused
from smalti.passes.pattern_driver import UniqueNames, rewrite
from smalti.passes.rewrite_observer import observing
from xdsl.dialects.builtin import UnknownLoc
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

CHAIN = """
%a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32> loc("Relu_0")
%b = top.relu "b" %a : (tensor<4xf32>) -> tensor<4xf32> loc("Relu_1")
%c = top.relu "c" %b : (tensor<4xf32>) -> tensor<4xf32> loc("Relu_2")
"""


class MergeRelus(RewritePattern):
    """relu(relu(x)) ⇒ relu(x)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        inner = op.input.owner
        if isinstance(inner, top.ReluOp):
            rewriter.replace(op, top.ReluOp(op.result_name.data, inner.input))
            erase_if_unused(rewriter, inner)


class DropRelu(RewritePattern):
    """relu(relu(x)) ⇒ the inner one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        if isinstance(op.input.owner, top.ReluOp):
            rewriter.replace(op, [], [op.input])


class AddToItself(RewritePattern):
    """relu ⇒ two ops, one of which takes a name that is there already."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        clip = top.ClipOp("x", op.input, low=0.0)
        rewriter.replace(op, [clip, top.ClipOp("c", clip.output)])


class PingPong(RewritePattern):
    """relu ⇒ relu, for ever."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        rewriter.replace(op, top.ReluOp(op.result_name.data, op.input))


class ReluToClip(RewritePattern):
    """relu ⇒ clip."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        rewriter.replace(op, top.ClipOp(op.result_name.data, op.input, low=0.0))


class ClipToRelu(RewritePattern):
    """clip ⇒ relu."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ClipOp, rewriter: PatternRewriter, /) -> None:
        rewriter.replace(op, top.ReluOp(op.result_name.data, op.input))


class Broken(RewritePattern):
    """Raises an error of ours, and one of Python's."""

    def __init__(self, error: Exception):
        self.error = error

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: top.ReluOp, rewriter: PatternRewriter, /) -> None:
        raise self.error


@pytest.fixture
def chain(piped, network):
    return piped(network({"x": "4xf32"}, CHAIN, "%c", "4xf32"))


def test_rewrites_to_a_fixpoint_and_counts(chain):
    counts = {"merge_relus": 1}
    assert rewrite(chain.module, [MergeRelus()], counts=counts) == 2
    assert chain.names() == ["top.relu", "func.return"]
    assert counts == {"merge_relus": 3}


def test_a_new_op_gets_the_locations_of_all_that_it_replaces_in_program_order(chain):
    rewrite(chain.module, [MergeRelus()])
    assert names_of(chain.named("c").location) == ["Relu_0", "Relu_1", "Relu_2"]


def test_an_op_that_stands_for_another_gets_its_location_too(chain):
    rewrite(chain.module, [DropRelu()])
    assert names_of(chain.named("a").location) == ["Relu_0", "Relu_1", "Relu_2"]


def test_names_stay_unique_among_ops_and_inputs(chain):
    rewrite(chain.module, [AddToItself()])
    names = [op.properties["name"].data for op in chain.module.walk() if "name" in op.properties]
    assert len(set(names)) == len(names) == 6
    assert "x" not in names and "x_1" in names and "c" in names


def test_unused_ops_are_erased_and_not_counted(piped, network):
    result = piped(network({"x": "4xf32"}, CHAIN, "%x", "4xf32"))
    assert rewrite(result.module, []) == 0
    assert result.names() == ["func.return"]


def test_a_pattern_that_never_ends_is_named(chain):
    with pytest.raises(DiagnosticError, match="pattern 'ping_pong' does not end"):
        rewrite(chain.module, [PingPong()])
    with pytest.raises(DiagnosticError, match="applied 6 times in 6 rewrites"):
        rewrite(chain.module, [PingPong()], max_rewrites=5)


def test_patterns_that_undo_each_other_are_named(chain):
    message = "patterns 'relu_to_clip' and 'clip_to_relu' undo each other: applied 26, 25 times"
    with pytest.raises(DiagnosticError, match=message):
        rewrite(chain.module, [MergeRelus(), ReluToClip(), ClipToRelu()], max_rewrites=50)


class Recorder:
    """Writes down what the driver tells."""

    def __init__(self):
        self.log = []

    def visited(self, op):
        self.log.append(f"visited {op.properties['name'].data if op.results else op.name}")

    def removed(self, op):
        self.log.append(f"removed {op.properties['name'].data} of {len(op.operands)}")

    def rewritten(self, pattern, op, made):
        self.log.append(f"{pattern} made {[each.properties['name'].data for each in made]}")


def test_observers_are_told_of_each_rewrite(chain):
    recorder = Recorder()
    with observing(recorder):
        rewrite(chain.module, [MergeRelus()])
    rewrites = [line for line in recorder.log if not line.startswith("visited")]
    assert rewrites == [
        "removed b of 1",
        "removed a of 1",
        "merge_relus made ['b']",
        "removed c of 1",
        "removed b of 1",
        "merge_relus made ['c']",
    ]


@pytest.mark.parametrize("error", [DiagnosticError("no such thing"), KeyError("a mistake of ours")])
def test_errors_come_out_as_they_are(chain, error):
    with pytest.raises(type(error)) as caught:
        rewrite(chain.module, [Broken(error)])
    assert caught.value is error


def test_places_are_where_an_op_was_read_else_the_node_else_the_value(chain, piped, network):
    place = place_of(chain.named("b"))
    assert str(place) == "<text>:4:1" and place.name == "Relu_1"
    chain.named("b").location = named("Relu_1")
    assert str(place_of(chain.named("b"))) == "Relu_1"
    body = '%a = top.relu "a" %x : (tensor<4xf32>) -> tensor<4xf32>'
    bare = piped(network({"x": "4xf32"}, body, "%a", "4xf32"))
    assert str(place_of(bare.named("a"))) == "<text>:2:1"
    bare.named("a").location = UnknownLoc()
    assert str(place_of(bare.named("a"))) == "top.relu 'a'"


def test_fresh_names_take_the_first_free_suffix(chain):
    names = UniqueNames(chain.module)
    assert [names.fresh("b"), names.fresh("b"), names.fresh("x"), names.fresh("new")] == [
        "b_1",
        "b_2",
        "x_1",
        "new",
    ]


def test_time_is_linear_in_the_number_of_ops(piped, network):
    """A long chain: with a scan over all ops inside each rewrite this would take minutes."""
    lines = [
        f'%v{i + 1} = top.relu "v{i + 1}" %v{i} : (tensor<4xf32>) -> tensor<4xf32>'
        for i in range(1500)
    ]
    text = network({"v0": "4xf32"}, "\n".join(lines), "%v1500", "4xf32")
    result = piped(text)
    assert rewrite(result.module, [MergeRelus()]) == 1499
    assert result.names() == ["top.relu", "func.return"]
