"""The network: ranked candidates, nodes, targets, provenance, and a cut that can be moved without a refit."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.network import export
from netinfer.network.cut import asked_cut, describe_cut, passing
from netinfer.network.validate import check_candidates, check_nodes, check_provenance, check_targets

if TYPE_CHECKING:
    import networkx
    from anndata import AnnData


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A regulatory network that says how sure it is.

    The frames are checked and copied when the network is made. ``docs/formats.md`` lists their columns.

    Attributes
    ----------
    candidates : DataFrame, one row a pair with a weight
        In rank order: falling weight, ties by source and target. What is scored and re-cut. ``same_operon`` and
        ``gene_distance`` stand there where `netinfer.network.neighbours.annotate` added them.
    nodes : DataFrame, one row a gene
        name, gene_id, is_regulator, degree_in, degree_out (in the network at its cut), expression_mean.
    targets : DataFrame, one row a target that came in
        Status, reason, number of independent units, certificate, edges at the cut, held-out R2.
    provenance : dict
        JSON's own types: data set, versions, settings, seed. The key ``directed`` (default True) says what the edges
        are; ``dataset``, ``model`` and ``n_units`` are shown where they stand.
    cut : dict
        Given as one of ``{"fdr": x}``, ``{"expected_false_edges": x}``, ``{"selection_probability": x}``,
        ``{"penalty": x}`` or as the cut of another network; holds asked (dict), met (bool), reason (str),
        expected_false_edges (float or None), n_edges.

    Raises
    ------
    InputError
        If a frame lacks a column or has an unknown one, a weight is not above 0, a gene regulates itself, a pair
        occurs twice, an end is no node, or the rows are not in rank order (`netinfer.network.rank_candidates`).
    ConfigError
        If the cut is not exactly one possible criterion.

    Notes
    -----
    `expected_false_edges` is a bound at the cut. It counts edges chosen by sampling chance, given independent units;
    it does not count edges that are confounded, indirect or reversed.
    """

    candidates: pd.DataFrame
    nodes: pd.DataFrame
    targets: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)
    cut: dict[str, Any] = field(default_factory=lambda: {"fdr": 0.1})
    # Rows of `nodes` for each candidate's ends, and which candidates are edges.
    _source: np.ndarray = field(init=False)
    _target: np.ndarray = field(init=False)
    _kept: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.cut, dict):
            raise ConfigError(f'cut: {self.cut!r} is not a mapping: give one such as {{"fdr": 0.1}}')
        provenance = check_provenance(self.provenance)
        nodes, targets = check_nodes(self.nodes), check_targets(self.targets)
        directed = bool(provenance.get("directed", True))
        candidates, source, target = check_candidates(self.candidates, nodes, targets, directed=directed)
        self._set(candidates=candidates, provenance=provenance, _source=source, _target=target)
        self._set_cut(nodes, targets, asked_cut(self.cut.get("asked", self.cut), provenance))

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _set_cut(self, nodes: pd.DataFrame, targets: pd.DataFrame, asked: dict[str, float]) -> None:
        kept = passing(self.candidates, asked)
        degree_in = np.bincount(self._target[kept], minlength=len(nodes))
        degree_out = np.bincount(self._source[kept], minlength=len(nodes))
        if not self.is_directed:
            degree_in = degree_out = degree_in + degree_out
        n_edges = pd.Series(degree_in, index=nodes["name"]).reindex(targets["target"], fill_value=0).to_numpy()
        self._set(
            nodes=nodes.assign(degree_in=degree_in, degree_out=degree_out),
            targets=targets.assign(n_edges=n_edges),
            cut=describe_cut(self.candidates, asked, kept, self.provenance),
            _kept=kept,
        )

    # ---- what is in it ------------------------------------------------------------------------------------------

    @cached_property
    def edges(self) -> pd.DataFrame:
        """The candidates that pass the cut, in rank order, with the same columns."""
        return self.candidates[self._kept].reset_index(drop=True)

    @property
    def is_directed(self) -> bool:
        """Whether edges go from regulator to target."""
        return bool(self.provenance.get("directed", True))

    @property
    def title(self) -> str:
        """Data set and model, as far as the provenance names them."""
        return "_".join(filter(None, (str(self.provenance.get("dataset") or ""), self.model))) or "network"

    @property
    def model(self) -> str:
        """The model that gave the edges: the provenance's, else the candidates', empty where they differ."""
        named = self.provenance.get("model")
        models = [named] if isinstance(named, str) else self.candidates["model"].unique().tolist()
        return models[0] if len(models) == 1 else ""

    def threshold(
        self,
        *,
        expected_false_edges: float | None = None,
        fdr: float | None = None,
        selection_probability: float | None = None,
        penalty: float | None = None,
    ) -> Network:
        """Cut the same candidates elsewhere, without a refit: ranks, weights and effects stay as they are.

        Parameters
        ----------
        expected_false_edges : float, > 0 and at most the number of candidate edges
            Keep candidates whose bound is at most this.
        fdr : float, > 0 and <= 1
            Keep candidates whose q_value is at most this.
        selection_probability : float, > 0 and <= 1; above 0.5 for the rules with a threshold
            Keep candidates selected at least this often.
        penalty : float
            Of a network whose candidates are the graph at one penalty (`netinfer.infer_precision`): that penalty, which
            keeps them all.

        Returns
        -------
        Network
            With degrees, target rows and `cut` of the new cut. Where nothing passes, ``edges`` is empty and
            ``cut["reason"]`` says why.

        Raises
        ------
        ConfigError
            If not exactly one criterion is given, or its value is impossible.
        """
        asked = asked_cut(
            {
                "expected_false_edges": expected_false_edges,
                "fdr": fdr,
                "selection_probability": selection_probability,
                "penalty": penalty,
            },
            self.provenance,
        )
        other = object.__new__(Network)  # the frames were checked when this network was made
        other._set(candidates=self.candidates, provenance=self.provenance, _source=self._source, _target=self._target)
        other._set_cut(self.nodes, self.targets, asked)
        return other

    def exploratory(self, per_target: int = 3, max_edges: int = 5000) -> pd.DataFrame:
        """Return the strongest candidates of each target, ranked without error control.

        Parameters
        ----------
        per_target : int, >= 1
            Edges kept a target at most.
        max_edges : int, >= 0
            Edges kept in all, the strongest.

        Returns
        -------
        DataFrame
            The columns of `candidates` and ``error_control``, which is ``none`` in every row.

        Raises
        ------
        ConfigError
            If a number is too small.
        """
        if per_target < 1 or max_edges < 0:
            raise ConfigError(f"exploratory: per_target {per_target}, max_edges {max_edges}: give at least 1 and 0")
        place = pd.Series(self._target).groupby(self._target).cumcount().to_numpy()
        rows = np.flatnonzero(place < per_target)[:max_edges]
        return self.candidates.iloc[rows].reset_index(drop=True).assign(error_control="none")

    # ---- to other forms -----------------------------------------------------------------------------------------

    def to_networkx(self) -> networkx.DiGraph | networkx.Graph:
        """Return the network at its cut as a networkx graph.

        Returns
        -------
        DiGraph, or Graph where undirected
            Nodes are gene names with the attributes of `nodes`, isolated genes included; edges have the attributes of
            `edges`, ``interaction`` and ``arrow``, which is ``none`` where the direction is undetermined. Values are
            Python's own types; a missing one is left out.
        """
        return export.to_networkx(self)

    def to_anndata(self, adata: AnnData, *, key: str = "netinfer") -> AnnData:
        """Return a copy of the expression data with the network at its cut in it.

        Parameters
        ----------
        adata : AnnData, samples x genes
            Has every node among its ``var_names``.
        key : str
            Where to put it.

        Returns
        -------
        AnnData
            ``varp[key]``: CSR, row = regulator, column = target, value = weight * sign (both halves where
            undirected). ``uns[key]``: what stood there, and ``edges`` (DataFrame), ``network`` (provenance and cut as
            JSON texts, and what the matrix is). Slicing genes slices the matrix, not ``uns``: the matrix is the truth.

        Raises
        ------
        InputError
            If a node is not among the genes, or a gene name occurs twice.
        """
        return export.to_anndata(self, adata, key=key)

    def write_graphml(self, path: str | os.PathLike[str], *, top: int | None = None) -> None:
        """Write the network at its cut as GraphML that Cytoscape opens as it is.

        Parameters
        ----------
        path : path
            Ends with ``.graphml``; its folder must exist.
        top : int, >= 0, optional
            Only this many strongest edges and their genes; by default all edges and all genes.

        Raises
        ------
        ConfigError
            If `top` is negative or the file name ends otherwise, by which Cytoscape would not know it.
        RunError
            If the file cannot be written.
        """
        export.write_graphml(self, path, top=top)

    def write(
        self, folder: str | os.PathLike[str], *, adata: AnnData | None = None, top_edges: int = 500
    ) -> list[Path]:
        """Write all files of the network into a folder, each whole or not at all.

        edges.tsv, edges.parquet, candidates.parquet, nodes.tsv, targets.tsv, network.graphml, network_top.graphml,
        provenance.json, cut.json; network.h5ad where `adata` is given; exploratory.tsv and exploratory.graphml where
        the cut is not met (otherwise such files of an earlier run are removed).

        Parameters
        ----------
        folder : path
            Made where it does not exist.
        adata : AnnData, samples x genes, optional
            The normalized expression data behind the network.
        top_edges : int, >= 0
            Edges of network_top.graphml.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        return export.write(self, folder, adata=adata, top_edges=top_edges)

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Network:
        """Read back a network from a folder that `write` made.

        Parameters
        ----------
        folder : path
            Holds candidates.parquet, nodes.tsv, targets.tsv, provenance.json, cut.json.

        Returns
        -------
        Network
            Equal in every value.

        Raises
        ------
        InputError
            If a file is missing or damaged, or the files are of different networks.
        """
        candidates, nodes, targets, provenance, cut = export.read_parts(folder)
        try:
            network = cls(candidates, nodes, targets, provenance, cut)
        except (InputError, ConfigError) as error:
            raise InputError(f"{folder}: {error}") from error
        if cut != network.cut or not network.nodes.equals(nodes) or not network.targets.equals(targets):
            raise InputError(
                f"{folder}: candidates.parquet, nodes.tsv, targets.tsv and cut.json are not of one network: "
                "write them again together"
            )
        return network

    def __repr__(self) -> str:
        return (
            f"Network({self.title}: {self.cut['n_edges']} edges of {len(self.candidates)} candidates, "
            f"{len(self.nodes)} nodes, {export.cut_in_words(self)})"
        )

    def _repr_html_(self) -> str:
        return export.to_html(self)
