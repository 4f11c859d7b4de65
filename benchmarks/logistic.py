"""Logistic paths against glmnet, celer, skglm and scikit-learn at the same objective.

    python benchmarks/logistic.py [--rounds 5] [--sizes wide long] [--tiny]

A path of 50 penalties from the largest to 0.05 of it, standardized predictors that share ten factors, intercept not
penalised; every solver at the loosest of its tolerances whose worst relative objective excess along the path is at
most 1e-6. celer fits no intercept: it is held to its own optimum, and netinfer's column is with one. scikit-learn is
measured on the first penalties: the whole path would take minutes. netinfer is also timed
to a duality gap of 1e-6, which is stricter than the objective.
"""

from __future__ import annotations

import argparse

import numpy as np
from peers import Peer, RWorker, add_options, compare, environment, has_module, missing, r_version, table, timed
from threadpoolctl import threadpool_limits

from netinfer.solvers.logistic import logistic_path

SIZES = {"wide": (100, 20_000, 10), "long": (5_000, 500, 30)}
TINY = {"wide": (60, 500, 5), "long": (400, 50, 5)}
N_PENALTIES, SMALLEST, ALLOWED = 50, 0.05, 1e-6
N_SLOW = 5


def simulate(n: int, p: int, n_true: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Predictors that share ten factors with 30 % of their variance, and classes with log odds of deviation 2."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((n, 10))
    x = np.sqrt(0.3) * factors[:, rng.integers(0, 10, p)] + np.sqrt(0.7) * rng.standard_normal((n, p))
    log_odds = x[:, :n_true] @ rng.standard_normal(n_true)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * log_odds / log_odds.std()))).astype(np.int64)
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def objectives(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Objective of each row (intercept, coefficients) at its penalty."""
    margin = (2 * y - 1) * (fits[:, :1] + fits[:, 1:] @ x.T)
    return np.logaddexp(0.0, -margin).mean(axis=1) + penalties * np.abs(fits[:, 1:]).sum(axis=1)


def stacked(intercept: np.ndarray, coef: np.ndarray) -> np.ndarray:
    return np.column_stack([intercept, coef])


def skglm_path(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, tol: float) -> np.ndarray:
    from skglm import SparseLogisticRegression

    model = SparseLogisticRegression(tol=tol, max_iter=50, warm_start=True)
    rows = []
    for penalty in penalties:
        model.alpha = penalty
        model.fit(x, y)
        rows.append(np.append(model.intercept_, model.coef_.ravel()))
    return np.array(rows)


def sklearn_path(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, tol: float, solver: str) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    # liblinear penalises the intercept, 100 times less with this scale.
    extra = {"intercept_scaling": 100.0, "max_iter": 1000} if solver == "liblinear" else {"max_iter": 100}
    model = LogisticRegression(l1_ratio=1.0, solver=solver, tol=tol, warm_start=True, random_state=0, **extra)
    rows = []
    for penalty in penalties:
        model.C = 1.0 / (len(y) * penalty)
        model.fit(x, y)
        rows.append(np.append(model.intercept_, model.coef_.ravel()))
    return np.array(rows)


def celer_fit(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, tol: float) -> np.ndarray:
    from celer import celer_path

    found = celer_path(x, 2.0 * y - 1.0, pb="logreg", alphas=penalties * len(y), tol=tol, use_PN=True)[1]
    return stacked(np.zeros(len(penalties)), found.T)


def peers_of(x: np.ndarray, y: np.ndarray, penalties: np.ndarray) -> list[Peer]:
    columns = np.asfortranarray(x)  # what the compiled peers work on, made before the clock starts

    def netinfer(tol: float) -> np.ndarray:
        path = logistic_path(x, y, penalties, tol=tol)
        return stacked(path.intercept, path.coef)

    peers = [Peer("netinfer", timed(netinfer), (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 1e-6))]
    if r_version("glmnet"):
        worker = RWorker({"x": x, "y": y, "lam": penalties})
        call = 'fit <- glmnet(x, y, family = "binomial", lambda = lam, standardize = FALSE, thresh = {tol}%s)'
        result = "rbind(fit$a0, as.matrix(fit$beta))"
        steps = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
        newton = ', type.logistic = "modified.Newton"'
        peers.append(Peer("glmnet", worker.solver(call % "", result, reorder=np.transpose), steps))
        peers.append(Peer("glmnet, modified Newton", worker.solver(call % newton, result, reorder=np.transpose), steps))
    else:
        peers.append(missing("glmnet"))
    if has_module("skglm"):
        solve = timed(lambda tol: skglm_path(columns, y, penalties, tol))
        peers.append(Peer("skglm", solve, (1e-3, 1e-4, 1e-5, 1e-6)))
    else:
        peers.append(missing("skglm"))
    return peers


def against_celer(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, rounds: int) -> None:
    """The problem without intercept, which is celer's, beside netinfer's with one."""
    columns = np.asfortranarray(x)
    best = objectives(x, y, penalties, celer_fit(columns, y, penalties, 1e-10))

    def netinfer(tol: float) -> np.ndarray:
        logistic_path(x, y, penalties, tol=tol)
        return celer_best

    celer_best = celer_fit(columns, y, penalties, 1e-10)
    peers = [
        Peer("netinfer, with intercept", timed(netinfer), (1e-6,)),
        Peer("celer", timed(lambda tol: celer_fit(columns, y, penalties, tol)), (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)),
    ]
    measured = compare(
        peers,
        excess=lambda fits: float(((objectives(x, y, penalties, fits) - best) / best).max()),
        allowed=ALLOWED,
        rounds=rounds,
    )
    print(table(measured, unit=1e-3, label="ms a path"))


def at_equal_gap(x: np.ndarray, y: np.ndarray, penalties: np.ndarray) -> None:
    """Time and worst gap of netinfer at a tolerance of 1e-6 in the relative duality gap, which it certifies itself."""
    solve = timed(lambda tol: logistic_path(x, y, penalties, tol=tol).duality_gap)
    gap, _ = solve(1e-6)
    times = [solve(1e-6)[1] for _ in range(5)]
    print(f"netinfer to a gap of 1e-6: {1e3 * np.median(times):.0f} ms, worst gap {gap.max():.1e}\n")


def slow_ones(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, best: np.ndarray) -> None:
    """scikit-learn over the first penalties, once each: the whole path would take minutes."""
    if not has_module("sklearn"):
        print("scikit-learn: not installed")
        return
    some = penalties[:N_SLOW]
    own = np.median([timed(lambda tol: logistic_path(x, y, some, tol=tol).coef)(1e-6)[1] for _ in range(5)])
    print(f"\nfirst {N_SLOW} penalties only, once: netinfer {own:.3f} s")
    for solver, tol, note in (("saga", 1e-5, "warm starts"), ("liblinear", 1e-5, "intercept hardly penalised")):
        fits, seconds = timed(lambda tol, solver=solver: sklearn_path(x, y, some, tol, solver))(tol)
        excess = float(((objectives(x, y, some, fits) - best[:N_SLOW]) / best[:N_SLOW]).max())
        print(f"scikit-learn, {solver} ({note}): {seconds:.2f} s, {seconds / own:.0f} x, excess {excess:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--sizes", nargs="+", choices=sorted(SIZES), default=sorted(SIZES, reverse=True))
    parser.add_argument("--tiny", action="store_true", help="small data, to see that everything runs")
    options = parser.parse_args()
    print(environment())
    for name in options.sizes:
        n, p, n_true = (TINY if options.tiny else SIZES)[name]
        x, y = simulate(n, p, n_true)
        largest = np.abs(x.T @ (y - y.mean())).max() / n
        penalties = np.geomspace(largest, SMALLEST * largest, N_PENALTIES)
        exact = logistic_path(x, y, penalties, tol=1e-11)
        best = objectives(x, y, penalties, stacked(exact.intercept, exact.coef))
        print(f"\n{n:,} samples, {p:,} predictors; gap {exact.duality_gap.max():.0e}, {exact.converged.all()}")
        print(f"{(exact.coef[-1] != 0).sum()} predictors at the last penalty, deviance explained "
              f"{1 - exact.deviance[-1] / exact.null_deviance:.2f}\n")  # fmt: skip
        with threadpool_limits(1):
            measured = compare(
                peers_of(x, y, penalties),
                excess=lambda fits, x=x, y=y, pen=penalties, best=best: float(
                    ((objectives(x, y, pen, fits) - best) / best).max()
                ),
                allowed=ALLOWED,
                rounds=options.rounds,
            )
            print(table(measured, unit=1e-3, label="ms a path"))
            at_equal_gap(x, y, penalties)
            if has_module("celer"):
                against_celer(x, y, penalties, options.rounds)
            else:
                print("celer: not installed")
            slow_ones(x, y, penalties, best)


if __name__ == "__main__":
    main()
