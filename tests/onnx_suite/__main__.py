"""Prints how many cases of ONNX's backend test suite pass, and why the others do not.

python -m tests.onnx_suite [--write] [--level top] [--only REGEX]
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter

import onnx

from tests.onnx_suite.cases import RUN, cases, loaded, scope
from tests.onnx_suite.outcomes import (
    DEVICE,
    LEVELS,
    Failure,
    read_list,
    run,
    with_reasons_by_hand,
    write_list,
)


def main() -> None:
    """Run the cases, print the counts, and write the list if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.onnx_suite", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the list of cases anew")
    parser.add_argument(
        "--level", choices=list(LEVELS), default=DEVICE, help="the last level to run cases at"
    )
    parser.add_argument("--only", default="", metavar="REGEX", help="cases whose name matches")
    options = parser.parse_args()
    chosen = [case for case in cases() if re.search(options.only, case.name)]
    levels = list(LEVELS)[: list(LEVELS).index(options.level) + 1]
    failures: dict[tuple[str, str], Failure] = {}
    seconds = Counter()
    slowest: list[tuple[float, str]] = []
    for case in chosen:
        if case.group not in RUN:
            continue
        for level in levels:
            start = time.process_time()
            reason = run(case, level)
            taken = time.process_time() - start
            seconds[level] += taken
            slowest.append((taken, f"{case.name} at {level}"))
            if reason:
                failures[case.kind, case.name] = Failure(level, reason)
                break
    _print_counts(chosen, levels, failures)
    _print_reasons(failures)
    for level in levels:
        print(f"{level}: {seconds[level]:.0f} CPU seconds")
    for taken, what in sorted(slowest, reverse=True)[:8]:
        print(f"  {taken:.1f} s {what}")
    if options.only:
        for (_, name), each in failures.items():
            print(f"{each.level:<10} {name}: {each.reason}")
    if options.write:
        names = {(case.kind, case.name) for case in chosen}
        kept = {
            key: each
            for key, each in read_list().items()
            if key not in names or each.level not in levels
        }
        write_list({**kept, **with_reasons_by_hand(failures)})


def _print_counts(chosen, levels, failures) -> None:
    unclassified = sum((kind, case.name) not in scope() for kind, case in loaded())
    print(f"onnx {onnx.__version__}, {unclassified} cases that no class is known of")
    print(f"{'class':<18}{'cases':>7}" + "".join(f"{level:>12}" for level in levels))
    for group in (*RUN, "out-of-scope"):
        members = [case for case in chosen if case.group == group]
        counts = []
        for index in range(len(levels)):
            failing = {key for key, each in failures.items() if each.level in levels[: index + 1]}
            counts.append(sum((case.kind, case.name) not in failing for case in members))
        shown = counts if group in RUN else ["-"] * len(levels)
        print(f"{group:<18}{len(members):>7}" + "".join(f"{count:>12}" for count in shown))


def _print_reasons(failures) -> None:
    counts = Counter((each.level, each.reason) for each in failures.values())
    for level in LEVELS:
        print(f"\nnot passing at {level}:")
        for (at, reason), count in counts.most_common():
            if at == level:
                print(f"{count:>6}  {reason}")


if __name__ == "__main__":
    main()
