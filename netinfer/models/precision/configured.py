"""The undirected network in the steps of the workflow: choose the penalty, count half-samples by chunks, join them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.config import PrecisionConfig, RegressionConfig
from netinfer.errors import ConfigError, RunError
from netinfer.io.columns import EDGES
from netinfer.kernels import thread_limit
from netinfer.models.precision.choice import PenaltyChoice, choose
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates
from netinfer.models.precision.gather import gather
from netinfer.models.precision.methods import graph_model
from netinfer.models.precision.plan import StoredPlan
from netinfer.models.precision.problem import PrecisionProblem, TooFewUnitsError, independent_units, prepare_genes
from netinfer.models.precision.stability import Wanted, bound_constants, count_pairs, half_samples, path_of_halves
from netinfer.models.precision.tally import Tally
from netinfer.network import Network
from netinfer.network.cut import asked_cut

if TYPE_CHECKING:
    from anndata import AnnData


@dataclasses.dataclass(frozen=True)
class PrecisionPlan(StoredPlan):
    """What is settled before the half-samples are shared out.

    Attributes
    ----------
    fingerprint : str
        Hash of data and settings.
    skipped : str
        Why no graph is made; empty where one is.
    penalties : list of float
        Path of every half-sample.
    penalty : float, optional
        Of the graph; None where an error cuts the pairs of the path's last penalty.
    criterion : str
    table : dict of lists
        The choice, one entry a penalty (`PenaltyChoice.table`); None for what is missing.
    record : dict
        Constants of the criterion.
    fits : list
        Number of fits so far, of those that are not certified, and the worst duality gap.
    """

    fingerprint: str
    skipped: str = ""
    penalties: list[float] = dataclasses.field(default_factory=list)
    penalty: float | None = None
    criterion: str = ""
    table: dict[str, list] = dataclasses.field(default_factory=dict)
    record: dict[str, Any] = dataclasses.field(default_factory=dict)
    fits: list = dataclasses.field(default_factory=lambda: [0, 0, 0.0])


class ConfiguredPrecision:
    """The undirected network of one data set as a config asks for it.

    Parameters
    ----------
    adata : AnnData, samples x genes
        Normalised, with the design that `netinfer.prepare_samples` wrote down.
    settings : PrecisionConfig
    regression : RegressionConfig
        Its ``n_subsamples``, ``rule``, ``threshold``, ``truncation`` and ``pooled`` hold for the graph too.
    cut : mapping
        The wished error, used with ``criterion: error``.
    seed, threads : int
    """

    def __init__(
        self,
        adata: AnnData,
        settings: PrecisionConfig,
        *,
        regression: RegressionConfig,
        cut: Mapping[str, float],
        seed: int,
        threads: int = 1,
    ) -> None:
        self.adata, self.settings, self.regression = adata, settings, regression
        self.seed, self.threads = seed, threads
        self.cut = {name: value for name, value in cut.items() if value is not None}
        self.model = graph_model(settings.method, settings.combine, settings.criterion)
        self.problem: PrecisionProblem | None = None
        self.skipped = ""
        self.asked = self.cut if settings.criterion == "error" else None
        if self.asked is not None and "selection_probability" in self.asked:
            raise ConfigError(
                "precision: criterion error needs a cut by fdr or expected_false_edges, not by selection_probability"
            )
        try:
            self.problem = prepare_genes(adata, max_genes=settings.max_genes)
        except TooFewUnitsError as few:
            self.skipped = str(few)
        if self.asked is not None and self.problem is not None:
            asked_cut(self.asked, {"n_pairs": self.problem.n_pairs})

    def fingerprint(self) -> str:
        """Return a hash of all that the counts depend on."""
        used = self.regression.model_dump(include={"n_subsamples", "rule", "threshold", "truncation", "pooled"})
        what = {
            "data": "" if self.problem is None else self.problem.genes.fingerprint(),
            "settings": self.settings.model_dump(mode="json"),
            "regression": used,
            "cut": self.asked,
            "seed": int(self.seed),
            "version": __version__,
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def plan(self) -> PrecisionPlan:
        """Choose the penalty, and the path of the half-samples by the first pair."""
        if self.problem is None:
            return PrecisionPlan(self.fingerprint(), self.skipped)
        settings, certificates = self.settings, Certificates()
        with thread_limit(1):
            correlations = self._correlations()
            choice = None
            if self.asked is None or settings.penalty is not None:
                criterion = "stars" if settings.criterion == "error" else settings.criterion
                choice = choose(
                    correlations, settings.penalty, criterion, stars_threshold=settings.stars_threshold,
                    seed=self.seed, threads=self.threads, certificates=certificates, model=self.model,
                )  # fmt: skip
            penalty = None if choice is None else choice.penalty
            # Its pair is fitted again with the others: one of many.
            penalties = path_of_halves(
                correlations, penalty, self._wanted(), n_subsamples=self.regression.n_subsamples, seed=self.seed,
                threads=self.threads, certificates=Certificates(), model=self.model,
            )  # fmt: skip
        table: Any = {} if choice is None else choice.table.astype(object).where(choice.table.notna(), None)
        return PrecisionPlan(
            fingerprint=self.fingerprint(),
            penalties=penalties.tolist(),
            penalty=penalty,
            criterion="error" if choice is None else choice.criterion,
            table={str(name): list(table[name]) for name in table},
            record={} if choice is None else choice.record,
            fits=[certificates.n_fits, certificates.n_failed, certificates.worst],
        )

    def count(self, plan: PrecisionPlan, chunk: tuple[int, int], path: str | Path) -> None:
        """Count the half-samples of one chunk (counted from 1) and write their tally."""
        self._check(plan)
        place, n = chunk
        certificates = Certificates()
        if self.problem is None:
            tally = Tally.empty(0, np.zeros(1), None)
        else:
            with thread_limit(1):
                tally = count_pairs(
                    self._correlations(), np.array(plan.penalties), plan.penalty,
                    range(place - 1, self.regression.n_subsamples // 2, n), seed=self.seed, threads=self.threads,
                    certificates=certificates, model=self.model,
                )  # fmt: skip
        tally.save(path, plan.fingerprint, certificates)

    def join(
        self, plan: PrecisionPlan, parts: Sequence[str | Path], *, provenance: Mapping[str, Any] | None = None
    ) -> Network:
        """Join the tallies of all chunks into the network; an empty one with the reason where none is made."""
        self._check(plan)
        record = {**(provenance or {}), "settings": self._record(), "seed": self.seed}
        dropped = self.adata.uns.get("netinfer", {}).get("dropped_genes")
        if self.problem is None:
            return skipped_network(self.adata, plan.skipped, record, self.model.name)
        certificates = Certificates()
        certificates.join(*plan.fits)
        tallies = [Tally.load(path, plan.fingerprint, certificates) for path in parts]
        self._check_parts(plan, tallies)
        total = tallies[0]
        for tally in tallies[1:]:
            total += tally
        halves = half_samples(total, self.regression.n_subsamples)
        with thread_limit(1):
            correlations = self._correlations()
            # By the way that the choice went, which gives its very bits.
            way = [] if plan.penalty is None else [x for x in plan.table["penalty"] if x >= plan.penalty]
            graphs = self.model.path(correlations.whole.matrix, way, Certificates(), threads=self.threads)
            last = deque(graphs, maxlen=1)
        choice = found = None
        if plan.penalty is not None:
            found = last[0]
            table = pd.DataFrame(plan.table).apply(pd.to_numeric)
            choice = PenaltyChoice(plan.penalty, plan.criterion, found, table, plan.record)
        network = gather(
            self.problem, correlations, choice, found, halves, rule=self.regression.rule, constants=self._constants(),
            asked=self.asked, certificates=certificates, record=record, dropped=dropped,
            model=self.model,
        )  # fmt: skip
        certificates.warn(2, self.model.gap, self.model.tolerance)
        return network

    def _check_parts(self, plan: PrecisionPlan, tallies: Sequence[Tally]) -> None:
        """Refuse tallies that are not, together, all half-samples of this plan."""
        found = sorted(pair for tally in tallies for pair in tally.pairs_of_halves)
        n = self.regression.n_subsamples // 2
        if found != list(range(n)):
            raise RunError(
                f"precision: the parts hold {len(found)} pairs of half-samples, each of {n} is needed once: run the "
                "missing chunks, drop the others"
            )
        for tally in tallies:
            if tally.penalties.tolist() != plan.penalties:
                raise RunError("precision: a part was made by another plan: delete work/precision and run again")

    @property
    def _made(self) -> PrecisionProblem:
        if self.problem is None:
            raise RunError(self.skipped)
        return self.problem

    def _check(self, plan: PrecisionPlan) -> None:
        if plan.fingerprint != self.fingerprint():
            raise RunError("precision: the plan was made from other data or settings: delete it and run again")

    def _correlations(self) -> Correlations:
        return Correlations(self._made.genes, self.settings.correlation, self.settings.shrinkage, self.threads)

    def _constants(self) -> dict[str, Any]:
        settings, problem = self.regression, self._made
        truncation = None if settings.truncation == "auto" else float(settings.truncation)
        return bound_constants(
            len(problem.names), problem.genes.n_units, settings.threshold, truncation=truncation, pooled=settings.pooled
        )

    def _wanted(self) -> Wanted:
        return Wanted.by(self.asked, self.regression.rule, self._constants())

    def _record(self) -> dict[str, Any]:
        used = self.regression.model_dump(mode="json", include={"n_subsamples", "rule", "threshold"})
        return {**self.settings.model_dump(mode="json"), **used}


def skipped_network(adata: AnnData, reason: str, record: Mapping[str, Any], model: str) -> Network:
    """Return a network without edges that says why it has none."""
    names = [str(name) for name in adata.var_names]
    candidates = pd.DataFrame(columns=[column.name for column in EDGES])
    nodes = pd.DataFrame(
        {"name": names, "gene_id": names, "symbol": "", "is_regulator": False, "expression_mean": np.nan}
    )
    targets = pd.DataFrame(
        {
            "target": names,
            "status": "too_few_samples",
            "reason": reason,
            "n_units": independent_units(adata, None)[1],
            "penalty_max": np.nan,
            "duality_gap": np.nan,
            "n_candidates": 0,
            "r2_heldout": np.nan,
        }
    )
    provenance = {**record, "netinfer": __version__, "model": model, "directed": False, "skipped": reason}
    return Network(candidates, nodes, targets, provenance, {"fdr": 0.1})


def configured_precision(adata: AnnData, params: Any, *, threads: int = 1) -> ConfiguredPrecision:
    """Set up the network of a data set from the params of a rule."""
    return ConfiguredPrecision(
        adata,
        PrecisionConfig(**params.precision),
        regression=RegressionConfig(**params.regression),
        cut=dict(params.cut),
        seed=int(params.seed),
        threads=threads,
    )


def size_note(adata: AnnData, settings: PrecisionConfig) -> str:
    """Say before any work which genes an undirected network will have, or why there will be none."""
    try:
        return f"undirected network: {prepare_genes(adata, max_genes=settings.max_genes).choice}"
    except TooFewUnitsError as few:
        return f"undirected network: skipped: {few}"
