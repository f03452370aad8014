"""Perfetto itself reads our traces, and finds in them what is there."""

import json

from smalti.backends.simulator.simulate import simulate
from smalti.backends.simulator.trace import trace

from tests.unit.backends.simulator.chrome_trace import read
from tests.unit.backends.simulator.perfetto_engine import query
from tests.unit.backends.simulator.test_profile import chain

COMPLAINTS = "SELECT name, value FROM stats WHERE value > 0 AND severity IN ('error', 'data_loss')"
SLICES = """
SELECT process.name AS process, thread.name AS thread, slice.name AS name, category, ts, dur
FROM slice JOIN thread_track ON track_id = thread_track.id JOIN thread USING (utid) JOIN process USING (upid)
"""
FLOWS = """
SELECT a.name AS source, b.name AS target
FROM flow JOIN slice a ON slice_out = a.id JOIN slice b ON slice_in = b.id
"""
COUNTERS = "SELECT DISTINCT track.name AS name FROM counter JOIN counter_track track ON track_id = track.id"


def test_perfetto_sees_what_was_written():
    timing = simulate(chain().program(), None, mode="timing", repeat=2).timing
    assert timing is not None
    text = json.dumps(trace(timing))
    complaints, slices, flows, counters = query(text.encode(), COMPLAINTS, SLICES, FLOWS, COUNTERS)
    assert complaints == []
    # Our own strict reader of the format sees the same.
    ours = read(text)
    expected = [
        (process, thread, each.name, each.category, each.start, each.end - each.start)
        for (process, thread), track in ours.tracks.items()
        for each in track.slices
    ]
    assert sorted(tuple(row.values()) for row in slices) == sorted(expected)
    arrows = [(source.name, target.name) for source, target in ours.flows]
    assert sorted(tuple(row.values()) for row in flows) == sorted(arrows)
    named = {row["name"] for row in counters}
    for _, counter in ours.counters:
        assert any(name.startswith(counter) for name in named), counter


def test_perfetto_complains_of_slices_that_overlap():
    """So that no complaint means something."""
    slices = [{"ph": "X", "name": f"at {ts}", "pid": 1, "tid": 2, "ts": ts, "dur": 5} for ts in (0, 3)]  # fmt: skip
    (complaints,) = query(json.dumps({"traceEvents": slices}).encode(), COMPLAINTS)
    assert [row["name"] for row in complaints] == ["slice_drop_overlapping_complete_event"]
