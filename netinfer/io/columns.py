"""The columns of the tables that netinfer writes, and the check of a frame against them.

The definitions here are the only ones: the writers follow them, and ``docs/formats.md`` repeats them (a test compares
the two).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from netinfer.errors import InputError

EXPECTED_FALSE_EDGES_NOTE = (
    "It counts edges chosen by sampling chance, given independent units; "
    "it does not count edges that are confounded, indirect or reversed."
)

EXPECTED_FALSE_GENES_NOTE = (
    "It counts genes chosen by sampling chance, given independent units; it does not count genes that are confounded "
    "with the trait, that follow from it, or that stand for another gene."
)

Kind = Literal["string", "boolean", "int", "float"]


@dataclass(frozen=True)
class Column:
    """One column of an output table.

    Attributes
    ----------
    name, kind, unit, meaning : str
        As they stand in ``docs/formats.md``; `kind` is ``string``, ``boolean``, ``int`` or ``float``.
    may_be_missing : bool
        Whether a value may be absent: an empty field, a null, NaN in a frame (an empty string in a string column).
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    may_be_missing: bool = False


EDGES: tuple[Column, ...] = (
    Column("source", "string", "", "regulator, a `name` of `nodes.tsv`"),
    Column("target", "string", "", "target gene, a `name` of `nodes.tsv`"),
    Column(
        "weight",
        "float",
        "standard deviations of the target per standard deviation of the regulator",
        "mean over half-samples of the absolute standardized coefficient at the ranking penalty; always > 0; "
        "`graphical_lasso`, `nodewise_lasso`: the absolute partial correlation at the network's penalty (cut by an "
        "error: at the last penalty that ties the pair), without a unit",
    ),
    Column("sign", "int", "", "1: target rises with the regulator; -1: it falls"),
    Column(
        "effect",
        "float",
        "standard deviations of the target per standard deviation of the regulator",
        "least-squares coefficient in the submodel that the other half-sample selected, median over the half-samples "
        "that selected the regulator; missing where none did",
        True,
    ),
    Column(
        "effect_low",
        "float",
        "as `effect`",
        "lower end of the 95% interval of that coefficient; missing below 10 such half-samples",
        True,
    ),
    Column("effect_high", "float", "as `effect`", "upper end of that interval", True),
    Column(
        "partial_r2",
        "float",
        "0 to 1",
        "share of what the other regulators chosen (and covariates) leave of the target's variance that this one "
        "explains, in the same least-squares fits, median likewise; by chance alone about 1 / degrees of freedom; "
        "missing as `effect`",
        True,
    ),
    Column(
        "selection_probability",
        "float",
        "0 to 1",
        "share of half-samples that select the pair, at the penalty of the path where it is largest; can be 0; the "
        "bound asks how early on the path it passes the rule's threshold",
    ),
    Column(
        "sign_stability",
        "float",
        "0 to 1",
        "share of the half-samples with a non-zero coefficient at the ranking penalty that agree on its sign",
        True,
    ),
    Column(
        "expected_false_edges",
        "float",
        "edges of the whole network",
        "bound on the expected number of false edges when the cut is placed exactly at this edge; missing: no finite "
        "bound, the edge passes no such cut. " + EXPECTED_FALSE_EDGES_NOTE,
        True,
    ),
    Column(
        "q_value",
        "float",
        "share of the edges",
        "estimate: the smallest, over cuts that include this edge, of `expected_false_edges` divided by the number of "
        "edges; missing as there",
        True,
    ),
    Column("rank", "int", "", "1 is the largest `weight` of all candidates; does not change with the cut"),
    Column("model", "string", "", "model that gave the edge, such as `elastic_net`"),
    Column(
        "direction_basis",
        "string",
        "",
        "why the edge points this way: `regulator_list`, `undetermined` (a pair of regulators), `undirected` (the "
        "model has no direction), `time`, `perturbation`",
    ),
)

# Beside the columns above where the data set has an annotation: both or neither.
NEIGHBOURS: tuple[Column, ...] = (
    Column(
        "same_operon",
        "boolean",
        "",
        "whether both genes lie in one operon of the annotation; false also where that is not known",
    ),
    Column(
        "gene_distance",
        "int",
        "genes",
        "steps along the contig from gene to gene of the annotation: 1 for next neighbours; missing where the genes "
        "lie on different contigs or the place of one is not known",
        True,
    ),
)

# Beside the columns above where motifs were sought in the promoters of the targets.
MOTIF_EVIDENCE: tuple[Column, ...] = (
    Column(
        "motif_evidence",
        "string",
        "",
        "where the target's promoter has a motif that marks the regulator's targets, such as `CRP found at -60..-40`, "
        "with `(not known as its own)` where it is no motif of the regulator by name: another factor may act there; "
        "missing where it has none there, and for pairs that were no edge",
        True,
    ),
)

ERROR_CONTROL = Column("error_control", "string", "", "always `none`: these edges are ranked without error control")
EXPLORATORY: tuple[Column, ...] = (*EDGES, ERROR_CONTROL)
GENE_ERROR_CONTROL = Column("error_control", "string", "", "always `none`: the list is ranked without error control")

# Of the consensus of a directed and an undirected network: all or none.
EVIDENCE: tuple[Column, ...] = (
    Column("evidence", "string", "", "which networks have the pair as an edge: `both`, `directed` or `undirected`"),
    Column(
        "tested_by_both",
        "boolean",
        "",
        "whether both networks could have found it; where false, one network alone says nothing against it",
    ),
    Column(
        "partial_correlation",
        "float",
        "-1 to 1",
        "of the two genes given all others included, in the undirected network; missing where it ties them not",
        True,
    ),
    Column(
        "partial_selection_probability",
        "float",
        "0 to 1",
        "`selection_probability` of the pair in the undirected network",
        True,
    ),
    Column(
        "partial_expected_false_edges",
        "float",
        "edges of the whole undirected network",
        "`expected_false_edges` of the pair in the undirected network. " + EXPECTED_FALSE_EDGES_NOTE,
        True,
    ),
)

NODES: tuple[Column, ...] = (
    Column("name", "string", "", "gene name; unique"),
    Column("gene_id", "string", "", "gene identifier of the expression file, where it has one beside the name", True),
    Column("symbol", "string", "", "gene symbol, where the data have symbols beside the names: a label", True),
    Column("is_regulator", "boolean", "", "whether the gene was a candidate regulator"),
    Column(
        "degree_in",
        "int",
        "edges",
        "edges that end at this gene in the network at its cut; all its edges where undirected",
    ),
    Column("degree_out", "int", "edges", "edges that start at this gene in the network at its cut; likewise"),
    Column("expression_mean", "float", "of the normalized expression", "mean over samples", True),
)

# Beside the columns above where the data set has a phenotype: both or neither.
TRAIT: tuple[Column, ...] = (
    Column(
        "phenotype_effect",
        "float",
        "standard deviations (two classes: log odds) of the trait per standard deviation of the gene",
        "`effect` of `phenotype/genes_ranked.tsv`; missing where the gene is no candidate of the trait's model",
        True,
    ),
    Column(
        "phenotype_selection_probability",
        "float",
        "0 to 1",
        "`selection_probability` of the same table; missing likewise",
        True,
    ),
)

PHENOTYPE_GENES: tuple[Column, ...] = (
    Column("gene", "string", "", "gene, a `name` of `nodes.tsv`"),
    Column("symbol", "string", "", "its symbol; a column only where the genes have one beside their name", True),
    Column(
        "weight",
        "float",
        "standard deviations (two classes: log odds) of the trait per standard deviation of the gene",
        "mean over half-samples of the absolute standardized Lasso coefficient at the ranking penalty; always > 0",
    ),
    Column("sign", "int", "", "1: the trait (or the odds of the positive class) rises with the gene; -1: it falls"),
    Column(
        "effect",
        "float",
        "as `weight`",
        "least-squares (two classes: Firth's logistic) coefficient in the submodel that the other half-sample "
        "selected, median over the half-samples that selected the gene; missing where none did",
        True,
    ),
    Column(
        "effect_low",
        "float",
        "as `effect`",
        "lower end of the 95% interval of that coefficient; missing below 10 such half-samples",
        True,
    ),
    Column("effect_high", "float", "as `effect`", "upper end of that interval", True),
    Column(
        "partial_r2",
        "float",
        "0 to 1",
        "share of what the other genes chosen and the covariates leave of the trait's variance that this one explains, "
        "in the same least-squares fits, median likewise; by chance alone about 1 / degrees of freedom; missing as "
        "`effect`, and for two classes",
        True,
    ),
    Column(
        "odds_ratio",
        "float",
        "ratio per standard deviation of the gene",
        "exponential of `effect`: above 1 where the positive class is more likely; this and the next two are columns "
        "only for two classes",
        True,
    ),
    Column("odds_ratio_low", "float", "as `odds_ratio`", "exponential of `effect_low`", True),
    Column("odds_ratio_high", "float", "as `odds_ratio`", "exponential of `effect_high`", True),
    Column(
        "selection_probability",
        "float",
        "0 to 1",
        "share of half-samples that select the gene, at the penalty of the path where it is largest; the bound asks "
        "how early on the path it passes the rule's threshold",
    ),
    Column(
        "expected_false_genes",
        "float",
        "genes",
        "bound on the expected number of false genes when the cut is placed exactly at this gene; missing: no finite "
        "bound, the gene passes no such cut. " + EXPECTED_FALSE_GENES_NOTE,
        True,
    ),
    Column(
        "q_value",
        "float",
        "share of the genes",
        "estimate: the smallest, over cuts that include this gene, of `expected_false_genes` divided by the number of "
        "genes; missing as there",
        True,
    ),
    Column(
        "rank",
        "int",
        "",
        "1 is the surest gene: order of `expected_false_genes`, then `selection_probability`, `weight` and `gene`",
    ),
)

TARGETS: tuple[Column, ...] = (
    Column("target", "string", "", "gene; every gene that came in has one row"),
    Column("status", "string", "", "`ok`, `constant`, `filtered`, `too_few_samples` or `not_converged`"),
    Column("reason", "string", "", "one sentence where the status is not `ok`", True),
    Column("n_units", "int", "units", "independent units behind the fit"),
    Column(
        "penalty_max",
        "float",
        "standard deviations of the target",
        "smallest penalty at which no half-sample selects a regulator",
        True,
    ),
    Column("duality_gap", "float", "relative", "worst relative duality gap of all fits of this target", True),
    Column("n_candidates", "int", "pairs", "candidates that end at this target"),
    Column("n_edges", "int", "edges", "edges that end at this target in the network at its cut"),
    Column("r2_heldout", "float", "share of variance", "held-out R2: fitted on one half, scored on the other", True),
)


# Of a comparison of conditions.
CONDITION = Column("condition", "string", "", "the condition whose network the edge is in")
CONDITION_EDGES: tuple[Column, ...] = (*EDGES, CONDITION)
CHANGES: tuple[Column, ...] = (
    Column("source", "string", "", "one gene of the pair"),
    Column("target", "string", "", "the other one; the pair has no direction"),
    Column("condition", "string", "", "the condition that is compared with the reference"),
    Column("reference", "string", "", "the reference"),
    Column(
        "change",
        "string",
        "",
        "`gained` (stably not selected in the reference, stably selected here), `lost` (the other way round), `shared` "
        "(stably selected in both, with one sign), `flipped` (with opposite signs), `absent` (stably not selected in "
        "both: all samples tie it in one of the conditions), `unclear` (all other cases), "
        "`not_measured` (a gene of the pair is not in one of the two conditions)",
    ),
    Column(
        "change_probability",
        "float",
        "0 to 1",
        "share of the joint half-samples that show this very change; missing where `absent`, `unclear` or "
        "`not_measured`",
        True,
    ),
    Column(
        "partial_correlation_reference",
        "float",
        "-1 to 1",
        "of the two genes given all others included, on all samples of the reference; 0: not tied; missing: not "
        "measured there",
        True,
    ),
    Column("partial_correlation", "float", "-1 to 1", "the same on all samples of the condition", True),
    Column(
        "selection_probability_reference",
        "float",
        "0 to 1",
        "share of the joint half-samples that tie the pair in the reference; missing: not measured there",
        True,
    ),
    Column("selection_probability", "float", "0 to 1", "the same of the condition", True),
    Column("n_units_reference", "int", "units", "independent units of the reference: fewer lose edges more easily"),
    Column("n_units", "int", "units", "independent units of the condition: likewise"),
)
CONDITION_GENES: tuple[Column, ...] = (
    Column("gene", "string", "", "gene that some condition includes"),
    Column("condition", "string", "", "the condition; each gene has one row for each"),
    Column("status", "string", "", "`ok` (included), `constant`, or `not_measured` (no gene of this name)"),
    Column("reason", "string", "", "one sentence where the status is not `ok`", True),
)


def edge_columns(present: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns that a table of edges with these column names must have.

    Parameters
    ----------
    present : iterable of str
        Column names of the table.

    Returns
    -------
    tuple of Column
        `EDGES`; `NEIGHBOURS`, `MOTIF_EVIDENCE` and `EVIDENCE` too where any of them is there; ``error_control`` last
        where it is there.
    """
    names = set(present)
    more = [group for group in (NEIGHBOURS, MOTIF_EVIDENCE, EVIDENCE) if names & {column.name for column in group}]
    return (*EDGES, *itertools.chain(*more), *((ERROR_CONTROL,) if ERROR_CONTROL.name in names else ()))


def node_columns(present: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns that a table of nodes with these column names must have.

    Parameters
    ----------
    present : iterable of str
        Column names of the table.

    Returns
    -------
    tuple of Column
        `NODES`; `TRAIT` too where any of them is there.
    """
    trait = TRAIT if set(present) & {column.name for column in TRAIT} else ()
    return (*NODES, *trait)


# Only for a trait of two classes: all three or none.
ODDS_COLUMNS = ("odds_ratio", "odds_ratio_low", "odds_ratio_high")


def phenotype_gene_columns(present: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns that a table of a trait's genes with these column names must have.

    Parameters
    ----------
    present : iterable of str
        Column names of the table.

    Returns
    -------
    tuple of Column
        `PHENOTYPE_GENES`, without ``symbol`` and the odds ratios where they are not there; ``error_control`` last where
        it is there.
    """
    names = set(present)
    optional = {"symbol", *(() if names & set(ODDS_COLUMNS) else ODDS_COLUMNS)} - (names & {"symbol"})
    kept = tuple(column for column in PHENOTYPE_GENES if column.name not in optional)
    return (*kept, *((GENE_ERROR_CONTROL,) if GENE_ERROR_CONTROL.name in names else ()))


def conform(frame: pd.DataFrame, columns: Sequence[Column], *, where: str) -> pd.DataFrame:
    """Check a frame against its columns and give it the types and the order that they state.

    Parameters
    ----------
    frame : DataFrame
        Any index; categorical, string, nullable and object columns are all read by value.
    columns : sequence of Column
        Exactly the columns that `frame` must have, in any order.
    where : str
        Named in the errors.

    Returns
    -------
    DataFrame
        New, with a RangeIndex; ``object`` columns of `str`, ``bool``, ``int64`` (``Int64`` where a value may be
        missing) and ``float64``. A negative zero becomes zero, so that equal values give equal bytes.

    Raises
    ------
    InputError
        If a column is missing, doubled or unknown, or holds a value of another kind, an infinity, or a missing value
        where none may be.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{where}: must be a pandas DataFrame, not {type(frame).__name__}")
    names = [column.name for column in columns]
    present = list(frame.columns)
    if absent := [name for name in names if name not in present]:
        raise InputError(f"{where}: missing column {', '.join(absent)}: the columns must be {', '.join(names)}")
    if len(set(present)) < len(present):
        raise InputError(f"{where}: a column name occurs twice: the columns must be {', '.join(names)}")
    if extra := [str(name) for name in present if name not in names]:
        raise InputError(f"{where}: unknown column {', '.join(extra)}: the columns must be {', '.join(names)}")
    data = {column.name: _CONVERT[column.kind](frame[column.name], column, where) for column in columns}
    return pd.DataFrame(data, index=pd.RangeIndex(len(frame)), columns=names)


def _bad(series: pd.Series, bad: np.ndarray, column: Column, where: str, problem: str) -> InputError:
    row = int(np.flatnonzero(bad)[0])
    value = series.iloc[row]
    value = value.item() if isinstance(value, np.generic) else value
    return InputError(
        f"{where}: column {column.name}, row {row + 1} of {len(series)}: {value!r} {problem} "
        f"({int(np.count_nonzero(bad))} such): correct the table"
    )


def _as_string(series: pd.Series, column: Column, where: str) -> pd.Series:
    values = series.to_numpy(dtype=object, copy=True)
    absent = pd.isna(series).to_numpy()
    if absent.any():
        if not column.may_be_missing:
            raise _bad(series, absent, column, where, "is not a text")
        values[absent] = ""
    if len(values) and pd.api.types.infer_dtype(values, skipna=False) != "string":
        wrong = np.fromiter((not isinstance(value, str) for value in values), dtype=bool, count=len(values))
        raise _bad(series, wrong, column, where, "is not a text")
    return pd.Series(values, dtype=object, copy=False)


def _numbers(series: pd.Series, column: Column, where: str) -> np.ndarray:
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if series.dtype == object:
        kind = pd.api.types.infer_dtype(series, skipna=True)
        is_number = kind in {"floating", "integer", "mixed-integer-float", "empty"}
    else:
        is_number = pd.api.types.is_any_real_numeric_dtype(series.dtype)
    if not is_number:
        wrong = np.fromiter(
            (not isinstance(value, int | float | np.number) or isinstance(value, bool) for value in series),
            dtype=bool,
            count=len(series),
        )
        if not wrong.any():
            wrong[:1] = True
        if len(series):
            raise _bad(series, wrong, column, where, "is not a number")
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _as_float(series: pd.Series, column: Column, where: str) -> pd.Series:
    values = _numbers(series, column, where) + 0.0
    if (infinite := np.isinf(values)).any():
        raise _bad(series, infinite, column, where, "is infinite")
    if not column.may_be_missing and (absent := np.isnan(values)).any():
        raise _bad(series, absent, column, where, "is missing")
    return pd.Series(values, copy=False)


def _as_int(series: pd.Series, column: Column, where: str) -> pd.Series:
    values = _numbers(series, column, where)
    # 2**53: above it a float no longer holds every integer, and no count here comes near it.
    absent = np.isnan(values) & column.may_be_missing
    wrong = ~((np.abs(values) <= 2.0**53) & (np.trunc(values) == values)) & ~absent
    if wrong.any():
        raise _bad(series, wrong, column, where, "is not a whole number")
    if not column.may_be_missing:
        return pd.Series(values.astype(np.int64), copy=False)
    whole = np.where(absent, 0, values).astype(np.int64)
    return pd.Series(pd.arrays.IntegerArray(whole, absent), copy=False)


def _as_boolean(series: pd.Series, column: Column, where: str) -> pd.Series:
    wrong = np.fromiter((not isinstance(value, bool | np.bool_) for value in series), dtype=bool, count=len(series))
    if wrong.any():
        raise _bad(series, wrong, column, where, "is neither true nor false")
    return pd.Series(series.to_numpy(dtype=bool), copy=True)


_CONVERT: dict[str, Callable[[pd.Series, Column, str], pd.Series]] = {
    "string": _as_string,
    "boolean": _as_boolean,
    "int": _as_int,
    "float": _as_float,
}
