"""The Lasso and the elastic net agree with scikit-learn, skglm, celer and R's glmnet to 1e-8 in objective."""

import warnings

import numpy as np
import pytest

import netinfer as ni

# Relative to half the response's variance: what the readers can rely on, far above what either side reaches.
AGREEMENT = 1e-8


def standardised(matrix):
    return (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)


def _noise(rng, n, p):
    return 0.5 * rng.standard_normal((n, p))


def duplicate_columns(rng):
    columns = rng.standard_normal((60, 15))
    return np.hstack([columns, columns[:, :5], -columns[:, 5:8]])


def near_singular(rng):
    columns = rng.standard_normal((50, 15))
    return np.hstack(
        [columns, columns[:, :8] + 1e-2 * rng.standard_normal((50, 8))]
    )  # eigenvalues to 5e-5: descent ends


FAMILIES = {
    "random": lambda rng: rng.standard_normal((100, 30)),
    "correlated": lambda rng: rng.standard_normal((80, 3)) @ rng.standard_normal((3, 40)) + _noise(rng, 80, 40),
    "p > n": lambda rng: rng.standard_normal((30, 80)),
    "duplicate columns": duplicate_columns,
    "near-singular": near_singular,
    "integers": lambda rng: rng.poisson(rng.uniform(0.5, 20.0, 25), (70, 25)).astype(float),
}


def problem(family):
    """Return centred regulators (integers unscaled), a target of variance 1, penalties to 0.05 of the largest."""
    rng = np.random.default_rng(list(FAMILIES).index(family))
    X = FAMILIES[family](rng)
    X = X - X.mean(axis=0) if family == "integers" else standardised(X)
    y = standardised(X[:, :4] @ (rng.standard_normal(4) / X[:, :4].std(axis=0)) + rng.standard_normal(len(X)))
    return X, y, np.abs(X.T @ y / len(X)).max() * np.geomspace(0.9, 0.05, 6)


def objective(X, y, coef, penalties, shrinkage):
    """Return the objective of each row of coefficients, from the samples."""
    data = 0.5 * (1 - shrinkage) * ((y / (1 - shrinkage) - coef @ X.T) ** 2).mean(axis=1)
    return data + 0.5 * shrinkage * (coef**2).sum(axis=1) + penalties * np.abs(coef).sum(axis=1)


def as_mixed(penalties, shrinkage):
    """Return scikit-learn's (alpha, l1_ratio) pairs for the response y / (1 - s): docs/l1.md, Conventions."""
    return [((lam + shrinkage) / (1 - shrinkage), lam / (lam + shrinkage)) for lam in penalties]


def by_scikit_learn(X, y, penalties, shrinkage):
    from sklearn.linear_model import enet_path

    pairs = as_mixed(penalties, shrinkage)
    target = y / (1 - shrinkage)
    return np.array(
        [
            enet_path(X, target, alphas=[alpha], l1_ratio=ratio, tol=1e-12, max_iter=10**6)[1][:, 0]
            for alpha, ratio in pairs
        ]
    )


def by_skglm(X, y, penalties, shrinkage):
    skglm = pytest.importorskip("skglm")
    target = y / (1 - shrinkage)
    fits = [
        skglm.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=1e-10, max_iter=1000, max_epochs=10**5)
        if shrinkage > 0
        else skglm.Lasso(alpha=alpha, fit_intercept=False, tol=1e-10, max_iter=1000, max_epochs=10**5)
        for alpha, ratio in as_mixed(penalties, shrinkage)
    ]
    return np.array([fit.fit(X, target).coef_ for fit in fits])


def by_celer(X, y, penalties, shrinkage):
    celer = pytest.importorskip("celer")
    target = y / (1 - shrinkage)
    fits = [
        celer.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=False, tol=1e-12, max_iter=1000, max_epochs=10**5)
        for alpha, ratio in as_mixed(penalties, shrinkage)
    ]
    return np.array([fit.fit(X, target).coef_ for fit in fits])


def compare(X, y, penalties, shrinkage, peer):
    n = len(X)
    gram, cross = X.T @ X / n, X.T @ y / n
    path = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=shrinkage)
    assert path.converged.all()
    ours = objective(X, y, path.coef, penalties, shrinkage)
    theirs = objective(X, y, peer, penalties, shrinkage)
    half = 0.5 / (1 - shrinkage)
    assert (np.abs(ours - theirs) <= AGREEMENT * half).all()
    # Both are upper bounds on the minimum, and ours is certified to 1e-9: theirs cannot be lower by more.
    assert (ours <= theirs + 1e-9 * half).all()


@pytest.mark.parametrize("shrinkage", [0.0, 0.3])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("peer", [by_scikit_learn, by_skglm, by_celer])
def test_agrees_with_a_python_library(peer, family, shrinkage):
    X, y, penalties = problem(family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peers' own; their objectives are what is tested
        found = peer(X, y, penalties, shrinkage)
    compare(X, y, penalties, shrinkage, found)


@pytest.mark.glmnet
@pytest.mark.parametrize("shrinkage", [0.0, 0.3])
@pytest.mark.parametrize("family", FAMILIES)
def test_agrees_with_glmnet(glmnet, family, shrinkage):
    X, y, penalties = problem(family)
    # glmnet scales the response to variance 1 and its ridge term with it, so it gets y itself (variance 1), and
    # coefficients, penalty and ridge in its units: b (1 - s), lambda and s / (1 - s).
    pairs = [(lam / (lam + shrinkage / (1 - shrinkage)), lam + shrinkage / (1 - shrinkage)) for lam in penalties]
    compare(X, y, penalties, shrinkage, glmnet(X, y, pairs) / (1 - shrinkage))


@pytest.mark.parametrize("shrinkage", [0.0, 0.5])
def test_the_textbook_form_in_sums_of_squares(shrinkage):
    from scipy.optimize import minimize

    X, y, _ = problem("random")
    X, n = X[:, :6], len(X)
    # RSS + L1 |b| + L2 |b|^2 in docs/l1.md: lambda = L1 (1 - s) / (2 n) and s / (1 - s) = L2 / n, response y / (1 - s).
    penalty = 0.1
    first, second = 2 * n * penalty / (1 - shrinkage), n * shrinkage / (1 - shrinkage)
    target = y / (1 - shrinkage)

    def textbook(split):
        b = split[:6] - split[6:]
        rest = target - X @ b
        gradient = -2 * X.T @ rest + 2 * second * b
        return rest @ rest + first * split.sum() + second * b @ b, np.append(first + gradient, first - gradient)

    found = minimize(textbook, np.zeros(12), jac=True, bounds=[(0, None)] * 12, method="L-BFGS-B",
                     options={"ftol": 1e-15, "gtol": 1e-10})  # fmt: skip
    path = ni.solvers.elastic_net_path(X.T @ X / n, X.T @ y / n, [penalty], shrinkage=shrinkage)
    assert (path.coef[0] != 0).any()
    # L-BFGS-B on the split variables ends near 1e-7.
    np.testing.assert_allclose(path.coef[0], found.x[:6] - found.x[6:], atol=1e-5)
