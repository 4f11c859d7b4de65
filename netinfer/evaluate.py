"""Score a network against a gold standard, with |Pearson| beside it on the same pairs.

`netinfer.evaluate` is the function here, so that this module is imported with the package: what it needs is imported
when it is called.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from netinfer.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from netinfer.scoring import Ranking, Universe

logger = logging.getLogger(__name__)


def evaluate(
    network: Any,
    gold: Any,
    *,
    baseline: Any = None,
    n_bootstrap: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
    annotation: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score a network against a gold standard.

    Parameters
    ----------
    network : Network, DataFrame or path
        A Network (its ``candidates`` are ranked, its ``edges`` are the network at its cut), a table with the columns
        source, target, weight and optionally sign (every row is then in the network), or the path of such a table or
        of a folder written by ``Network.write``.
    gold : DataFrame or path
        Columns source, target, is_edge and optionally sign (1, -1, else unknown). A list with non-edges is taken as
        the complete universe of pairs; a list of edges alone stands for all its sources times all its targets. Self
        pairs are left out, and so are pairs that the data could not give: of a network with nodes, those whose target
        is no node or whose source is no regulator among the nodes; of an edge table with expression as `baseline`,
        those with a gene that is not in the expression.
    baseline : AnnData (samples x genes), DataFrame or path, optional
        Normalised expression gives |Pearson| on the same pairs; an edge table is ranked as it is.
    n_bootstrap : int, default 200
        Bootstrap samples of the gold standard's targets for the interval (pairs of one target share one fit and are
        no independent units); 0 leaves it out.
    confidence : float in (0, 1), default 0.95
        Coverage of the percentile interval.
    seed : int, default 0
        Key of the counter-based generator: bootstrap sample b depends on (seed, b) alone.
    annotation : DataFrame, optional
        Of `netinfer.io.read_annotation`: some metrics are then given a second time, as ``aupr_without_operon`` and so
        on, of the pairs whose genes do not lie in one operon. Of a network that leaves such pairs out
        (`exclude_same_operon`) they are left out of all metrics instead, so that the baseline is scored on the same
        pairs.

    Returns
    -------
    DataFrame
        One row a metric: metric, value, baseline, low, high (NaN where undefined).

        aupr
            Area under the precision-recall curve by the trapezoid rule, as DREAM5 scores.
        average_precision
            The step-wise sum that scikit-learn calls so; close to aupr unless there are few edges.
        auroc
            Area under the receiver operating characteristic.
        early_precision, early_precision_ratio
            Precision of the first k pairs, k the number of true edges (BEELINE), and its ratio to the base rate.
        mcc, precision_at_cut, recall_at_cut
            Of the network at its own cut; the baseline is cut after as many edges.
        signed_accuracy
            Among true edges of known sign in the network at its cut, the share with the right sign.
        base_rate
            Share of true edges: the precision of a random order.
        n_pairs, n_positives, n_edges_scored, n_candidates_scored
            Pairs in the universe, true edges, and how many of the network's edges and candidates lie in it.
        n_positives_outside_data
            Edges of the gold standard that are left out because a gene of theirs is not in the data, or their source
            is no regulator there.

    Raises
    ------
    InputError
        If a table lacks columns, repeats a pair, has negative or missing weights, or the gold standard has no edge,
        or none between genes of the data; if the annotation has fewer than half of the genes.

    Notes
    -----
    Pairs of equal weight are ties, and so are all pairs that are not listed, below every listed one (the rule of
    DREAM5, Marbach et al. 2012); every measure is its exact expectation over their random orders. One sort of the
    listed pairs; a bootstrap sample only weights the sorted list, so that a million pairs take seconds.
    """
    import pandas as pd

    from netinfer import scoring

    if not 0 < confidence < 1:
        raise InputError(f"evaluate: confidence: {confidence} is not between 0 and 1: give for example 0.95")
    network = scoring.as_network(network)
    tables = scoring.as_tables(network)
    universe, is_without = _universe(network, gold, baseline, annotation)
    options = {"n_samples": n_bootstrap, "confidence": confidence, "seed": seed}
    scores = _scores(universe, tables, baseline, options)
    rows = [(name, *(column[name] for column in scores)) for name in scoring.METRICS]
    if annotation is not None and not is_without:
        rest = scoring.without_operon(universe, annotation, getattr(network, "nodes", None))
        none = {"n_pairs": float(rest.n_pairs), "n_positives": 0.0}
        scores = _scores(rest, tables, baseline, options) if rest.n_edges else (none, {}, {}, {})
        for name in scoring.METRICS_WITHOUT:
            rows.append((name + scoring.SUFFIX, *(column.get(name, float("nan")) for column in scores)))
    return pd.DataFrame(rows, columns=["metric", "value", "baseline", "low", "high"])


def _scores(
    universe: Universe, tables: tuple[pd.DataFrame, pd.DataFrame], baseline: Any, options: dict[str, Any]
) -> tuple[dict[str, float], ...]:
    """Return value, baseline, low and high of every metric on one universe."""
    from netinfer import scoring

    candidates, edges = tables
    ranking = scoring.rank(universe, candidates, "network").at_cut(universe, edges)
    value = scoring.Scorer(ranking, universe).score()
    other = dict.fromkeys(scoring.METRICS, float("nan"))
    if baseline is not None:
        beside = _rank_baseline(universe, baseline).at_top(ranking.cut.size)
        other = scoring.Scorer(beside, universe).score()
    low, high = scoring.bootstrap(ranking, universe, **options)
    return value, other, low, high


def precision_recall(
    network: Any,
    gold: Any,
    *,
    baseline: Any = None,
    max_points: int = 1000,
    annotation: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the precision-recall curve of a network, and of a baseline on the same pairs.

    Parameters
    ----------
    network, gold, baseline
        As in `evaluate`.
    max_points : int, default 1000
        Points kept of each curve, evenly spaced in recall, always with the first and the last.
    annotation : DataFrame, optional
        For a network that leaves pairs of one operon out: they are then left out of both curves.

    Returns
    -------
    DataFrame
        method ("network", and "|Pearson|" or "baseline"), recall, precision at the end of each block of ties, in order
        of recall. The last point is (1, base rate); the unlisted pairs are the stretch that leads to it.
    """
    import numpy as np
    import pandas as pd

    from netinfer import scoring

    network = scoring.as_network(network)
    candidates, _ = scoring.as_tables(network)
    universe, _ = _universe(network, gold, baseline, annotation)
    curves = {"network": scoring.rank(universe, candidates, "network")}
    if baseline is not None:
        name = "|Pearson|" if hasattr(baseline, "var_names") else "baseline"
        curves[name] = _rank_baseline(universe, baseline)
    frames = []
    for method, ranking in curves.items():
        recall, precision = ranking.curve(universe)
        if recall.size > max_points:
            wanted = np.searchsorted(recall, np.linspace(recall[0], recall[-1], max_points))
            keep = np.unique(np.concatenate([[0], wanted, [recall.size - 1]]))
            recall, precision = recall[keep], precision[keep]
        frames.append(pd.DataFrame({"method": method, "recall": recall, "precision": precision}))
    return pd.concat(frames, ignore_index=True)


def _universe(network: Any, gold: Any, baseline: Any, annotation: pd.DataFrame | None) -> tuple[Universe, bool]:
    """Return the pairs to score, and whether those of one operon are left out because the network leaves them out."""
    from netinfer import scoring

    listed = scoring.in_keys(scoring.as_gold(gold), network, baseline)
    universe = _within_data(scoring.Universe.from_gold(listed), network, baseline)
    if not scoring.leaves_operons_out(network):
        return universe, False
    if annotation is None:
        logger.warning(
            "evaluate: the network leaves out pairs of one operon, which the gold standard and the baseline have: "
            "give the annotation to score both on the same pairs"
        )
        return universe, False
    rest = scoring.without_operon(universe, annotation, getattr(network, "nodes", None))
    if not rest.n_edges:
        raise InputError(
            "gold standard: all its edges lie within operons, which the network leaves out: "
            "take `exclude_same_operon` or `gold` out"
        )
    return rest, True


def _within_data(universe: Universe, network: Any, baseline: Any) -> Universe:
    """Leave out the pairs that the data behind the network could not give, as far as its genes are known."""
    import pandas as pd

    nodes = getattr(network, "nodes", None)
    if isinstance(nodes, pd.DataFrame) and "name" in nodes:
        genes = pd.Index(nodes["name"].astype(str))
        regulators = genes[nodes["is_regulator"].to_numpy(dtype=bool)] if "is_regulator" in nodes else genes
        return universe.within(regulators, genes)
    if hasattr(baseline, "var_names"):
        genes = pd.Index(baseline.var_names.astype(str))
        return universe.within(genes, genes)
    return universe


def _rank_baseline(universe: Universe, baseline: Any) -> Ranking:
    from netinfer import scoring

    if hasattr(baseline, "var_names"):
        return scoring.rank_pearson(universe, baseline)
    return scoring.rank(universe, scoring.as_tables(baseline)[0], "baseline")
