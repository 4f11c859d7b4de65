"""Write the report: one HTML page that needs nothing beside it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
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
    phenotype: pd.DataFrame | Any = None,
    annotation: pd.DataFrame | None = None,
    sensitivity: Any = None,
    precision: Any = None,
    motif: Any = None,
    responses: pd.DataFrame | None = None,
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
    phenotype : PhenotypeModel or DataFrame, optional
        The genes selected for a trait; a DataFrame is as in phenotype/genes.tsv.
    annotation : DataFrame, optional
        Of a network that leaves pairs of one operon out; see `netinfer.evaluate`.
    sensitivity : Sensitivity, optional
        The network under other choices, from `netinfer.sensitivity`.
    precision : Network, optional
        The undirected network of the data set, from `netinfer.infer_precision`.
    motif : MotifLinks, optional
        Motifs of the regulators' targets, from `netinfer.models.motif_sites.fit_links`.
    responses : DataFrame, optional
        Beside `motif`: the table of ``motif/responses.tsv``.
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

    curves = None
    if gold is not None:
        curves = precision_recall(net, gold, baseline=adata, annotation=annotation)
        if evaluation is None:
            evaluation = evaluate(net, gold, baseline=adata, annotation=annotation)
    return _write(
        path,
        "report.html",
        title=title or str(net.provenance.get("dataset") or "netinfer network"),
        **_values(net, adata, evaluation, paths, curves, phenotype, sensitivity, precision, motif, responses),
    )


def _values(
    net: Any,
    adata: AnnData | None,
    evaluation: pd.DataFrame | None,
    paths: pd.DataFrame | None,
    curves: pd.DataFrame | None,
    phenotype: Any,
    sensitivity: Any,
    precision: Any,
    motif: Any,
    responses: pd.DataFrame | None,
) -> dict[str, Any]:
    """Gather everything that the templates show."""
    from netinfer.plot.stability import cut_lines
    from netinfer.report import advice, content, trust
    from netinfer.report.components import leading_components
    from netinfer.report.figures import N_REGULATORS, draw
    from netinfer.report.graph import precision_facts
    from netinfer.report.labels import display_names
    from netinfer.report.motif_links import motif_facts

    names = display_names(net.nodes)
    components = leading_components(adata, **trust.projected(net.provenance, adata))
    facts = trust.gather_facts(net, adata, components=components, evaluation=evaluation, names=names)
    chosen = advice.advise(facts)
    edges, n_shown, n_sources = content.edge_rows(net)
    return {
        "net": content.overview(net),
        "data": content.data_facts(adata),
        "facts": facts,
        "advice": [rule.sentence(facts) for rule in chosen],
        "has_warnings": any(rule.is_warning for rule in chosen),
        "first_goes_with": [one for one in facts.goes_with if one.component == 1],
        "outlier_names": ", ".join(advice.yaml_value(str(row["sample"])) for row in facts.outliers[: content.LISTED]),
        "listed": content.LISTED,
        "edges": edges,
        "directions": content.direction_rows(net),
        "n_shown": n_shown,
        "n_sources_shown": n_sources,
        "n_bars": min(N_REGULATORS, n_sources),
        "targets": content.target_facts(net),
        "scores": content.score_rows(evaluation),
        "phenotype": content.phenotype_facts(phenotype, net.nodes),
        "has_path_end": paths is not None and cut_lines(net, paths)[1] is not None,
        "sensitivity": content.sensitivity_facts(sensitivity),
        "precision": precision_facts(precision, net),
        "motif": motif_facts(motif, names, responses),
        "settings": content.settings_rows(net.provenance),
        "components": components,
        "figures": draw(net, paths, curves, facts=facts, names=names, card=sensitivity, graph=precision, motif=motif),
        "bound_assumes": content.BOUND_ASSUMES,
        "not_counted": content.NOT_COUNTED,
        "effect": str(net.provenance.get("effect", "")).removeprefix("effect: "),
        "version": str(net.provenance.get("netinfer", "")),
    }


def write_comparison_report(path: str | os.PathLike[str], found: Any, *, title: str | None = None) -> Path:
    """Write one self-contained HTML page about a comparison of conditions, as `write_report` does of a data set.

    Parameters
    ----------
    path : path
        The page to write. Its folder must exist.
    found : JointNetworks
    title : str, optional
        By default the comparison's name.

    Returns
    -------
    Path

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    from netinfer.report.comparison import comparison_facts

    return _write(
        path,
        "comparison.html",
        title=title or str(found.provenance.get("name") or "conditions"),
        **comparison_facts(found),
    )


def write_motif_report(
    path: str | os.PathLike[str],
    model: Any,
    *,
    title: str | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Path:
    """Write one self-contained HTML page about a motif-position model, as `write_report` does of a data set.

    Parameters
    ----------
    path : path
        The page to write. Its folder must exist.
    model : MotifModel
        Its matches with known motifs are shown where it was read from a folder that has them, or came from
        `netinfer.models.motif.match_footprints` by way of ``write(motifs=...)``.
    title : str, optional
        By default the name of the response.
    folder : path, optional
        Where the files of the model lie, by default beside the page: those that are there already are linked.

    Returns
    -------
    Path

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    from netinfer.report.motif import motif_facts

    path = Path(path)
    facts = motif_facts(model, path.parent if folder is None else Path(folder), path.parent)
    return _write(path, "motif.html", title=title or str(model.record["response"]), **facts)


def write_library_report(
    path: str | os.PathLike[str], models: Mapping[str, Any], folders: Mapping[str, str], *, title: str
) -> Path:
    """Write the page of a library of sequences: that of its model or, of several responses, one that leads to theirs.

    Parameters
    ----------
    path : path
        The page to write. Its folder must exist.
    models : mapping of response to MotifModel
    folders : mapping of response to folder, beside the page
        Where the files of each model lie, with a ``report.html`` where there are several.
    title : str

    Returns
    -------
    Path

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    from netinfer.report.motif import library_facts

    path = Path(path)
    if len(models) == 1:
        ((response, model),) = models.items()
        return write_motif_report(path, model, title=title, folder=path.parent / folders[response])
    return _write(path, "library.html", title=title, **library_facts(models, folders))


def _write(path: str | os.PathLike[str], template: str, /, **facts: Any) -> Path:
    """Render a template and write the page, whole or not at all."""
    from netinfer.io.files import atomic_write

    page = _template(template).render(**facts)
    with atomic_write(path) as file:
        file.write(page)
    return Path(path)


def _template(name: str) -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("netinfer.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(count=_count, fixed=_fixed, number=_number, code=_code, capitalised=_capitalised)
    return environment.get_template(name)


def _code(text: str) -> Any:
    """Escape a sentence, then mark what stands between backquotes as code."""
    import markupsafe

    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(text))))


def _capitalised(text: str) -> str:
    """Begin a sentence with a capital, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


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
