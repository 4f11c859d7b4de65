"""A comparison in the steps of the workflow: choose both penalties, count half-samples by chunks, join them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from netinfer import __version__
from netinfer.config import ComparisonConfig, RegressionConfig
from netinfer.errors import RunError
from netinfer.io.columns import CHANGES, CONDITION_GENES
from netinfer.kernels import thread_limit
from netinfer.models.comparison.choice import PairChoice, choose_pair
from netinfer.models.comparison.conditions import WHERE, Conditions, check_common, check_units, prepare_conditions
from netinfer.models.comparison.fits import Penalties
from netinfer.models.comparison.gather import MODEL, gather_networks
from netinfer.models.comparison.halves import count_halves, whole_fit
from netinfer.models.comparison.infer import correlate_conditions
from netinfer.models.comparison.tally import JointTally
from netinfer.models.precision.configured import skipped_network
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates
from netinfer.models.precision.plan import StoredPlan
from netinfer.models.precision.problem import TooFewUnitsError
from netinfer.network.joint import JointNetworks

if TYPE_CHECKING:
    from anndata import AnnData


@dataclasses.dataclass(frozen=True)
class ComparisonPlan(StoredPlan):
    """What is settled before the half-samples are shared out.

    Attributes
    ----------
    fingerprint : str
        Hash of data and settings.
    skipped : str
        Why there is no comparison; empty where there is one.
    penalty, similarity : float, optional
    criterion : str
    path, similarities, settings : dict
        As in `netinfer.models.comparison.choice.PairChoice`.
    fits : list
        Number of fits so far, of those that are not certified, and the worst duality gap per gene.
    """

    fingerprint: str
    skipped: str = ""
    penalty: float | None = None
    similarity: float | None = None
    criterion: str = ""
    path: dict[str, Any] = dataclasses.field(default_factory=dict)
    similarities: dict[str, Any] = dataclasses.field(default_factory=dict)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    fits: list = dataclasses.field(default_factory=lambda: [0, 0, 0.0])


class ConfiguredComparison:
    """A comparison of data sets as a config asks for it.

    Parameters
    ----------
    expressions : mapping of data set to AnnData, samples x genes
        Normalised, with the design that `netinfer.prepare_samples` wrote down; the first is the reference.
    settings : ComparisonConfig
    regression : RegressionConfig
        Its ``n_subsamples`` and ``threshold`` hold here too.
    seed, threads : int

    Raises
    ------
    InputError
        If the conditions cannot be compared.
    """

    def __init__(
        self,
        expressions: Mapping[str, AnnData],
        settings: ComparisonConfig,
        *,
        regression: RegressionConfig,
        seed: int,
        threads: int = 1,
    ) -> None:
        self.expressions, self.settings, self.regression = dict(expressions), settings, regression
        self.seed, self.threads = seed, threads
        self.reference = settings.datasets[0]
        self.conditions: Conditions | None = None
        self.skipped = ""
        try:
            self.conditions = prepare_conditions(
                self.expressions, reference=self.reference, max_genes=settings.max_genes
            )
        except TooFewUnitsError as few:
            self.skipped = str(few)

    def fingerprint(self) -> str:
        """Return a hash of all that the counts depend on."""
        problems = [] if self.conditions is None else self.conditions.problems
        what = {
            "data": [problem.genes.fingerprint() for problem in problems],
            "settings": self.settings.model_dump(mode="json"),
            "regression": self.regression.model_dump(mode="json", include={"n_subsamples"}),
            "seed": int(self.seed),
            "version": __version__,
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def plan(self) -> ComparisonPlan:
        """Choose both penalties."""
        if self.conditions is None:
            return ComparisonPlan(self.fingerprint(), self.skipped)
        settings, certificates = self.settings, Certificates()
        with thread_limit(1):
            choice = choose_pair(
                self._correlations(), settings.kind, settings.penalty, settings.similarity, settings.criterion,
                stars_threshold=settings.stars_threshold, seed=self.seed, threads=self.threads,
                certificates=certificates,
            )  # fmt: skip
        return ComparisonPlan(
            fingerprint=self.fingerprint(),
            penalty=choice.penalties.penalty,
            similarity=choice.penalties.similarity,
            criterion=choice.criterion,
            path=choice.path,
            similarities=choice.similarities,
            settings=choice.settings,
            fits=[certificates.n_fits, certificates.n_failed, certificates.worst],
        )

    def count(self, plan: ComparisonPlan, chunk: tuple[int, int], path: str | Path) -> None:
        """Count the half-samples of one chunk (counted from 1) and write their tally."""
        self._check(plan)
        place, n = chunk
        certificates = Certificates()
        tally = JointTally.empty(len(self.expressions), 0)
        if self.conditions is not None:
            with thread_limit(1):
                correlations, penalties = self._correlations(), self._penalties(plan)
                # One fit more a chunk, and fewer steps of all others; it is counted where the chunks are joined.
                whole = whole_fit(correlations, self.conditions, penalties, Certificates(), threads=self.threads)
                tally = count_halves(
                    correlations, self.conditions, whole, penalties,
                    range(place - 1, self.regression.n_subsamples // 2, n), seed=self.seed, threads=self.threads,
                    certificates=certificates,
                )  # fmt: skip
        tally.save(path, plan.fingerprint, certificates)

    def join(
        self, plan: ComparisonPlan, parts: Sequence[str | Path], *, provenance: Mapping[str, Any] | None = None
    ) -> JointNetworks:
        """Join the tallies of all chunks; networks without edges and the reason where there is no comparison."""
        self._check(plan)
        settings = self.settings.model_dump(mode="json")
        used = self.regression.model_dump(mode="json", include={"n_subsamples", "threshold"})
        record = {**(provenance or {}), "settings": {**settings, **used}, "seed": self.seed}
        if self.conditions is None:
            return self._nothing(plan.skipped, record)
        certificates = Certificates()
        certificates.join(*plan.fits)
        tallies = [JointTally.load(path, plan.fingerprint, certificates) for path in parts]
        self._check_parts(tallies)
        total = tallies[0]
        for tally in tallies[1:]:
            total += tally
        penalties = self._penalties(plan)
        with thread_limit(1):
            correlations = self._correlations()
            whole = whole_fit(correlations, self.conditions, penalties, certificates, threads=self.threads)
        notes = {name: adata.uns.get("netinfer", {}) for name, adata in self.expressions.items()}
        found = gather_networks(
            self.conditions, correlations,
            PairChoice(penalties, plan.criterion, plan.path, plan.similarities, plan.settings), whole, total,
            threshold=self.regression.threshold, n_subsamples=self.regression.n_subsamples, certificates=certificates,
            record=record, dropped={name: note.get("dropped_genes") for name, note in notes.items()},
        )  # fmt: skip
        certificates.warn(2, where=WHERE)
        return found

    def _nothing(self, reason: str, record: Mapping[str, Any]) -> JointNetworks:
        """Return networks without edges and tables without rows."""
        networks = {name: skipped_network(adata, reason, record, MODEL) for name, adata in self.expressions.items()}
        units = {name: {"n_samples": adata.n_obs, "n_genes": adata.n_vars} for name, adata in self.expressions.items()}
        for name, network in networks.items():
            units[name]["n_units"] = int(network.targets["n_units"].max())
        provenance = {
            **record,
            "netinfer": __version__,
            "model": MODEL,
            "names": list(networks),
            "reference": self.reference,
            "conditions": units,
            "skipped": reason,
        }
        changes = pd.DataFrame(columns=[column.name for column in CHANGES])
        genes = pd.DataFrame(columns=[column.name for column in CONDITION_GENES])
        return JointNetworks(networks, changes, genes, provenance)

    def _check_parts(self, tallies: Sequence[JointTally]) -> None:
        """Refuse tallies that are not, together, all half-samples."""
        found = sorted(pair for tally in tallies for pair in tally.pairs_of_halves)
        n = self.regression.n_subsamples // 2
        if found != list(range(n)):
            raise RunError(
                f"comparison: the parts hold {len(found)} pairs of half-samples, each of {n} is needed once: run the "
                "missing chunks, drop the others"
            )

    def _check(self, plan: ComparisonPlan) -> None:
        if plan.fingerprint != self.fingerprint():
            raise RunError("comparison: the plan was made from other data or settings: delete it and run again")

    def _penalties(self, plan: ComparisonPlan) -> Penalties:
        if plan.penalty is None or plan.similarity is None:
            raise RunError("comparison: the plan has no penalties: delete it and run again")
        return Penalties(self.settings.kind, plan.penalty, plan.similarity)

    def _correlations(self) -> list[Correlations]:
        if self.conditions is None:
            raise RunError(self.skipped)
        return correlate_conditions(self.conditions, self.settings.correlation, self.settings.shrinkage, self.threads)


def configured_comparison(expressions: Sequence[AnnData], params: Any, *, threads: int = 1) -> ConfiguredComparison:
    """Set up a comparison from the params of a rule and its data sets, in the order of the config."""
    settings = ComparisonConfig(**params.comparison)
    return ConfiguredComparison(
        dict(zip(settings.datasets, expressions, strict=True)),
        settings,
        regression=RegressionConfig(**params.regression),
        seed=int(params.seed),
        threads=threads,
    )


def comparison_note(expressions: Mapping[str, AnnData], settings: ComparisonConfig) -> str:
    """Say before any work what a comparison will have, or why there will be none.

    Raises
    ------
    InputError
        If a data set shares no genes with the reference.
    """
    genes = {name: [str(gene) for gene in adata.var_names] for name, adata in expressions.items()}
    common = check_common(genes, settings.datasets[0])
    try:
        check_units(expressions, None)
    except TooFewUnitsError as few:
        return f"comparison {settings.name}: skipped: {few}"
    shared = ", ".join(f"{name} {n:,}" for name, n in common.items())
    return f"comparison {settings.name}: genes in common with {settings.datasets[0]}: {shared}"
