"""From a matrix as read to the canonical data set: ids clean, regulators found, sheet joined, the unusable dropped."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io.build import make_adata, text_array
from netinfer.io.ids import clean_ids, duplicates, excel_damaged, some
from netinfer.io.matching import names_of
from netinfer.io.memory import as_expression
from netinfer.preprocess import cleaning, identifiers, imputation, selection
from netinfer.preprocess.assay import log_base, whole_table
from netinfer.preprocess.records import gene_frame, sample_frame

if TYPE_CHECKING:
    from anndata import AnnData

logger = logging.getLogger(__name__)

# Half-samples of four are the smallest that still have a spread to select on.
MIN_SAMPLES = 8
_RESERVED = {"_index", "index"}


class IngestSettings(Protocol):
    """What ingest reads of :class:`netinfer.config.IngestConfig`."""

    orientation: Any
    strip_version: bool
    impute: Any
    duplicates: Any
    exclude_samples: Any
    subset: Any


@dataclass
class _State:
    """The data set while rules are applied to it."""

    where: str
    matrix: Any
    samples: list[str]
    genes: list[str]
    obs: pd.DataFrame
    var: pd.DataFrame
    regulators: list[str] | None
    log: list[str]
    missing_cells: str = ""  # where the text reader saw the first of them: line and column
    notes: dict[str, Any] = field(default_factory=dict)  # further entries of uns["netinfer"]
    dropped_genes: list[tuple[str, bool, str, str]] = field(default_factory=list)
    dropped_samples: list[tuple[str, str]] = field(default_factory=list)

    def drop_genes(self, mask: np.ndarray, status: str, reason: str) -> None:
        if not mask.any():
            return
        known = set(self.regulators or ())
        gone = [gene for gene, out in zip(self.genes, mask, strict=True) if out]
        self.dropped_genes += [(gene, gene in known, status, reason) for gene in gone]
        n_regulators = sum(gene in known for gene in gone)
        self.log.append(f"{len(gone)} genes were dropped, {n_regulators} of them regulators: {reason}: {some(gone)}")
        self.matrix, self.var = self.matrix[:, ~mask], self.var[~mask]
        self.genes = [gene for gene, out in zip(self.genes, mask, strict=True) if not out]

    def drop_samples(self, mask: np.ndarray, reason: str) -> None:
        if not mask.any():
            return
        gone = [sample for sample, out in zip(self.samples, mask, strict=True) if out]
        self.dropped_samples += [(sample, reason) for sample in gone]
        self.log.append(f"{len(gone)} samples were dropped: {reason}: {some(gone)}")
        self.matrix, self.obs = self.matrix[~mask], self.obs[~mask]
        self.samples = [sample for sample, out in zip(self.samples, mask, strict=True) if not out]


def ingest(
    adata: Any,
    *,
    regulators: Sequence[str] | str | os.PathLike[str] | pd.DataFrame | None,
    samples: pd.DataFrame | None = None,
    settings: IngestSettings | None = None,
    where: str = "",
) -> AnnData:
    """Make the canonical data set of one expression matrix: cleaned, checked, joined, what was dropped recorded.

    In this order: ids are cleaned; the orientation is checked by the regulators; samples that the settings exclude and
    those without any non-zero value are dropped; the sample sheet is joined and what lies outside `subset` dropped;
    duplicated genes follow the rule; infinite values are refused and missing ones refused or imputed; genes that do not
    vary over the samples that are left are dropped.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, n_samples x n_genes
        As :func:`netinfer.io.read_expression` returns it; not changed.
    regulators : sequence of str, path, name of a shipped list, "all", DataFrame or None
        Candidate regulators, matched as docs/identifiers.md says (see :func:`netinfer.io.regulator_table`); a frame
        has columns such as symbol and ensembl; None takes ``var["is_regulator"]``.
    samples : DataFrame, optional
        Sample sheet, indexed by sample id. Every sample of the matrix must be in it; further rows are logged.
    settings : IngestConfig, optional
        `strip_version`, `impute` (None, median, mean, nearest), `duplicates` (error, sum, mean, first), `orientation`,
        `exclude_samples` (ids), `subset` (column and values of the samples to keep).
    where : str
        Name for messages; the file by default.

    Returns
    -------
    AnnData
        ``var["is_regulator"]``; the sheet's columns in ``obs``; ``uns["netinfer"]`` with ``dropped_genes`` (gene,
        is_regulator, status, reason), ``dropped_samples`` (sample, reason), ``log`` and ``source``; ``missing`` (n,
        share, rule, n_imputed) where values were missing; ``whole_table`` (assay, reason) where there is a subset.

    Raises
    ------
    InputError
        For what no rule covers; see the order above. Also fewer than 8 samples, or no regulator left.
    """
    if settings is None:
        from netinfer.config import IngestConfig

        settings = IngestConfig()
    state = _start(adata, regulators, settings, where)
    _select_samples(state, samples, settings)
    _apply_value_rules(state, settings)
    return _finish(state, adata)


def _start(adata: Any, regulators: Any, settings: IngestSettings, where: str) -> _State:
    adata = as_expression(adata, where=where or "data")
    notes = adata.uns["netinfer"]
    where = where or str(notes.get("source", "")) or "data"
    versions = settings.strip_version
    is_fixed = "gene_column" in notes or settings.duplicates != "error"
    adata.var, key_log = identifiers.choose_key(adata.var, is_fixed=is_fixed)
    table, shipped = identifiers.listed_regulators(regulators, adata.var, where, versions=versions)
    if table is not None:
        identifiers.check_list_orientation(
            adata, table, where=where, orientation=settings.orientation, versions=versions
        )
    genes, gene_log = clean_ids(adata.var_names, "gene", where, versions=versions)
    samples, sample_log = clean_ids(adata.obs_names, "sample", where)
    repeated = duplicates(samples)
    if repeated:
        raise InputError(
            f"{where}: {len(repeated)} samples stand more than once: {some(repeated)}: give each sample its own id"
        )
    log = [*map(str, notes.get("log", ())), *key_log, *gene_log, *sample_log]
    damaged = excel_damaged(genes)
    if damaged:
        log.append(
            f"{len(damaged)} gene ids look like dates that a spreadsheet made of gene symbols: {some(damaged, 20)}"
        )
        logger.warning("%s: %s: check them against the original table", where, log[-1])
    found = None
    if table is not None:
        found, found_log, warning = identifiers.find_regulators(
            table, names_of(adata.var, genes), where, shipped=shipped
        )
        log += found_log
        if warning:
            logger.warning("%s: %s", where, warning)
    obs, var = adata.obs.copy(), identifiers.label_genes(adata.var, genes, table)
    return _State(where, adata.X, samples, genes, obs, var, found, log, str(notes.get("missing_cells", "")))


def _apply_value_rules(state: _State, settings: IngestSettings) -> None:
    where = state.where
    if state.regulators is None:
        state.regulators = list(dict.fromkeys(state.genes))
        state.log.append("every gene is a candidate regulator")
    state.matrix, kept, log = cleaning.merge_duplicates(state.matrix, state.genes, str(settings.duplicates), where)
    state.var, state.genes = state.var.iloc[kept], [state.genes[position] for position in kept]
    state.log += log
    cleaning.refuse_infinite(state.matrix, state.samples, state.genes, where)
    _missing(state, settings)
    state.drop_genes(cleaning.constant_genes(state.matrix), "constant", "the same value in every sample")
    _refuse_too_small(state)
    twins = cleaning.identical_genes(state.matrix, state.genes, state.regulators or [])
    if twins:
        state.log.append(
            f"{len(twins)} regulators have the same values as another one: {some([f'{a} = {b}' for a, b in twins])}; "
            "nothing tells their edges apart"
        )
        logger.warning("%s: %s", where, state.log[-1])


def _select_samples(state: _State, sheet: pd.DataFrame | None, settings: IngestSettings) -> None:
    """Drop what is not wanted before any rule looks at values: what is constant is judged on the samples kept."""
    state.drop_samples(
        selection.excluded(state.samples, settings.exclude_samples, state.where), "left out by exclude_samples"
    )
    # Samples without any count may be missing from the sheet: they go before it is joined.
    state.drop_samples(cleaning.zero_samples(state.matrix), "every value is zero")
    if not state.samples:
        raise InputError(f"{state.where}: every value is zero: the wrong layer or file?")
    if sheet is not None:
        _join_sheet(state, sheet)
    if settings.subset:
        mask, rule = selection.outside(state.obs, settings.subset, state.where)
        state.log += selection.left_behind(state.obs, settings.subset)
        state.notes["whole_table"] = whole_table(state.matrix, state.obs)
        state.drop_samples(mask, f"outside the subset ({rule})")
        state.log.append(f"{len(state.samples)} samples are in the subset: {rule}")


def _missing(state: _State, settings: IngestSettings) -> None:
    stored = state.matrix.data if sparse.issparse(state.matrix) else state.matrix
    if not np.isnan(stored).any():
        return
    if settings.impute is None:
        cleaning.refuse_missing(state.matrix, state.samples, state.genes, state.where, first=state.missing_cells)
    state.matrix = state.matrix.toarray() if sparse.issparse(state.matrix) else state.matrix
    missing = imputation.count_missing(state.matrix)
    state.log.append(f"{missing.n} values are missing ({missing.share:.2%})")
    state.drop_samples(np.isnan(state.matrix).all(axis=1), "no value in it")
    if not state.samples:
        raise InputError(f"{state.where}: every value is missing: the wrong layer or file?")
    gene_share = imputation.count_missing(state.matrix).gene_share
    state.drop_genes(gene_share == 1, "filtered", "no value in any sample")
    too_many = imputation.count_missing(state.matrix).too_many
    state.drop_genes(too_many, "filtered", f"no value in more than {imputation.MAX_MISSING_SHARE:.0%} of the samples")
    state.drop_samples(np.isnan(state.matrix).all(axis=1), "no value in the genes that are kept")
    if not state.genes or not state.samples:
        raise InputError(f"{state.where}: too many values are missing: no gene has one in half of the samples")
    state.matrix, n_imputed = imputation.impute(state.matrix, settings.impute)
    rule = imputation.WORDS[settings.impute]
    share = n_imputed / max(1, state.matrix.size)
    state.log.append(f"{n_imputed} missing values ({share:.2%}) were replaced by {rule}")
    state.notes["missing"] = {"n": missing.n, "share": missing.share, "rule": rule, "n_imputed": n_imputed}


def _refuse_too_small(state: _State) -> None:
    n_samples, n_genes = len(state.samples), len(state.genes)
    if n_samples < MIN_SAMPLES:
        dropped = f" after {len(state.dropped_samples)} were dropped" if state.dropped_samples else ""
        raise InputError(
            f"{state.where}: {n_samples} samples{dropped}: at least {MIN_SAMPLES} are needed to draw half-samples"
        )
    if n_genes < 2:
        raise InputError(f"{state.where}: {n_genes} genes vary: at least a regulator and a target are needed")
    known = set(state.genes)
    state.regulators = [name for name in state.regulators or () if name in known]
    if not state.regulators:
        raise InputError(f"{state.where}: no regulator varies over the samples: nothing can be explained by them")


def _join_sheet(state: _State, sheet: pd.DataFrame) -> None:
    names, _ = clean_ids(sheet.index, "sample", f"{state.where}: sample sheet")
    repeated = duplicates(names)
    if repeated:
        raise InputError(
            f"{state.where}: sample sheet: samples listed more than once: {some(repeated)}: one line a sample"
        )
    if "id_column" in sheet.attrs:
        state.log.append(f"the sample sheet has no column `sample`: {_first_column(sheet)}")
    known = set(names)
    lacking = [sample for sample in state.samples if sample not in known]
    if lacking:
        here = set(state.samples)
        unused = [name for name in names if name not in here]
        n_found = len(state.samples) - len(lacking)
        hint = f"; in the sheet but not in the matrix: {some(unused)}" if unused else ""
        hint += f"; {_first_column(sheet)}" if "id_column" in sheet.attrs else ""
        raise InputError(
            f"{state.where}: sample sheet: {n_found} of {len(state.samples)} samples of the matrix are in it; "
            f"not in it: {some(lacking)}{hint}: {_sheet_advice(sheet, here, n_found)}"
        )
    sheet = sheet.set_axis(pd.Index(names, dtype=object), axis=0).loc[state.samples]
    gone = {sample for sample, _ in state.dropped_samples}
    unused = [name for name in names if name not in set(state.samples) and name not in gone]
    state.log.append(f"the sample sheet gives {sheet.shape[1]} columns for {len(state.samples)} samples")
    if unused:
        state.log.append(f"{len(unused)} samples of the sheet are not in the matrix: {some(unused, 20)}")
    for column in sheet.columns:
        name = str(column).replace("/", "_per_")  # h5ad has no slash in names
        name = f"{name}_" if name in _RESERVED else name
        if name != column:
            state.log.append(
                f"column {str(column)!r} of the sample sheet is called {name!r}, since h5ad cannot hold its name"
            )
        values = sheet[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.cat.remove_unused_categories()
        elif not pd.api.types.is_numeric_dtype(values.dtype):
            values = pd.Series(pd.Categorical([None if pd.isna(value) else str(value) for value in values]))
        state.obs[name] = values.array


def _sheet_advice(sheet: pd.DataFrame, here: set[str], n_found: int) -> str:
    """Say how a sheet that lacks samples is mended: by another column of ids, by further lines or by other ids."""
    for column in sheet.columns:
        if len(here.intersection(map(str, sheet[column]))) > n_found:
            return f"column {str(column)!r} holds more of the ids: call it `sample`"
    if n_found:
        return "add a line for each, or leave them out by `exclude_samples`"
    return "write the ids as the matrix does, in a column called `sample`"


def _first_column(sheet: pd.DataFrame) -> str:
    name = str(sheet.attrs["id_column"])
    return f"its first column{f', {name!r},' if name else ''} was taken for their ids"


def _finish(state: _State, adata: Any) -> AnnData:
    values = state.matrix
    values = sparse.csr_matrix(values) if sparse.issparse(values) else np.ascontiguousarray(values)
    known = set(state.regulators or ())
    var = state.var.copy()
    var.index = pd.Index(state.genes, dtype=object)
    var["is_regulator"] = np.array([gene in known for gene in state.genes], dtype=bool)
    obs = state.obs.copy()
    obs.index = pd.Index(state.samples, dtype=object)
    state.log.append(
        f"{len(state.samples)} samples x {len(state.genes)} genes are used, {len(known)} of them regulators"
    )
    notes = dict(adata.uns.get("netinfer", {})) if hasattr(adata, "uns") else {}
    source = str(notes.pop("source", "")) or state.where
    for key in ("log", "missing_cells", "dropped_genes", "dropped_samples", "matrices", "gene_column"):
        notes.pop(key, None)
    notes |= state.notes
    base = log_base(getattr(adata, "uns", {}))
    if base != np.e:
        notes["log_base"] = base
    result = make_adata(values, obs, var, source=source, notes=notes)
    result.uns["netinfer"] |= {
        "dropped_genes": gene_frame(state.dropped_genes),
        "dropped_samples": sample_frame(state.dropped_samples),
        "log": text_array(state.log),
    }
    return result
