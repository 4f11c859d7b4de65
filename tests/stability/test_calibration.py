"""Smaller versions of two studies of docs/benchmarks.md: do the bounds hold, and are copied cells seen through?"""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in ("calibration", "copied_cells", "selections"):
        sys.modules.pop(name, None)


def test_the_bounds_hold_in_simulated_networks(benchmarks):
    import calibration

    holds = ("meinshausen_buhlmann:0.75", "meinshausen_buhlmann:0.9", "shah_samworth_unimodal:0.9", "shah_samworth:0.9")
    settings = [
        calibration.Setting(50, 50, False),
        calibration.Setting(100, 50, True),
        calibration.Setting(100, 200, True, is_heavy=True),
    ]
    rows = calibration.study(20, rules=(*holds, "ipss_cubic"), settings=settings)
    table = calibration.summary(rows)
    held = table[table["rule"].isin(holds)]
    assert len(held) == len(holds) * len(settings) * len(calibration.LEVELS)
    assert not held["breaks"].any(), held[held["breaks"]]
    # The study can tell: the cubic rule is known to let in twice its level and more.
    assert table[table["rule"] == "ipss_cubic"]["breaks"].all()
    # What holds by finding nothing would be no rule: each finds true regulators in every setting at level 5.
    assert (held[held["level"] == 5]["true"] > 0).all()


def test_cells_copied_within_donors_make_edges_of_nothing_and_donors_as_units_do_not(benchmarks):
    import copied_cells

    table = copied_cells.study(6)
    by_donors, by_cells = (table[table["units"] == unit] for unit in copied_cells.UNITS)
    assert (by_donors["false"] - 2.0 * by_donors["se"] <= by_donors["level"]).all()
    assert (by_cells["false"] - 2.0 * by_cells["se"] > by_cells["level"]).all()
