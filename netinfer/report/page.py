"""Write the report: one HTML page that needs nothing beside it."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def write_report(
    path: str | os.PathLike[str],
    net: Any,
    adata: AnnData | None = None,
    *,
    evaluation: pd.DataFrame | None = None,
    gold: Any = None,
    paths: pd.DataFrame | None = None,
    title: str | None = None,
) -> Path:
    """Write one self-contained HTML page about a data set and its network.

    No script, no request, nothing outside the file; names are escaped, and figures are images. The same input gives
    the same bytes.

    Parameters
    ----------
    path : path
        The page to write. Its folder must exist.
    net : Network
    adata : AnnData, samples x genes, optional
        The normalised expression behind the network, with what was dropped in ``uns["netinfer"]``.
    evaluation : DataFrame, optional
        The table of `netinfer.evaluate`; made here where only `gold` is given.
    gold : DataFrame or path, optional
        Gold standard, for the precision-recall curve beside |Pearson|.
    paths : DataFrame, optional
        target, regulator, penalty, selection_probability: the stability paths of a few targets; the first 6 are drawn.
    title : str, optional
        By default the data set's name.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the gold standard cannot be used.
    RunError
        If the file cannot be written.
    """
    from netinfer.evaluate import evaluate, precision_recall
    from netinfer.io.files import atomic_write
    from netinfer.report import content
    from netinfer.report.components import leading_components
    from netinfer.report.figures import N_REGULATORS, draw

    curves = None
    if gold is not None:
        curves = precision_recall(net, gold, baseline=adata)
        evaluation = evaluate(net, gold, baseline=adata) if evaluation is None else evaluation
    edges, n_shown, n_sources = content.edge_rows(net)
    page = _template().render(
        title=title or str(net.provenance.get("dataset") or "netinfer network"),
        net=content.overview(net),
        data=content.data_facts(adata),
        edges=edges,
        n_shown=n_shown,
        n_sources_shown=n_sources,
        n_bars=min(N_REGULATORS, n_sources),
        targets=content.target_facts(net),
        scores=content.score_rows(evaluation),
        settings=content.settings_rows(net.provenance),
        components=leading_components(adata),
        figures=draw(net, paths, curves),
        bound_assumes=content.BOUND_ASSUMES,
        not_counted=content.NOT_COUNTED,
        effect=str(net.provenance.get("effect", "")).removeprefix("effect: "),
        version=str(net.provenance.get("netinfer", "")),
    )
    with atomic_write(path) as file:
        file.write(page)
    return Path(path)


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("netinfer.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(count=_count, fixed=_fixed, number=_number)
    return environment.get_template("report.html")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _count(value: Any) -> str:
    """Write a whole number with separated thousands."""
    return "–" if _is_missing(value) else f"{round(value):,}"


def _fixed(value: Any, digits: int) -> str:
    """Write a number with so many decimals and a proper minus sign."""
    return "–" if _is_missing(value) else f"{value:.{digits}f}".replace("-", "−")


def _number(value: Any, digits: int = 3) -> str:
    """Write a number with a few significant digits and a proper minus sign."""
    if _is_missing(value):
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"
    return text.replace("-", "−")
