"""The result of a phenotype model: genes at the cut, every candidate ranked, and a record of how it was made."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import TRAIT, phenotype_gene_columns
from netinfer.io.files import made_folder
from netinfer.io.tables import read_json, read_tsv, write_json, write_tsv

if TYPE_CHECKING:
    from netinfer.network import Network

_SHOWN = 10
_NODE_COLUMNS = tuple(column.name for column in TRAIT)


@dataclass(frozen=True, eq=False, repr=False)
class PhenotypeModel:
    """Genes that a trait of the samples selects, and how sure that is.

    Attributes
    ----------
    genes : DataFrame, one row a gene at the cut
        gene, symbol (where the data have one), weight, sign, effect, effect_low, effect_high, odds_ratio,
        odds_ratio_low and odds_ratio_high (two classes), selection_probability, expected_false_genes, q_value, rank.
        Empty where nothing passes; ``cut["reason"]`` then says why.
    ranked : DataFrame, one row a candidate gene
        The same columns for every gene that some half-sample selected, in order of rank, and ``error_control``, which
        is ``none``: the list as a whole is ranked without error control.
    record : dict
        JSON's own types: family, column, samples and units, covariates, held-out R2 or AUC, settings, certificate.
    cut : dict
        ``asked`` (one criterion and its value), ``met``, ``reason``, ``expected_false_genes``, ``n_genes``.

    Notes
    -----
    `expected_false_genes` counts genes chosen by sampling chance, given independent units; it does not count genes
    that are confounded with the trait, that follow from it, or that stand for another gene.
    """

    genes: pd.DataFrame
    ranked: pd.DataFrame
    record: dict[str, Any]
    cut: dict[str, Any]

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write genes.tsv, genes_ranked.tsv and model.json into a folder, each whole or not at all.

        Parameters
        ----------
        folder : path
            Made where it does not exist.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        folder = made_folder(folder)
        files = [folder / name for name in ("genes.tsv", "genes_ranked.tsv", "model.json")]
        write_tsv(files[0], self.genes, phenotype_gene_columns(self.genes.columns))
        write_tsv(files[1], self.ranked, phenotype_gene_columns(self.ranked.columns))
        write_json(files[2], {**self.record, "cut": self.cut})
        return files

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> PhenotypeModel:
        """Read back a model from a folder that `write` made.

        Raises
        ------
        InputError
            If a file is missing or damaged.
        """
        folder = Path(folder)
        record = read_json(folder / "model.json")
        cut = record.pop("cut", None)
        if not isinstance(cut, dict):
            raise InputError(f"{folder / 'model.json'}: has no cut: write it again")
        return cls(_read(folder / "genes.tsv"), _read(folder / "genes_ranked.tsv"), record, cut)

    def in_words(self) -> str:
        """Say in one line what came out."""
        cut, record = self.cut, self.record
        ((name, value),) = cut["asked"].items()
        head = f"{cut['n_genes']} of {record['n_genes']:,} genes for {record['column']} at {name} = {value:g}"
        if not cut["met"]:
            return f"{head}, not met: {cut['reason']}"
        bound = cut["expected_false_genes"]
        return head + (", expected false genes " + ("not bounded" if bound is None else f"<= {bound:.3g}"))

    def __repr__(self) -> str:
        return f"PhenotypeModel({self.in_words()})"

    def _repr_html_(self) -> str:
        shown = ["gene", "sign", "effect", "selection_probability", "expected_false_genes", "q_value"]
        head = self.genes[shown].head(_SHOWN)
        header = "".join(f"<th>{name}</th>" for name in shown)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in zip(*(head[name].tolist() for name in shown), strict=True)
        )
        return (
            f"<div><p>{escape(self.in_words())}. {escape(self.record['not_counted'])}</p>"
            f"<table><tr>{header}</tr>{rows}</table></div>"
        )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3g}"
    return str(value)


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file: give the folder of a finished phenotype model")
    return read_tsv(path, phenotype_gene_columns)


def with_phenotype(network: Network, model: PhenotypeModel) -> Network:
    """Give the nodes of a network what a trait's model says of their genes.

    Parameters
    ----------
    network : Network
    model : PhenotypeModel
        Of the same expression data.

    Returns
    -------
    Network
        Its `nodes` have ``phenotype_effect`` and ``phenotype_selection_probability`` beside the other columns; missing
        for a gene that is no candidate of the model. Nothing else changes.
    """
    from netinfer.network import Network

    ranked = model.ranked.set_index("gene")[["effect", "selection_probability"]]
    found = ranked.reindex(network.nodes["name"]).to_numpy(dtype=np.float64)
    nodes = network.nodes.assign(**{name: found[:, j] for j, name in enumerate(_NODE_COLUMNS)})
    return Network(network.candidates, nodes, network.targets, network.provenance, network.cut)
