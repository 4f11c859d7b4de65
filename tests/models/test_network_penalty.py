"""StARS for the whole regression: against scikit-learn's fits of the same subsamples, and what it refuses."""

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConfigError, InputError
from netinfer.stability.stars import subsample

GRID = np.geomspace(0.9, 0.1, 8)


def simulated(n=60, p=6, g=12, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    y = 0.7 * rng.standard_normal((n, g - p))
    y[:, 0] += x[:, 0] - x[:, 1]
    y[:, 1] += 0.8 * x[:, 2]
    names = [f"r{j}" for j in range(p)] + [f"t{j}" for j in range(g - p)]
    return pd.DataFrame(np.hstack([x, y]), columns=names), names[:p]


def test_genes_that_do_not_vary_are_no_pairs_to_agree_on():
    frame, regulators = simulated()
    silent = frame.assign(**{f"silent{i}": 0.0 for i in range(40)})
    one, other = (ni.choose_network_penalty(f, regulators, penalties=GRID, n_subsamples=6) for f in (frame, silent))
    assert one.penalty == other.penalty
    pd.testing.assert_frame_equal(one.table, other.table)


def test_agrees_with_fits_of_another_library():
    """D of every penalty from coordinate descent on the raw rows, and the network at the penalty chosen."""
    from sklearn.linear_model import Lasso

    frame, regulators = simulated()
    values, seed = frame.to_numpy(), 4

    def standard(rows):
        part = values[rows]
        return (part - part.mean(axis=0)) / part.std(axis=0)

    def coefficients(rows, penalty):
        part, out = standard(rows), np.zeros((12, 6))
        for t in range(12):
            others = [j for j in range(6) if j != t]
            out[t, others] = Lasso(alpha=penalty, fit_intercept=False, tol=1e-10).fit(part[:, others], part[:, t]).coef_
        return out

    draws = [subsample(60, k, size=48, seed=seed) for k in range(6)]
    theta = np.mean([[coefficients(rows, x) != 0 for x in GRID] for rows in draws], axis=0)
    n_pairs = 12 * 6 - 6
    d = np.maximum.accumulate((2 * theta * (1 - theta)).sum(axis=(1, 2)) / n_pairs)
    place = int(np.flatnonzero(d <= 0.05).max())
    assert 0 < place < len(GRID) - 1  # the data say something
    found = ni.choose_network_penalty(frame, regulators, penalties=GRID, n_subsamples=6, seed=seed, threads=1)
    assert found.penalty == GRID[place]
    assert (found.n_units, found.subsample_size, found.is_bracketed) == (60, 48, True)
    seen = found.table["instability"].notna().to_numpy()
    np.testing.assert_allclose(found.table["instability"][seen], d[seen], rtol=1e-12)
    coef = coefficients(np.arange(60), GRID[place])
    target, regulator = np.nonzero(coef)
    pairs = list(zip(target, regulator, strict=True))
    truth = {(f"r{j}", frame.columns[t]): (coef[t, j], theta[place][t, j]) for t, j in pairs}
    assert set(zip(found.edges["source"], found.edges["target"], strict=True)) == set(truth)
    for row in found.edges.itertuples():
        value, share = truth[row.source, row.target]
        assert row.weight * row.sign == pytest.approx(value, abs=1e-7)  # both fits are converged to less
        assert row.selection_probability == pytest.approx(share)
    assert found.edges["weight"].is_monotonic_decreasing


def test_finds_the_strong_edges_and_does_not_depend_on_threads():
    frame, regulators = simulated(n=200, g=30, seed=1)
    one = ni.choose_network_penalty(frame, regulators, threads=1)
    three = ni.choose_network_penalty(frame, regulators, threads=3)
    pd.testing.assert_frame_equal(one.edges, three.edges, check_exact=True)
    pd.testing.assert_frame_equal(one.table, three.table, check_exact=True)
    pairs = set(zip(one.edges["source"], one.edges["target"], strict=True))
    assert {("r0", "t0"), ("r1", "t0"), ("r2", "t1")} <= pairs
    assert one.subsample_size == 141  # 10 sqrt(200)
    assert one.table["n_fitted"].min() == 2  # the bounds spared fits


def test_a_smaller_threshold_gives_a_sparser_network():
    frame, regulators = simulated(n=100, g=40, seed=2)
    few, many = (ni.choose_network_penalty(frame, regulators, threshold=t, threads=1) for t in (0.02, 0.1))
    assert few.penalty > many.penalty
    assert len(few.edges) < len(many.edges)


def test_blocks_are_drawn_whole():
    frame, regulators = simulated(n=40, seed=3)
    copies = anndata.AnnData(pd.concat([frame] * 3).set_axis([f"s{i}" for i in range(120)]))
    copies.obs["donor"] = [f"d{i % 40}" for i in range(120)]
    whole = ni.choose_network_penalty(copies, regulators, block="donor", threads=1)
    single = ni.choose_network_penalty(frame, regulators, threads=1)
    # Copies of a donor say nothing new: the same units are drawn, and the same moments follow.
    assert (whole.n_units, whole.penalty) == (40, single.penalty)
    np.testing.assert_allclose(whole.table["instability"], single.table["instability"], rtol=1e-12)


def test_unpenalised_and_forbidden_pairs_are_no_candidates_of_the_choice():
    frame, regulators = simulated(seed=5)
    found = ni.choose_network_penalty(
        frame, regulators, penalties=GRID, penalty_weights={"r0": 0.0, "r1": np.inf}, threads=1
    )
    assert not (found.edges["source"] == "r1").any()
    always = found.edges[found.edges["source"] == "r0"]
    assert len(always) == 11  # all targets but itself
    assert always["selection_probability"].isna().all()
    assert found.table["n_selected"].iloc[0] == 0  # at 0.9 nothing but the unpenalised is selected


def test_an_end_that_is_not_reached_is_warned_of():
    frame, regulators = simulated()
    with pytest.warns(UserWarning, match=r"still agree at penalty 0\.8"):
        found = ni.choose_network_penalty(frame, regulators, penalties=[0.9, 0.8], threads=1)
    assert not found.is_bracketed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ni.choose_network_penalty(frame, regulators, threads=1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"shrinkage": 1.0}, InputError, "shrinkage: 1.0"),
        ({"seed": 1.5}, InputError, "seed: 1.5"),
        ({"seed": True}, InputError, "seed: True"),
        ({"threads": 0}, ConfigError, "threads: 0"),
        ({"threshold": 0.7}, InputError, "threshold: 0.7"),
        ({"n_subsamples": 1}, InputError, "n_subsamples: 1"),
        ({"penalties": [0.1, 0.2]}, InputError, "penalties"),
        ({"regulators": ["nobody"]}, InputError, "nobody"),
    ],
)
def test_bad_input_is_named(changes, error, message):
    frame, regulators = simulated()
    with pytest.raises(error, match=message):
        ni.choose_network_penalty(frame, **{"regulators": regulators, "threads": 1, **changes})


def test_its_plot_marks_the_choice():
    frame, regulators = simulated()
    found = ni.choose_network_penalty(frame, regulators, threads=1)
    ax = found.plot()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert found.penalty in {line.get_xdata()[0] for line in ax.lines}
