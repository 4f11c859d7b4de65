"""The public names keep their names, arguments and meaning (DESIGN section 10)."""

import doctest
import importlib
import inspect
import subprocess
import sys

import numpy as np
import pytest

import netinfer as ni


@pytest.mark.parametrize(
    ("function", "positional", "keywords"),
    [
        (ni.read_expression, ["path"], ["orientation", "layer", "gene_column"]),
        (ni.normalize, ["adata"], []),
        (ni.prepare_samples, ["adata"], ["assay", "filter", "cells", "block", "seed"]),
        (
            ni.infer_regression,
            ["adata", "regulators"],
            ["model", "shrinkage", "n_subsamples", "expected_false_edges", "fdr", "covariates", "block", "response",
             "priors", "penalty_weights", "seed", "threads"],
        ),
        (
            ni.infer_precision,
            ["adata"],
            ["penalty", "criterion", "regulators", "max_genes", "correlation", "shrinkage", "covariates", "block",
             "strata", "hidden_factors", "n_subsamples", "expected_false_edges", "fdr", "rule", "threshold", "seed",
             "threads"],
        ),
        (
            ni.infer_joint_precision,
            ["conditions"],
            ["reference", "kind", "penalty", "criterion", "similarity", "regulators", "max_genes", "correlation",
             "shrinkage", "covariates", "block", "strata", "n_subsamples", "threshold", "stars_threshold", "seed",
             "threads"],
        ),
        (
            ni.select_genes,
            ["adata", "phenotype"],
            ["family", "covariates", "block", "n_subsamples", "fdr", "expected_false_genes", "max_genes", "seed",
             "threads"],
        ),
        (
            ni.fit_motif_positions,
            ["sequences", "activity"],
            ["family", "n_subsamples", "weights", "coding", "reference", "model", "refit", "penalty", "fdr",
             "expected_false_positions", "test", "pairs", "seed"],
        ),
        (ni.models.motif.MotifModel.write, ["self", "folder"], ["motifs"]),
        (ni.models.motif.MotifModel.read, ["folder"], []),
        (ni.models.motif.MotifModel.plot, ["self", "ax"], []),
        (ni.models.motif.match_footprints, ["model", "motifs"], []),
        (ni.plot.promoter_effects, ["model"], ["ax"]),
        (ni.plot.footprint_logo, ["model", "k"], ["ax"]),
        (
            ni.fit_motif_sites,
            ["scores", "response"],
            ["family", "n_subsamples", "expected_false_motifs", "threshold", "seed", "threads"],
        ),
        (ni.scan_motifs, ["promoters", "motifs"], ["bin_width", "background"]),
        (
            ni.place_sites,
            ["starts", "sites"],
            ["upstream", "downstream", "bin_width", "genes", "first_of_operon"],
        ),
        (ni.cut_promoters, ["genome", "starts"], ["upstream", "downstream", "genes", "first_of_operon"]),
        (ni.read_motifs, ["path"], []),
        (
            ni.read_library,
            ["path"],
            ["activity", "activities", "sequence", "several", "id", "weight", "split", "test", "classes"],
        ),
        (
            ni.choose_network_penalty,
            ["adata", "regulators"],
            ["threshold", "n_subsamples", "shrinkage", "penalties", "covariates", "block", "penalty_weights", "seed",
             "threads"],
        ),
        (
            ni.sensitivity,
            ["adata", "net"],
            ["normalizations", "leave_out", "regulators", "normalize", "n_subsamples", "threads"],
        ),
        (
            ni.stability.stars,
            ["count", "penalties"],
            ["n_units", "n_pairs", "n_subsamples", "threshold", "smallest", "is_bounded", "seed"],
        ),
        (ni.plot.stability_paths, ["paths", "target"], ["selected", "net", "ax"]),
        (ni.evaluate, [], []),
        (ni.solvers.lasso_path, ["gram", "cross", "penalties"], ["target_variance", "penalty_weights"]),
        (ni.solvers.lasso_path_wide, ["x", "y", "penalties"], ["shrinkage", "penalty_weights", "tol"]),
        (
            ni.solvers.logistic_path,
            ["x", "y", "penalties"],
            ["penalty_weights", "ridge", "groups", "group_weights", "l1_share", "sample_weight", "tol"],
        ),
        (
            ni.solvers.elastic_net_path,
            ["gram", "cross", "penalties"],
            ["shrinkage", "target_variance", "penalty_weights", "method"],
        ),
        (
            ni.solvers.adaptive_lasso_path,
            ["gram", "cross", "penalties"],
            ["target_variance", "power", "initial", "penalty_weights"],
        ),
        (
            ni.solvers.group_lasso_path,
            ["gram", "cross", "groups", "penalties"],
            ["l1_share", "group_weights", "penalty_weights", "shrinkage", "target_variance", "tol"],
        ),
        (
            ni.solvers.graphical_lasso,
            ["covariance", "penalty"],
            ["penalize_diagonal", "tol", "max_sweeps", "start", "threads"],
        ),
        (
            ni.solvers.graphical_lasso_path,
            ["covariance", "penalties"],
            ["n_penalties", "smallest", "penalty_weights", "penalize_diagonal", "tol", "max_sweeps", "threads"],
        ),
        (
            ni.solvers.joint_graphical_lasso,
            ["covariances", "penalty", "coupling"],
            ["kind", "weights", "names", "tol", "max_iterations", "start", "threads"],
        ),
        (ni.solvers.largest_penalty, ["covariance", "penalty_weights"], []),
        (ni.solvers.fista, ["loss", "penalty"], ["l1_share", "groups", "penalty_weights", "group_weights", "tol"]),
        (ni.solvers.LassoPath.at, ["self", "penalty"], []),
        (ni.solvers.LassoPath.certificate, ["self", "penalty"], []),
        (ni.solvers.LassoPath.plot, ["self", "ax"], ["names", "n_labels"]),
        (ni.plot.coefficient_path, ["path"], ["names", "n_labels", "ax"]),
        (ni.moments.from_matrix, ["regulators", "targets", "rows"], []),
        (
            ni.moments.correlation_matrix,
            ["data"],
            ["method", "covariates", "shrinkage", "rows", "names", "project", "threads"],
        ),
        (ni.moments.nearest_correlation, ["matrix"], ["floor", "max_steps"]),
        (ni.Network.threshold, ["self"], ["expected_false_edges", "fdr", "selection_probability", "penalty"]),
        (ni.Network.write_graphml, ["self", "path"], []),
        (ni.Network.to_anndata, ["self", "adata"], []),
        (ni.Network.to_networkx, ["self"], []),
    ],
)  # fmt: skip
def test_signature(function, positional, keywords):
    parameters = inspect.signature(function).parameters
    assert list(parameters)[: len(positional)] == positional
    for name in keywords:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert function.__doc__
    assert function.__doc__.strip()


def test_defaults_of_the_design():
    parameters = inspect.signature(ni.infer_regression).parameters
    assert parameters["model"].default == "elastic_net"
    assert parameters["shrinkage"].default == 0.5
    assert parameters["n_subsamples"].default == 100
    glasso = inspect.signature(ni.solvers.graphical_lasso).parameters
    assert glasso["penalize_diagonal"].default is False
    assert glasso["tol"].default == 1e-6
    assert inspect.signature(ni.normalize).parameters["method"].default == "auto"
    assert inspect.signature(ni.read_expression).parameters["orientation"].default == "auto"


def test_moments_add_and_subtract():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((10, 2)), rng.standard_normal((10, 3))
    first, rest = ni.moments.from_matrix(x, y, np.arange(4)), ni.moments.from_matrix(x, y, np.arange(4, 10))
    whole = first + rest
    assert whole.n == 10
    np.testing.assert_allclose((whole - first).gram, rest.gram, atol=1e-12)


@pytest.mark.parametrize(
    "module",
    [
        f"netinfer.solvers.{name}"
        for name in (
            "path", "elastic_net", "weighted", "logistic", "group", "proximal", "graphical_lasso", "graphical_path",
            "joint_graphical",
        )
    ],
)  # fmt: skip
def test_examples_in_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def test_importing_netinfer_stays_light():
    code = (
        "import sys, netinfer, netinfer.cli\n"
        "heavy = {'snakemake', 'matplotlib', 'sklearn', 'numba', 'anndata', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(netinfer.__all__) <= set(dir(netinfer))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        ni.no_such_name  # noqa: B018
