"""Chooses among several plans, most of them for less hardware, by timing the programs that they lead to.

What `tile-plan` estimates is not exact, so that with more hardware it may choose a plan that is slower than the one for
less. Of a network of few layers, plans in which layers have fewer parts, and plans as for fewer lanes or for less local
memory, are therefore carried out as well, and so are plans in which each layer has its own best tiles. Each program is
timed by the simulator, which takes no tensor data. Of networks of some more layers, few plans are: those without
multicasts, which wait for all of their cores, and which the estimates see too little of, and those for fewer lanes and
for less memory. What is planned with half the lanes or memory, half of that, and so
on, is what is planned where there are no more. The options of `tile-plan` that lead to the fastest program stand in the
pipeline's text then, which so makes the same program without a trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...backends.diagnostics.diagnostic import DiagnosticError
from ...dialects import tile
from ...dialects.ir.context import SmaltiContext
from ...dialects.ir.target_attribute import target_of
from ...passes.pipeline import run_pipeline
from ...passes.registry import print_pipeline
from ...passes.tile.network_schedule import layers_of
from ...passes.tile.plan import Plan
from ...passes.tile.planning.layer_parts import check_core_count
from .lower_bound import lower_bound_of
from .pipelines import level_of

MOST_LAYERS = 4
"""Networks of more layers are planned a few times at most: what is wrong about one layer matters less."""

MOST_LAYERS_OF_FEW_TRIALS = 16
"""Networks of more layers are planned once: trials would take long."""

_MOST_INSTRUCTIONS = 6000
"""How many instructions the programs have together after which none is tried any more."""

_HOPELESS = 1.5
"""A plan with less memory that takes so much longer than the best one, or two with fewer and fewer parts in a row, end
the search.
"""

_FEWEST_CYCLES = 2000
"""What takes fewer cycles is latency for the most part, which all plans have."""

_NEAR_BOUND = 1.02
"""No plan is tried if one takes at most so many times the cycles that any needs."""

_LEAST_MEMORY = 2**15
"""With more bytes of local memory is planned at least."""

_BEST = 3
"""How many of the best plans are tried with fewer lanes and with less memory."""


def best_plan(module: ModuleOp, ctx: SmaltiContext, passes: Sequence[ModulePass]) -> str | None:
    """Return `tile-plan` with the options that lead to the fastest program, as pipeline text.

    `module` is the network before `passes`, which take it down to isa; it stays as it is. The result is None if
    `tile-plan` is not among them, if the network has many layers, or if no program is faster than that of `passes`.
    """
    plans = [(i, each) for i, each in enumerate(passes) if isinstance(each, Plan)]
    if len(plans) != 1:
        return None
    ((place, own),) = plans
    if own.cores is not None and own.cores < 1:
        return None  # told when it is compiled
    silent = ctx.fork()
    silent.on_report = lambda diagnostic: None
    network = module.clone()
    try:
        run_pipeline(silent, network, passes[:place], verify=False)
        count = len(layers_of(tile.program_of(network)))
        if not 0 < count <= MOST_LAYERS_OF_FEW_TRIALS:
            return None
        least = lower_bound_of(module, silent, own.cores).cycles if level_of(module) == "tpu" else 0
        trials = _Trials(network, silent, own, passes[place + 1 :], least)
        if count <= MOST_LAYERS:
            trials.run()
        elif least >= _FEWEST_CYCLES:
            trials.run_few()
        else:
            return None
    except DiagnosticError:
        # What is wrong with the network is told when it is compiled.
        return None
    return None if trials.best == own else print_pipeline([trials.best])


@dataclass(frozen=True)
class _Trial:
    """A plan that was carried out: the most parts that a layer has, the cycles of the program, and whether no plan
    before was the same.
    """

    parts: int
    cycles: int
    is_new: bool


@dataclass
class _Trials:
    """Plans for a network, made by the pass `own` with other options, and the cycles of the programs that the passes
    `rest` make of them; any program takes `least` cycles.
    """

    network: ModuleOp
    ctx: SmaltiContext
    own: Plan
    rest: Sequence[ModulePass]
    least: int
    cycles: dict[Plan, int] = field(default_factory=dict)
    """The cycles of each plan, but for those whose schedules others have, too."""
    known: dict[str, int] = field(default_factory=dict)
    """The cycles by the text of the schedules of all layers."""
    tried: dict[Plan, _Trial | None] = field(default_factory=dict)
    """What was found for each plan; None for those that cannot be carried out."""
    instructions: int = 0
    """How many the programs have together."""

    @property
    def best(self) -> Plan:
        """The first of the plans with the fewest cycles."""
        return min(self.cycles, key=lambda plan: self.cycles[plan])

    def run(self) -> None:
        """Find the best pass. Raises DiagnosticError if `own` fails."""
        target = target_of(self.network)
        self.time(self.own)
        if self.cycles[self.own] < _FEWEST_CYCLES:
            return
        self.try_fewer_parts(self.own)
        self.try_own_tiles()
        self.try_less_memory()
        self.try_fewer_lanes(target.vector.lanes["i8"], target.vector.lane_group)
        self.try_less_memory()

    def run_few(self) -> None:
        """Find the best of few passes. Raises DiagnosticError if `own` fails."""
        target = target_of(self.network)
        self.time(self.own)
        self.try_out(replace(self.own, multicast_weights=False))
        self.try_out(replace(self.own, multicast_activations=False))
        lanes, size = target.vector.lanes["i8"] // 4, target.local_memory.size_bytes
        if self.own.lanes is None and lanes >= target.vector.lane_group:
            self.try_out(replace(self.best, lanes=lanes))
        if self.own.memory is None and size > _LEAST_MEMORY:
            self.try_out(replace(self.best, memory=size * 3 // 4))

    def try_own_tiles(self) -> None:
        """Try the best plans with the tiles that suit each layer if it is alone."""
        for plan in self.best_plans():
            self.try_out(replace(plan, tiles="by-layer"))

    def try_fewer_lanes(self, most: int, least: int) -> None:
        """Try plans as for fewer vector lanes: `least`, with fewer and fewer parts, and those between for the best
        plans.
        """
        if self.own.lanes is not None:
            return
        few = replace(self.own, lanes=least)
        if self.try_out(few) is not None:
            self.try_fewer_parts(few)
        for plan in (self.own, *self.best_plans()):
            for lanes in _halves(most, least):
                self.try_out(replace(plan, lanes=lanes))

    def try_less_memory(self) -> None:
        """Try the best plans, of each number of parts, too, with half of the local memory, and half of that, until they
        take much longer than the best one. Groups are for tensors that have no room; in all of the memory they have.
        """
        if self.own.memory is not None:
            return
        most = target_of(self.network).local_memory.size_bytes
        for plan in dict.fromkeys((*self.best_plans(), *self.best_of_parts())):
            for memory in _halves(most, _LEAST_MEMORY):
                found = self.try_out(replace(plan, memory=memory, groups=False))
                if found is None or self.is_hopeless(found):
                    break

    def best_plans(self) -> list[Plan]:
        """Return the best plans so far, the best first."""
        return sorted(self.cycles, key=lambda plan: self.cycles[plan])[:_BEST]

    def best_of_parts(self) -> list[Plan]:
        """Return the best plan with each number of parts, the best first, unless it takes much longer than the best of
        all.
        """
        best: dict[int, Plan] = {}
        for plan in sorted(self.cycles, key=lambda plan: self.cycles[plan]):
            found = self.tried.get(plan)
            if found is not None and not self.is_hopeless(found):
                best.setdefault(found.parts, plan)
        return list(best.values())

    def try_fewer_parts(self, plan: Plan) -> None:
        """Try a plan with fewer parts, and fewer from one to the next, until two in a row take much longer than the
        best one.
        """
        cores = check_core_count(target_of(self.network), plan.cores)
        parts, hopeless = min(cores, plan.parts or cores) - 1, 0
        while parts and hopeless < 2:
            found = self.try_out(replace(plan, parts=parts))
            if found is None:
                return
            hopeless = hopeless + 1 if self.is_hopeless(found) else 0
            # What is planned again has as many parts with a lower bound, too, until that is fewer than it has.
            parts = parts - 1 if found.is_new else min(parts, found.parts) - 1

    def is_hopeless(self, found: _Trial) -> bool:
        """Tell whether a program takes much longer than the best one."""
        return found.cycles > _HOPELESS * self.cycles[self.best]

    def try_out(self, plan: Plan) -> _Trial | None:
        """Time a plan, once; None if it cannot be carried out, or if enough were tried."""
        is_near = self.cycles[self.best] <= _NEAR_BOUND * self.least
        if plan not in self.tried and self.instructions < _MOST_INSTRUCTIONS and not is_near:
            try:
                self.tried[plan] = self.time(plan)
            except DiagnosticError:
                self.tried[plan] = None
        return self.tried.get(plan)

    def time(self, plan: Plan) -> _Trial:
        """Carry out a plan, unless its schedule is known. Raises DiagnosticError if that cannot be done."""
        from ...backends.program.assemble import assemble
        from .dma_queues import choose_queues

        network, ctx = self.network.clone(), self.ctx.fork()
        run_pipeline(ctx, network, [plan], verify=False)
        layers = layers_of(tile.program_of(network))
        parts = max(len(op.decided.cores or (0,)) for op in layers)
        schedules = str([(op.decided, _group_of(op)) for op in layers])
        known = self.known.get(schedules)
        if known is not None:
            return _Trial(parts, known, False)
        run_pipeline(ctx, network, self.rest, verify=False)
        program = assemble(network, ctx)
        self.instructions += program.instruction_count
        cycles = self.cycles[plan] = self.known[schedules] = choose_queues(program)
        return _Trial(parts, cycles, True)


def _group_of(layer: tile.LayerOp) -> tile.Group | None:
    """Return the group that a layer is in."""
    parent = layer.parent_op()
    return parent.decided if isinstance(parent, tile.GroupOp) else None


def _halves(most: int, least: int) -> Iterator[int]:
    """Return half of `most`, half of that, and so on, as long as it is more than `least`."""
    most //= 2
    while most > least:
        yield most
        most //= 2
