"""The undirected network in the workflow's steps: the same as in one call, for any chunks; what is refused."""

import dataclasses
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.config import CutConfig, PrecisionConfig, RegressionConfig
from netinfer.errors import ConfigError, RunError
from netinfer.models.precision import PrecisionPlan, configured_precision
from netinfer.models.precision.configured import size_note
from netinfer.models.precision.fits import Certificates
from netinfer.models.precision.tally import Tally


def expression(n=60, p=14, seed=0):
    """Samples of genes in pairs, each two tied."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    x[:, 1::2] += 1.2 * x[:, ::2]
    x[:, 2:] += 0.5 * x[:, :-2]  # one component: no closed forms
    obs = pd.DataFrame(index=[f"s{i}" for i in range(n)])
    var = pd.DataFrame({"is_regulator": np.arange(p) < 4}, index=[f"g{j:02d}" for j in range(p)])
    return anndata.AnnData(x, obs=obs, var=var)


def model(adata, *, cut=None, regression=None, **precision):
    regression = {"n_subsamples": 10, **(regression or {})}
    params = SimpleNamespace(precision=precision, regression=regression, cut=cut or {}, seed=3)
    return configured_precision(adata, params)


def joined(adata, tmp_path, n_chunks, **keys):
    one = model(adata, **keys)
    one.plan().write(tmp_path / "plan.json")
    plan = PrecisionPlan.read(tmp_path / "plan.json")
    parts = [tmp_path / f"{i}-of-{n_chunks}.npz" for i in range(1, n_chunks + 1)]
    for i, part in enumerate(parts, start=1):
        model(adata, **keys).count(plan, (i, n_chunks), part)
    return one.join(plan, parts, provenance={"dataset": "d"})


@pytest.mark.parametrize(
    ("settings", "call", "cut"),
    [
        ({"criterion": "ebic"}, {"criterion": "ebic"}, None),
        ({}, {}, None),
        ({"penalty": 0.3, "correlation": "spearman"}, {"penalty": 0.3, "correlation": "spearman"}, None),
        # As a loaded config has it: the other criteria stand there as null.
        ({"criterion": "error"}, {"fdr": 0.2}, CutConfig(fdr=0.2).model_dump()),
    ],
)
def test_it_is_the_network_of_one_call_for_any_chunks(tmp_path, settings, call, cut):
    adata = expression()
    expected = ni.infer_precision(adata, n_subsamples=10, seed=3, threads=1, **call)
    assert len(expected.edges) >= 7  # the pairs
    for n_chunks in (1, 3, 8):  # 8 chunks of 5 pairs: some are empty
        net = joined(adata, tmp_path, n_chunks, cut=cut, **settings)
        pd.testing.assert_frame_equal(net.candidates, expected.candidates)
        pd.testing.assert_frame_equal(net.nodes, expected.nodes)
        assert net.cut == expected.cut
        for key in ("penalty", "criterion", "path_ends", "threshold", "n_components", "genes", "n_pairs"):
            assert net.provenance[key] == expected.provenance[key], key
        assert net.provenance.get("path") == expected.provenance.get("path")
        assert net.provenance["dataset"] == "d"


def test_too_few_units_are_skipped_with_the_reason(tmp_path):
    adata = expression(n=19)
    net = joined(adata, tmp_path, 2)
    assert len(net.candidates) == 0
    assert not net.cut["met"]
    assert "19 independent units, at least 20 are needed" in net.cut["reason"]
    assert set(net.targets["status"]) == {"too_few_samples"}
    net.write(tmp_path / "net")
    assert ni.Network.read(tmp_path / "net").cut == net.cut
    assert size_note(adata, PrecisionConfig()).startswith("undirected network: skipped: ")


def test_what_the_preflight_says_names_the_genes_included():
    note = size_note(expression(), PrecisionConfig(max_genes=6))
    assert note == (
        "undirected network: conditional on the genes included: 6 of 14, 4 regulators and the most variable others"
    )


def test_every_half_sample_is_joined_once(tmp_path):
    adata = expression()
    one = model(adata, penalty=0.3)
    plan = one.plan()
    parts = [tmp_path / f"{i}.npz" for i in (1, 2, 3)]
    for i, part in enumerate(parts, start=1):
        one.count(plan, (i, 3), part)
    one.join(plan, parts)
    for wrong in (parts[:2], [*parts, parts[0]], [parts[0], parts[1], parts[0]]):
        with pytest.raises(RunError, match="each of 5 is needed once"):
            one.join(plan, wrong)
    other = dataclasses.replace(plan, penalties=[1.1 * x for x in plan.penalties])
    with pytest.raises(RunError, match="made by another plan"):
        one.join(other, parts)


def test_a_truncation_that_is_given_is_used(tmp_path):
    regression = {"rule": "ipss_quadratic", "truncation": 0.001}
    net = joined(expression(), tmp_path, 2, penalty=0.3, regression=regression)
    assert net.provenance["truncation"] == 0.001


def test_steps_of_other_data_or_settings_do_not_mix(tmp_path):
    adata = expression()
    plan = model(adata, criterion="ebic").plan()
    part = tmp_path / "1-of-1.npz"
    model(adata, criterion="ebic").count(plan, (1, 1), part)
    for other in (
        model(expression(seed=1), criterion="ebic"),
        model(adata, criterion="cv"),
        model(adata, criterion="ebic", regression={"n_subsamples": 12}),
    ):
        with pytest.raises(RunError, match="other data or settings"):
            other.join(plan, [part])
    content, refused = part.read_bytes(), []
    whole = Tally.load(part, plan.fingerprint, Certificates())
    for place in np.linspace(0, len(content) - 1, 60).astype(int):
        part.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            again = Tally.load(part, plan.fingerprint, Certificates())
        except RunError as error:
            refused.append("delete it and run again" in str(error))
        else:  # a date in the archive, say
            assert again.counts.tobytes() == whole.counts.tobytes()
    assert all(refused)
    assert len(refused) >= 20
    part.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match="delete it and run again"):
        model(adata, criterion="ebic").join(plan, [part])
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(RunError, match=r"plan\.json: missing or damaged"):
        PrecisionPlan.read(tmp_path / "plan.json")


def test_an_error_needs_a_cut_by_an_error():
    with pytest.raises(ConfigError, match="criterion error needs a cut by fdr or expected_false_edges"):
        model(expression(), cut={"selection_probability": 0.9}, criterion="error")


def test_defaults_of_the_config_are_those_of_the_call():
    import inspect

    call = inspect.signature(ni.infer_precision).parameters
    for name, field in PrecisionConfig.model_fields.items():
        assert field.default == call[name].default, name
    for name in ("n_subsamples", "rule", "threshold"):
        assert RegressionConfig.model_fields[name].default == call[name].default, name
