"""A strict reader of trace files: Chrome's Trace Event Format, JSON object form, as Perfetto reads it.

Written from the format's description, apart from the writer. It accepts the events that have a
meaning for both viewers: complete slices (X), flows (s, f), counters (C) and metadata (M).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

METADATA = {
    "process_name": "name",
    "thread_name": "name",
    "process_sort_index": "sort_index",
    "thread_sort_index": "sort_index",
}


@dataclass
class Slice:
    """Times in nanoseconds."""

    name: str
    category: str
    start: int
    end: int
    args: dict[str, Any]


@dataclass
class Track:
    """A thread: its name and its slices in order, which do not overlap."""

    process: str
    name: str
    slices: list[Slice] = field(default_factory=list)


@dataclass
class TraceFile:
    """Tracks by (process name, thread name); flows as pairs of slices; counters by (process, name), each
    a list of pairs of a time in nanoseconds and values by series.
    """

    tracks: dict[tuple[str, str], Track]
    flows: list[tuple[Slice, Slice]]
    counters: dict[tuple[str, str], list[tuple[int, dict[str, float]]]]


def read(text: str) -> TraceFile:
    """Reads a trace; AssertionError for what the format does not allow or a viewer would misplace."""
    data = json.loads(text, parse_constant=_no_constant)
    assert isinstance(data, dict) and isinstance(data["traceEvents"], list)
    assert data.get("displayTimeUnit", "ms") in ("ms", "ns")
    events = data["traceEvents"]
    for event in events:
        assert isinstance(event["ph"], str) and len(event["ph"]) == 1, event
        assert event["ph"] in "XsfCM", event
        assert isinstance(event["name"], str) and event["name"], event
        for key in ("pid", "tid"):
            assert type(event[key]) is int and event[key] > 0, event
        assert isinstance(event.get("args", {}), dict), event
        assert isinstance(event.get("cat", ""), str), event
        _nanoseconds(event["ts"])
    processes, threads = _names(events)
    tracks = {key: Track(processes[key[0]], name) for key, name in threads.items()}
    for event in (e for e in events if e["ph"] == "X"):
        start = _nanoseconds(event["ts"])
        end = start + _nanoseconds(event["dur"])
        slice_ = Slice(event["name"], event["cat"], start, end, event["args"])
        tracks[event["pid"], event["tid"]].slices.append(slice_)
    for track in tracks.values():
        track.slices.sort(key=lambda s: (s.start, s.end))
        for one, two in zip(track.slices, track.slices[1:], strict=False):
            assert one.end <= two.start, f"slices overlap on {track.name}: {one}, {two}"
    named = {(track.process, track.name): track for track in tracks.values()}
    assert len(named) == len(tracks), "two threads of a process with the same name"
    return TraceFile(named, _flows(events, tracks), _counters(events, processes))


def _no_constant(text: str) -> float:
    raise AssertionError(f"{text} is no JSON")


def _nanoseconds(microseconds: Any) -> int:
    """Whole nanoseconds: what Perfetto keeps of a time."""
    assert type(microseconds) in (int, float) and microseconds >= 0, microseconds
    result = round(microseconds * 1000)
    assert abs(result - microseconds * 1000) < 1e-4 * max(1, result * 1e-9), microseconds
    return result


def _names(events: list[dict[str, Any]]) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    """Names by process and by (process, thread), each given once."""
    processes: dict[int, str] = {}
    threads: dict[tuple[int, int], str] = {}
    for event in (e for e in events if e["ph"] == "M"):
        value = event["args"][METADATA[event["name"]]]
        if event["name"].endswith("sort_index"):
            assert type(value) is int
        elif event["name"] == "process_name":
            assert event["pid"] not in processes
            processes[event["pid"]] = value
        else:
            key = event["pid"], event["tid"]
            assert key not in threads
            threads[key] = value
    assert len({tid for _, tid in threads}) == len(threads), "thread numbers are not unique"
    return processes, threads


def _flows(
    events: list[dict[str, Any]], tracks: dict[tuple[int, int], Track]
) -> list[tuple[Slice, Slice]]:
    """Pairs of a start and an end with the same category, name and id, in time, each within a slice."""
    starts: dict[tuple[str, str, Any], Slice] = {}
    flows: list[tuple[Slice, Slice]] = []
    for event in (e for e in events if e["ph"] in "sf"):
        key = event["cat"], event["name"], event["id"]
        time = _nanoseconds(event["ts"])
        enclosing = _enclosing(tracks[event["pid"], event["tid"]], time)
        if event["ph"] == "s":
            assert key not in starts, f"flow {key} starts twice"
            starts[key] = enclosing
        else:
            assert event.get("bp") == "e", "without bp: e the arrow ends at the next slice"
            source = starts.pop(key)
            assert source.start <= time
            flows.append((source, enclosing))
    assert not starts, "flows without an end"
    return flows


def _enclosing(track: Track, time: int) -> Slice:
    """The slice of a track that holds a time; of slices without length one that stands there."""
    found = [s for s in track.slices if s.start <= time < s.end]
    found = found or [s for s in track.slices if s.start == s.end == time]
    assert found, f"no slice of {track.process} {track.name} at {time}"
    return found[0]


def _counters(
    events: list[dict[str, Any]], processes: dict[int, str]
) -> dict[tuple[str, str], list[tuple[int, dict[str, float]]]]:
    """Values of each counter in time, at most one at a time, always of the same series."""
    counters: dict[tuple[str, str], list[tuple[int, dict[str, float]]]] = {}
    for event in (e for e in events if e["ph"] == "C"):
        for value in event["args"].values():
            assert type(value) in (int, float) and value >= 0, event
        values = counters.setdefault((processes[event["pid"]], event["name"]), [])
        time = _nanoseconds(event["ts"])
        assert not values or (time > values[-1][0] and event["args"].keys() == values[-1][1].keys())
        values.append((time, event["args"]))
    return counters
