"""Smaller versions of two studies of docs/benchmarks.md: do the bounds hold, and are copied cells seen through?"""

import sys
from pathlib import Path

import numpy as np
import pytest

from netinfer.config import RegressionConfig
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays

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


def test_the_study_counts_what_the_regression_counts(benchmarks):
    """One network of the study through the regression itself, in two chunks: the same pairs with the same bounds."""
    import calibration

    # An odd number of samples, where one is in neither half, and modules: 83 pairs pass the gate.
    setting, seed = calibration.Setting(101, 200, True), 3
    network = calibration.draw(setting, np.random.default_rng([0, seed]))
    selection, target, regulator = calibration.selections_of(network, seed)
    problem = problem_from_arrays(
        network.X,
        network.Y,
        regulator_names=[f"r{j}" for j in range(setting.p)],
        target_names=[f"t{i}" for i in range(calibration.N_TARGETS)],
    )
    for text in ("meinshausen_buhlmann:0.9", "shah_samworth:0.75", "ipss_quadratic:0.01"):
        rule, _, value = text.partition(":")
        constant = "truncation" if "ipss" in rule else "threshold"
        settings = RegressionConfig(model="lasso", rule=rule, **{constant: float(value)})
        parts = [fit_chunk(problem, settings=settings, seed=seed, chunk=(k, 2)) for k in (1, 2)]
        table = gather(problem, parts, settings=settings, seed=seed).candidates.set_index(["source", "target"])
        bound = calibration.bound_of(text, selection)
        studied = {(f"r{j}", f"t{i}"): b for i, j, b in zip(target, regulator, bound, strict=True) if np.isfinite(b)}
        reported = table["expected_false_edges"]
        assert len(studied) > 5
        assert reported[np.isfinite(reported)].to_dict() == studied


def test_cells_copied_within_donors_make_edges_of_nothing_and_donors_as_units_find_the_true_ones_alone(benchmarks):
    import copied_cells

    table = copied_cells.study(6)
    by_donors, by_cells = (table[table["units"] == unit] for unit in copied_cells.UNITS)
    assert (by_donors["false"] - 2.0 * by_donors["se"] <= by_donors["level"]).all()
    assert (by_cells["false"] - 2.0 * by_cells["se"] > by_cells["level"]).all()
    # Not by finding nothing: at 5 expected false ones more than four of the five planted edges are found.
    assert (by_donors.loc[by_donors["level"] == 5, "true"] > 0.8 * copied_cells.N_PLANTED).all()
