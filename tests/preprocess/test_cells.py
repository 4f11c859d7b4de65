"""Cells to samples: types and donors found, metacells and sums drawn and added up, units said, refusals that help."""

from __future__ import annotations

import logging

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from netinfer.config import CellsConfig
from netinfer.errors import InputError
from netinfer.preprocess import cells as cell_rules
from netinfer.preprocess import normalize, prepare_samples
from netinfer.preprocess.metacells import MAX_GROUP, MIN_GROUP, combine_values, group_cells, n_pieces

RNG = np.random.default_rng(0)
# First cells of the three metacells of 60 cells of type T, seed 0.
FIXED = [[2, 4, 5, 6, 7], [1, 8, 10, 14, 16], [0, 3, 12, 13, 22]]


ENOUGH = cell_rules.MIN_METACELLS


@pytest.fixture(autouse=True)
def a_few_metacells_are_enough(monkeypatch):
    """Let small data become metacells, so that these tests stay small; the rule itself has a test."""
    monkeypatch.setattr(cell_rules, "MIN_METACELLS", 10)


def cells(n=900, types=("T", "B"), donors=1, n_genes=12, form=sparse.csr_matrix, log=False, **columns):
    rng = np.random.default_rng(1)
    values = rng.poisson(rng.gamma(2.0, 1.0, size=(n, 1)) * rng.gamma(1.0, 1.0, size=n_genes), (n, n_genes)) + 0.0
    values[:, 0] += 1
    obs = {"n_genes_by_counts": (values > 0).sum(axis=1)}
    if types:
        obs["cell_type"] = pd.Categorical(rng.choice(list(types), n))
    if donors:
        obs["donor"] = [f"d{i:02d}" for i in rng.integers(0, donors, n)]
    obs = pd.DataFrame({**obs, **columns}, index=[f"c{i:05d}" for i in range(n)])
    var = pd.DataFrame({"is_regulator": np.arange(n_genes) < 3}, index=[f"g{i}" for i in range(n_genes)])
    return ad.AnnData(form(np.log1p(values) if log else values), obs=obs, var=var)


def run(adata, block=None, seed=0, **config):
    return prepare_samples(adata, assay="cells", cells=CellsConfig(**config), block=block, seed=seed)


def design(result):
    return result.uns["netinfer"]["design"]


def log_of(result):
    return "\n".join(result.uns["netinfer"]["log"])


def dense(result):
    return result.X.toarray() if sparse.issparse(result.X) else result.X


def test_one_donor_becomes_metacells(tmp_path):
    adata = cells()
    result = run(adata)
    assert design(result)["aggregation"] == "metacells"
    assert design(result)["block"] == "sample"
    assert design(result)["n_cells"] == 900
    assert design(result)["n_donors"] == 1
    assert design(result)["population_note"] == "one donor: no claim about the population"
    assert list(design(result)["covariates"]) == ["cell_type", "log_depth"]
    assert "one donor: no claim about the population" in log_of(result)
    assert result.n_obs == 30  # about 450 cells of each type, 30 each
    assert result.obs["n_cells"].sum() == 900
    assert dense(result).sum() == adata.X.sum()  # no cell and no count is lost
    assert np.array_equal(result.obs["library_size"], dense(result).sum(axis=1))
    np.testing.assert_allclose(result.obs["log_depth"], np.log(result.obs["library_size"]), rtol=1e-15)
    assert result.obs_names[0] == "B.d00.m001"
    result.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad")
    assert list(back.uns["netinfer"]["design"]["covariates"]) == ["cell_type", "log_depth"]
    assert back.obs["cell_type"].tolist() == result.obs["cell_type"].tolist()


@pytest.mark.parametrize("donors", [2, 11])
def test_few_donors_become_metacells_of_each(donors):
    result = run(cells(3000, donors=donors))
    assert design(result)["aggregation"] == "metacells"
    assert design(result)["block"] == "sample"
    assert design(result)["n_donors"] == donors
    assert f"{donors} donors, fewer than 12: no claim about the population" in log_of(result)
    for name, row in result.obs.iterrows():
        assert str(name).startswith(f"{row['cell_type']}.{row['donor']}.m")


def test_twelve_donors_are_the_units():
    adata = cells(1500, donors=12)
    result = run(adata)
    assert design(result)["aggregation"] == "none"
    assert design(result)["block"] == "donor"
    assert design(result)["population_note"] == ""
    assert result.n_obs == 1500
    assert "the independent units are those of 'donor'" in log_of(result)


def test_cells_that_stay():
    result = run(cells(), aggregate="none")
    assert result.n_obs == 900
    assert design(result)["block"] == "sample"
    assert "each cell counts as an independent unit" in log_of(result)
    assert design(result)["population_note"] == "one donor: no claim about the population"
    assert design(run(cells(donors=8), aggregate="none"))["block"] == "donor"
    many = run(cells(3000, donors=12), aggregate="metacells")
    assert design(many)["block"] == "donor"
    assert design(many)["population_note"] == ""


def test_pseudobulk_sums_over_type_and_donor():
    adata = cells(1500, donors=8)
    result = run(adata, aggregate="pseudobulk")
    assert result.n_obs == 16
    assert result.obs_names[0] == "B.d00"
    assert design(result)["block"] == "donor"
    assert design(result)["population_note"] == ""
    first = (adata.obs["cell_type"] == "B") & (adata.obs["donor"] == "d00")
    assert np.array_equal(dense(result)[0], np.asarray(adata[first.to_numpy(), result.var_names].X.sum(axis=0)).ravel())
    with pytest.raises(InputError, match=r"pseudobulk: 7 donors, at least 8 .*Still possible: `aggregate: metacells`"):
        run(cells(1500, donors=7), aggregate="pseudobulk")


def test_donors_that_lose_all_their_groups_are_no_units():
    adata = cells(1000, donors=8)
    adata = adata[~((adata.obs["donor"] == "d03") & (np.arange(1000) > 200))].copy()
    with pytest.raises(InputError, match=r"block: column 'donor' has 7 units .*Still possible: .*`block: sample`"):
        run(adata, aggregate="pseudobulk")


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"CellType": list("TB") * 450}, "CellType"),
        ({"cell.type": list("TB") * 450}, "cell.type"),
        ({"bulk_labels": list("TB") * 450, "louvain": list("0123") * 225}, "bulk_labels"),
        ({"louvain": list("0123") * 225}, "louvain"),
    ],
)
def test_type_column_is_found_by_its_name(columns, found):
    result = run(cells(types=None, **columns))
    assert repr(found) in log_of(result)
    assert result.obs["cell_type"].nunique() == len(set(columns[found]))
    assert ("made from the same values" in log_of(result)) == (found == "louvain")


@pytest.mark.parametrize("name", ["donor_id", "Donor", "patient", "individual", "subject"])
def test_donor_column_is_found_by_its_name(name):
    result = run(cells(900, donors=None, **{name: ["x", "y", "z"] * 300}))
    assert design(result)["n_donors"] == 3
    assert set(result.obs["donor"]) == {"x", "y", "z"}


def test_columns_that_name_every_cell_are_no_types_or_donors():
    result = run(cells(types=None, donors=None, cell_type=range(900), donor=[f"x{i}" for i in range(900)]))
    assert design(result)["n_donors"] == 0
    assert "no column with cell types was found" in log_of(result)
    assert list(design(result)["covariates"]) == ["log_depth"]


def test_neither_types_nor_donors():
    result = run(cells(types=None, donors=None))
    assert result.obs_names[0] == "all.m001"
    assert "so all cells are taken as of one type" in log_of(result)
    assert design(result)["population_note"].startswith("one donor: no claim about the population (no column")
    assert "cell_type" not in result.obs
    assert "donor" not in result.obs


@pytest.mark.parametrize(("key", "value"), [("type_column", "celltype"), ("donor_column", "Donor")])
def test_a_column_that_is_not_there_names_the_nearest(key, value):
    near = {"type_column": "cell_type", "donor_column": "donor"}[key]
    with pytest.raises(
        InputError, match=rf"cells.{key}: no column '{value}' of samples \(nearest '{near}'\); there are"
    ):
        run(cells(), **{key: value})


def test_a_column_that_is_named_is_taken():
    result = run(cells(cluster=["x", "y", "z"] * 300), type_column="cluster")
    assert set(result.obs["cell_type"]) == {"x", "y", "z"}
    assert "column 'cluster', as asked" in log_of(result)


def test_types_with_too_few_cells_are_left_out_and_listed():
    adata = cells()
    labels = adata.obs["cell_type"].astype(object).to_numpy()
    labels[:19], labels[19], labels[20:40] = "rare", "single", "enough"
    adata.obs["cell_type"] = labels
    result = run(adata, aggregate="none")
    assert "2 cell types with fewer than 20 cells are left out: 'rare' (19), 'single' (1)" in log_of(result)
    dropped = result.uns["netinfer"]["dropped_samples"]
    assert dropped["sample"].tolist() == [f"c{i:05d}" for i in range(20)]
    assert dropped["reason"][19] == "cell type 'single' has 1 cells, fewer than 20"
    assert set(result.obs["cell_type"]) == {"T", "B", "enough"}
    # as a metacell, a type of one sample has nothing left once the type is projected out
    combined = run(adata)
    assert set(combined.obs["cell_type"]) == {"T", "B"}
    assert "1 cell types of which one sample alone comes out are left out" in log_of(combined)
    assert len(combined.uns["netinfer"]["dropped_samples"]) == 40


def test_types_of_one_cell_each_are_an_error():
    labels = [f"t{i // 2}" for i in range(900)]
    with pytest.raises(
        InputError, match="no cell type of column 'label' has 20 cells; the largest of 450 has 2: lower"
    ):
        run(cells(label=labels), type_column="label")


def test_cells_without_type_or_donor_are_left_out():
    adata = cells(donors=3)
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.add_categories("x")
    adata.obs.loc[adata.obs_names[:5], "cell_type"] = None
    adata.obs.loc[adata.obs_names[5:7], "donor"] = None
    result = run(adata, aggregate="none")
    assert result.n_obs == 893
    assert "5 cells without a type are left out" in log_of(result)
    assert "2 cells without a donor are left out" in log_of(result)
    reasons = result.uns["netinfer"]["dropped_samples"]["reason"].tolist()
    assert reasons == ["no type"] * 5 + ["no donor"] * 2


def test_small_groups_of_type_and_donor_are_left_out_and_listed():
    adata = cells(1000, donors=3)
    few = np.flatnonzero((adata.obs["cell_type"] == "T") & (adata.obs["donor"] == "d01"))
    adata = adata[np.setdiff1d(np.arange(1000), few[12:])].copy()
    result = run(adata)
    assert "1 groups of one type and donor with fewer than 20 cells are left out, 12 cells: 'T.d01 (12)'" in log_of(
        result
    )
    assert result.obs["n_cells"].sum() == adata.n_obs - 12
    assert len(result.uns["netinfer"]["dropped_samples"]) == 12


def test_too_few_metacells_say_what_is_possible():
    adata = cells(200, types=None)
    with pytest.raises(
        InputError, match=r"7 metacells come out of 200 .*possible: more cells; `cells.metacell_size: 20`"
    ):
        run(adata, aggregate="metacells")
    assert run(adata, aggregate="metacells", metacell_size=20).n_obs == 10
    with pytest.raises(InputError, match=r"5 metacells .*possible: more cells; `cells.aggregate: none`"):
        run(cells(150, types=None), aggregate="metacells")


@pytest.mark.parametrize(
    ("n", "size", "aggregation"), [(2900, 30, "none"), (3100, 30, "metacells"), (2900, 20, "metacells")]
)
def test_auto_keeps_cells_where_metacells_would_be_too_few(monkeypatch, n, size, aggregation):
    assert ENOUGH == 100
    monkeypatch.setattr(cell_rules, "MIN_METACELLS", ENOUGH)
    result = run(cells(n, types="T"), metacell_size=size)
    assert design(result)["aggregation"] == aggregation
    assert design(result)["block"] == "sample"
    assert "one donor: no claim about the population" in log_of(result)
    assert ("fewer than 100, too few to learn from: the cells are kept as they are" in log_of(result)) == (
        aggregation == "none"
    )
    assert (result.n_obs == n) == (aggregation == "none")


def test_too_few_cells_for_either():
    with pytest.raises(InputError, match="3 metacells come out of 90 cells, at least 8 are needed"):
        run(cells(90, types=None))


def test_a_block_of_the_config_is_the_unit():
    adata = cells(3000, donors=1, chip=[f"k{i % 9}" for i in range(3000)], chip2=[f"k{i % 15}" for i in range(3000)])
    result = run(adata, block="chip")
    assert design(result)["aggregation"] == "metacells"
    assert design(result)["block"] == "chip"
    assert result.obs["chip"].nunique() == 9
    assert result.obs_names[0] == "B.d00.k0.m001"
    assert "one donor: no claim about the population" in log_of(result)
    assert design(run(adata, block="chip2"))["aggregation"] == "none"
    assert design(run(cells(1500, donors=12), block="sample"))["aggregation"] == "metacells"


@pytest.mark.parametrize("assay", ["bulk", "cells"])
def test_a_block_that_cannot_be_one(assay):
    adata = cells(donors=3, plate=[*range(1, 900), None])
    with pytest.raises(
        InputError,
        match=r"block: column 'donor' has 3 units \('d00', 'd01', 'd02'\), at least 8 .*Still possible: a finer",
    ):
        prepare_samples(adata, assay=assay, block="donor")
    with pytest.raises(InputError, match=r"block: no column 'donr' of samples \(nearest 'donor'\)"):
        prepare_samples(adata, assay=assay, block="donr")
    with pytest.raises(InputError, match=r"block: 1 samples have no 'plate': 'c00899'"):
        prepare_samples(adata, assay=assay, block="plate")


@settings(max_examples=200, deadline=None)
@given(n=st.integers(MIN_GROUP, 5000), size=st.integers(20, 50))
def test_every_metacell_has_twenty_to_fifty_cells(n, size):
    pieces = [len(part) for part in np.array_split(np.arange(n), n_pieces(n, size))]
    assert min(pieces) >= MIN_GROUP
    assert max(pieces) <= MAX_GROUP
    assert abs(np.mean(pieces) - size) <= size / 2 or len(pieces) == 1


def test_the_draw_depends_on_seed_labels_and_ids_alone():
    ids = [f"c{i:04d}" for i in range(200)]
    labels = [("T", f"d{i % 2}") for i in range(200)]
    groups, too_small = group_cells(labels, ids, size=25, seed=3)
    assert too_small == {}
    members = {group.name: {ids[row] for row in group.rows} for group in groups}
    assert sorted(members) == [f"T.d{d}.m{m:03d}" for d in range(2) for m in range(1, 5)]
    order = RNG.permutation(200)
    shuffled, _ = group_cells([labels[i] for i in order], [ids[i] for i in order], size=25, seed=3)
    assert {group.name: {ids[order[row]] for row in group.rows} for group in shuffled} == members
    half = [i for i in range(200) if i % 2]
    alone, _ = group_cells([labels[i] for i in half], [ids[i] for i in half], size=25, seed=3)
    assert {g.name: {ids[half[row]] for row in g.rows} for g in alone}.items() <= members.items()
    other = {g.name: {ids[row] for row in g.rows} for g in group_cells(labels, ids, size=25, seed=4)[0]}
    assert other.keys() == members.keys()
    assert other != members


def test_the_draw_is_fixed():
    # Philox's raw words are the same in every release of numpy: so are the metacells
    groups, _ = group_cells([("T",)] * 60, [f"c{i:02d}" for i in range(60)], size=20, seed=0)
    assert [group.rows[:5].tolist() for group in groups] == FIXED


def test_names_that_collide_are_told_apart():
    labels = [("a.b", "c")] * 20 + [("a", "b.c")] * 20
    groups, _ = group_cells(labels, [f"c{i}" for i in range(40)], size=None, seed=0)
    assert [group.name for group in groups] == ["a.b.c", "a.b.c~2"]


def reference(values, rows, kind, base):
    if kind == "counts":
        return values[rows].sum(axis=0)
    if kind == "log":
        return np.log1p((base ** values[rows] - 1).mean(axis=0)) / np.log(base)
    return values[rows].mean(axis=0)


@pytest.mark.parametrize("kind", ["counts", "log", "zscore", "other"])
@pytest.mark.parametrize("base", [np.e, 2.0, 10.0])
def test_values_are_combined_on_the_right_scale(kind, base):
    rng = np.random.default_rng(0)
    values = rng.poisson(1.5, size=(100, 7)).astype(float)
    values = {"counts": values, "log": np.log1p(values * 1.3) / np.log(base), "zscore": rng.normal(size=(100, 7)),
              "other": values * 1.3}[kind]  # fmt: skip
    groups, _ = group_cells([("T",)] * 100, [f"c{i:03d}" for i in range(100)], size=25, seed=0)
    whole = combine_values(values, groups, kind, base)
    thin = combine_values(sparse.csr_matrix(values), groups, kind, base)
    assert sparse.issparse(thin)
    assert thin.toarray().tobytes() == whole.tobytes()
    for row, group in zip(whole, groups, strict=True):
        np.testing.assert_allclose(row, reference(values, group.rows, kind, base), rtol=1e-12, atol=1e-14)


def test_logs_below_zero_are_averaged_as_they_are():
    values = np.random.default_rng(0).normal(size=(40, 3)) - 2.0
    groups, _ = group_cells([("T",)] * 40, [f"c{i:03d}" for i in range(40)], size=20, seed=0)
    np.testing.assert_allclose(
        combine_values(values, groups, "log", np.e)[0], values[groups[0].rows].mean(axis=0), rtol=1e-13
    )


def test_base_of_the_logs_is_respected_and_said():
    adata = cells(log=True)
    adata.X = adata.X / np.log(2)
    adata.uns["log1p"] = {"base": 2}
    assert "(base 2)" in log_of(run(adata))


@pytest.mark.parametrize("aggregate", ["auto", "none", "pseudobulk"])
@pytest.mark.parametrize("log", [False, True])
def test_dense_sparse_and_order_give_the_same_bytes(aggregate, log):
    thin, thick = (cells(1000, donors=8, form=form, log=log) for form in (sparse.csr_matrix, np.asarray))
    first, second = run(thin, aggregate=aggregate), run(thick, aggregate=aggregate)
    assert sparse.issparse(first.X)
    assert not sparse.issparse(second.X)
    assert dense(first).tobytes() == dense(second).tobytes()
    assert log_of(first) == log_of(second)
    pd.testing.assert_frame_equal(first.obs, second.obs)
    assert normalize(first).X.tobytes() == normalize(second).X.tobytes()
    if aggregate != "none":
        turned = run(thin[RNG.permutation(1000)].copy(), aggregate=aggregate)
        assert list(turned.obs_names) == list(first.obs_names)
        assert dense(turned).tobytes() == dense(first).tobytes()
        assert turned.obs["log_depth" if not log else "n_cells"].tolist() == (
            first.obs["log_depth" if not log else "n_cells"].tolist()
        )


def test_annotations_of_metacells():
    adata = cells(
        donors=2,
        sex=["f"] * 900,
        phase=pd.Categorical(["G1", "S", "G2M"] * 300),
        pct_counts_mt=np.linspace(0, 10, 900),
        plate=[1] * 900,
        score=[np.nan] * 900,
    )
    result = run(adata)
    assert set(result.obs["sex"]) == {"f"}
    assert set(result.obs["plate"]) == {1}
    assert "phase" not in result.obs
    assert "1 columns vary within these groups, are no numbers and were left out: 'phase'" in log_of(result)
    weighted = (result.obs["pct_counts_mt"] * result.obs["n_cells"]).sum() / 900
    assert weighted == pytest.approx(adata.obs["pct_counts_mt"].mean(), rel=1e-12)
    assert result.obs["score"].isna().all()


def test_depth_of_values_that_are_no_counts_comes_from_a_column():
    depth = np.random.default_rng(0).integers(500, 5000, 900).astype(float)
    result = run(cells(log=True, total_counts=depth))
    assert "library_size" not in result.obs
    assert np.exp(result.obs["log_depth"]).sum() == pytest.approx(depth.sum(), rel=1e-12)
    without = run(cells(log=True))
    assert "log_depth" not in without.obs
    assert list(design(without)["covariates"]) == ["cell_type"]


def test_a_depth_that_does_not_vary_is_no_covariate():
    result = run(cells(log=True, total_counts=[10_000.0] * 900), aggregate="none")
    assert list(design(result)["covariates"]) == ["cell_type"]


def test_detection_is_counted_in_cells_before_they_are_summed():
    adata = cells(900)
    values = adata.X.toarray()
    values[:, 5] = 0.0
    values[::20, 5] = 1.0  # in 45 cells, and so in nearly every metacell
    adata.X = sparse.csr_matrix(values)
    result = run(adata)
    assert "g5" not in result.var_names
    assert result.uns["netinfer"]["filter"]["statistic"][5] == 45


def test_scaled_cells_alone_are_averaged_with_a_hint(caplog):
    adata = cells(log=True, form=np.asarray)
    adata.X = (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0)
    with caplog.at_level(logging.INFO):
        result = run(adata)
    assert "averaged as they are: sums of counts, or averages of logs, would say more" in log_of(result)
    assert result.n_obs == 30


def test_the_argument_is_not_changed():
    adata = cells()
    before, obs = adata.X.copy(), adata.obs.copy()
    run(adata)
    assert (before != adata.X).nnz == 0
    pd.testing.assert_frame_equal(adata.obs, obs)
    assert "netinfer" not in adata.uns
