"""Measures what quantizing each group of layers alone does to the outputs, and which few are better kept in floats."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...backends.diagnostics.progress import Progress, silent
from ...backends.targets.target import load_target
from ...passes.top.calibration_table import CalibrationTable
from ..cache.content import hash_of_array, hash_of_file, hash_of_values
from ..search.evaluator import Measurement
from ..search.executor import Executor, InProcess
from ..search.search import Search
from ..search.space import Point
from ..search.strategy import GivenPoints, Strategy
from .layer_groups import LayerGroup
from .quantized_network import (
    FLOAT,
    Choice,
    ChoiceEvaluator,
    NetworkSource,
    QuantizedNetwork,
)
from .threshold_tables import NEW, best_table


@dataclass(frozen=True)
class SensitivityOptions:
    """What is measured, and how much stays in floats.

    `schemes` are tried for each group. `quick`: judge a group by its own result, not by the outputs. The mixed network
    is found for the first of the schemes: the most sensitive groups have `float_scheme` until the mean cosine is
    `expected_cosine`, or `max_float_layers` groups have it. If the network has that cosine with none in floats, no
    group is measured.
    """

    schemes: Sequence[str] = ("int8",)
    quick: bool = False
    float_scheme: str = FLOAT
    expected_cosine: float | None = None
    max_float_layers: int = 5

    def is_reached(self, measured: Measurement) -> bool:
        """Tell whether the outputs of a network are as good as expected; never if nothing is."""
        return self.expected_cosine is not None and 1 - measured["loss"] >= self.expected_cosine


@dataclass(frozen=True)
class LayerSensitivity:
    """What quantizing a group alone by a scheme does, with the thresholds of the best method.

    `losses` are 1 - the mean cosine, by the names of methods.
    """

    group: LayerGroup
    scheme: str
    method: str
    loss: float
    snr_db: float
    metric: float | None
    losses: Mapping[str, float]


@dataclass(frozen=True)
class WholeNetwork:
    """The quality of the outputs of a whole network: `name` says which."""

    name: str
    measured: Measurement

    @property
    def cosine(self) -> float:
        """The mean cosine of outputs."""
        return 1 - float(self.measured["loss"])


@dataclass(frozen=True)
class Sensitivity:
    """What an analysis found: `layers` with the most sensitive first, whole `networks`, the groups that the mixed one
    keeps in floats, the table of the best thresholds, and what it took.
    """

    layers: Sequence[LayerSensitivity]
    networks: Sequence[WholeNetwork]
    float_groups: Sequence[LayerGroup]
    table: CalibrationTable
    reached: bool
    samples: int
    points: int
    seconds: float
    peak_bytes: int
    made_of: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class FloatUntilGood:
    """Keeps more and more of the most sensitive groups in floats, and stops at once when the outputs are good.

    A strategy of searches. `order` are the names of groups, the most sensitive first.
    """

    order: Sequence[str]
    options: SensitivityOptions
    table: str
    count: int = 0
    reached: bool = False

    @property
    def most_points(self) -> int:
        """How many networks are tried at most."""
        return min(self.options.max_float_layers, len(self.order)) + 1

    def propose(self) -> Sequence[Point]:
        """Return the network with `count` groups in floats."""
        if self.reached or self.count >= self.most_points:
            return []
        if self.options.expected_cosine is None:
            self.count = self.most_points - 1
        floats = dict.fromkeys(self.order[: self.count], self.options.float_scheme)
        return [Choice(floats, self.options.schemes[0], self.table).to_json()]

    def learn(self, measured: Sequence[tuple[Point, Measurement]]) -> None:
        """Stop if the network is good enough."""
        self.reached = self.options.is_reached(measured[0][1])
        self.count += not self.reached


def analyze(
    source: NetworkSource,
    tables: Mapping[str, CalibrationTable],
    options: SensitivityOptions,
    *,
    executor: Executor | None = None,
    record: str | Path | None = None,
    progress: Progress = silent,
) -> Sensitivity:
    """Return what an analysis of the network of `source` finds with the thresholds of `tables`, by their methods.

    The first table is the old one. Raises DiagnosticError if the network cannot be converted or computed, if a function
    of the user's fails, or as `Search.run` does.
    """
    analysis = _Analysis(source, tables, options, executor or InProcess(), record, progress)
    return analysis.run()


@dataclass
class _Analysis:
    """An analysis on its way; `networks` are the whole networks that were measured so far."""

    source: NetworkSource
    tables: Mapping[str, CalibrationTable]
    options: SensitivityOptions
    executor: Executor
    record: str | Path | None
    progress: Progress
    networks: list[WholeNetwork] = field(default_factory=list)
    points: int = 0
    evaluator: ChoiceEvaluator = field(init=False)
    made_of: Mapping[str, Any] = field(init=False)
    old: str = field(init=False)
    began: float = field(init=False)

    def run(self) -> Sensitivity:
        self.began = time.monotonic()
        self.evaluator = ChoiceEvaluator(self.source, self.options.quick)
        self.made_of = content_of(self.evaluator.network, {"quick": self.options.quick})
        self.old, scheme = next(iter(self.tables)), self.options.schemes[0]
        network = self.evaluator.network
        if self.options.expected_cosine is not None:
            network.check_cosines_tell("--expected-cos")
        self.networks.append(WholeNetwork("FLOAT", network.measure(Choice({}, FLOAT, self.old))))
        whole = Choice({}, scheme, self.old)
        reached = self._measured(self.evaluator, f"{scheme.upper()}, old thresholds", whole)
        if reached:
            return self._found([], [], self.tables[self.old], True)
        groups = list(network.groups.values())
        layers = self._layers(groups)
        mine = [each for each in layers if each.scheme == scheme]
        best = {each.group.name: each.method for each in mine}
        table = best_table(groups, self.tables, best, ["the best thresholds for each tensor"])
        evaluator = self.evaluator.with_table(NEW, table.rows)
        whole = Choice({}, scheme, NEW)
        self._measured(evaluator, f"{scheme.upper()}, new thresholds", whole)
        order = [each.group.name for each in mine]
        strategy = FloatUntilGood(order, self.options, NEW)
        mixed = self._search(evaluator, "keep layers in floats", strategy)[-1]
        floats = mixed[0]["schemes"]
        whole = Choice(floats, scheme, self.old)
        self._measured(evaluator, "mixed, old thresholds", whole)
        self.networks.append(WholeNetwork("mixed, new thresholds", mixed[1]))
        kept = [network.groups[name] for name in floats]
        return self._found(layers, kept, table, strategy.reached)

    def _layers(self, groups: Sequence[LayerGroup]) -> list[LayerSensitivity]:
        """Measure each group alone."""
        singles = [
            Choice({group.name: scheme}, FLOAT, method).to_json()
            for group in groups
            for scheme in self.options.schemes
            for method in self.tables
        ]
        measured = self._search(self.evaluator, "quantize one layer", GivenPoints(singles))
        return _ranked(groups, self.options.schemes, list(self.tables), measured)

    def _measured(self, evaluator: ChoiceEvaluator, name: str, choice: Choice) -> bool:
        """Measure a whole network, and tell whether it is as good as expected."""
        ((_, measured),) = self._search(evaluator, "whole network", GivenPoints([choice.to_json()]))
        self.networks.append(WholeNetwork(name, measured))
        return self.options.is_reached(measured)

    def _search(
        self, evaluator: ChoiceEvaluator, name: str, strategy: Strategy
    ) -> Sequence[tuple[Point, Measurement]]:
        search = Search(
            evaluator, loss_of, self.record, self.made_of, self.executor, self.progress, name
        )
        found = search.run(strategy)
        self.points += found.new
        return found.measured

    def _found(
        self,
        layers: Sequence[LayerSensitivity],
        floats: Sequence[LayerGroup],
        table: CalibrationTable,
        reached: bool,
    ) -> Sensitivity:
        return Sensitivity(
            layers,
            self.networks,
            floats,
            table,
            reached,
            self.evaluator.network.samples,
            self.points,
            time.monotonic() - self.began,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            self.made_of,
        )


def loss_of(measured: Measurement) -> float:
    """Return the loss that was measured."""
    return float(measured["loss"])


def content_of(network: QuantizedNetwork, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what measurements on a network depend on, as the header of a record: names, and hashes of contents. The
    weights of models may stand in files of their own, so those that were read are hashed.
    """
    source = network.source
    weights = {key: hash_of_array(network.ctx.weights.get(key)) for key in network.weight_keys()}
    tables = {name: sorted(ranges.items()) for name, ranges in source.tables.items()}
    return {
        "version": version("smalti"),
        "model": hash_of_file(source.model)[:16],
        "weights": hash_of_values(weights)[:16],
        "sizes": json.loads(json.dumps(source.sizes, default=str)),
        "target": load_target(source.target).content_hash,
        "data": hash_of_values(dict(sorted(source.data.items())))[:16],
        "calibration": hash_of_values([tables, sorted(source.four_bits.items())])[:16],
        "metric": source.judge.metric,
        "post-process": source.judge.post_process,
        "code": [hash_of_file(path)[:16] for path in source.judge.files],
        **more,
    }


def _ranked(
    groups: Sequence[LayerGroup],
    schemes: Sequence[str],
    methods: Sequence[str],
    measured: Sequence[tuple[Point, Measurement]],
) -> list[LayerSensitivity]:
    """Return what each group and scheme loses by its best method, the greatest loss first, by the metric if there is
    one; groups that the scheme leaves as they are, are left out.
    """
    found = [each for _, each in measured]
    layers: list[LayerSensitivity] = []
    at = 0
    for group in groups:
        for scheme in schemes:
            by_method = dict(zip(methods, found[at : at + len(methods)], strict=True))
            at += len(methods)
            if not any(each["changes"] for each in by_method.values()):
                continue
            method = min(by_method, key=lambda name: _badness(by_method[name]))
            best = by_method[method]
            losses = {name: float(each["loss"]) for name, each in by_method.items()}
            layers.append(
                LayerSensitivity(
                    group,
                    scheme,
                    method,
                    losses[method],
                    best["snr_db"],
                    best.get("metric"),
                    losses,
                )
            )
    return sorted(
        layers,
        key=lambda each: (0.0 if each.metric is None else each.metric, -each.loss, each.group.name),
    )


def _badness(measured: Measurement) -> tuple[float, float]:
    """Return a key by which measurements are the worse the greater it is: the metric counts first."""
    return -float(measured.get("metric", 0.0)), float(measured["loss"])
