"""Expression that is in memory already."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io import as_expression

VALUES = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    "data",
    [
        VALUES,
        np.asfortranarray(VALUES),
        VALUES.astype(np.float32),
        VALUES.astype(np.int16),
        pd.DataFrame(VALUES),
        pd.DataFrame({"a": [0, 2, 4], "b": [1.0, 3.0, 5.0]}),
        pd.DataFrame({"a": pd.array([0, 2, 4], dtype="Int64"), "b": [1.0, 3.0, 5.0]}),
        ad.AnnData(VALUES),
        sparse.csc_matrix(VALUES),
        sparse.coo_array(VALUES),
    ],
    ids=lambda data: type(data).__name__,
)
def test_every_form_gives_the_same_values(data):
    adata = as_expression(data)
    values = adata.X.toarray() if sparse.issparse(adata.X) else adata.X
    assert values.dtype == np.float64
    assert np.array_equal(values, VALUES)
    assert adata.uns["netinfer"]["log"].dtype == object


def test_names():
    adata = as_expression(VALUES)
    assert list(adata.var_names) == ["g0001", "g0002"]
    assert list(adata.obs_names) == ["s0001", "s0002", "s0003"]
    frame = pd.DataFrame(VALUES, index=[1, 2, 3], columns=["NA", "x"])
    assert list(as_expression(frame).obs_names) == ["1", "2", "3"]
    assert list(as_expression(frame).var_names) == ["NA", "x"]


def test_the_argument_is_not_changed():
    read_only = VALUES.copy()
    read_only.setflags(write=False)
    given = ad.AnnData(read_only, obs=pd.DataFrame({"batch": list("aab")}, index=list("xyz")))
    given.layers["other"] = VALUES + 1
    given.uns["mine"] = 1
    adata = as_expression(given)
    adata.X[0, 0] = 99
    adata.obs["batch"] = "c"
    assert given.X[0, 0] == 0
    assert list(given.obs["batch"]) == list("aab")
    assert "netinfer" not in given.uns
    assert adata.uns["mine"] == 1
    assert np.array_equal(adata.layers["other"], VALUES + 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros(3), "1 dimensions"),
        (np.zeros((0, 3)), "0 samples x 3 genes"),
        (np.zeros((3, 0)), "3 samples x 0 genes"),
        (np.array([["a"]]), "values of type <U1"),
        (np.array([[1, None]], dtype=object), "values of type object"),
        (np.zeros((2, 2), dtype=complex), "complex128"),
        (pd.DataFrame({"a": ["x"]}), "column 'a', row 0: 'x' is no number"),
        ([[1, 2]], "list is not expression"),
        (ad.AnnData(obs=pd.DataFrame(index=["a"]), var=pd.DataFrame(index=["b"])), "has no X"),
    ],
)
def test_what_is_no_expression(data, message):
    with pytest.raises(InputError, match=message):
        as_expression(data)


def test_a_word_among_numbers_is_named_with_its_place():
    table = pd.DataFrame(np.ones((4, 3)), columns=["a", "b", "c"], index=["w", "x", "y", "z"]).astype(object)
    table.loc["y", "b"] = "n/a"
    with pytest.raises(
        InputError, match=r"column 'b', row 'y': 'n/a' is no number \(1 such values there\): correct it"
    ):
        as_expression(table)
    with pytest.raises(InputError, match=r"column 'type', row 'w': 'T cell' is no number .*move annotations out"):
        as_expression(pd.DataFrame({"g1": [1.0, 2.0], "type": ["T cell", "B cell"]}, index=["w", "x"]))
    with pytest.raises(InputError, match="holds numbers as object: turn them into numbers"):
        as_expression(table.drop(columns="b"))
