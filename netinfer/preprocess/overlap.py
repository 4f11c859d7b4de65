"""Do the regulators stand among the genes: orientation, missing names, nearest forms."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from netinfer.errors import InputError
from netinfer.io.ids import clean_id, some, strip_version
from netinfer.io.matching import without_version

if TYPE_CHECKING:
    from anndata import AnnData

_MAX_COMPARED = 30_000


def check_orientation(
    adata: AnnData, regulators: Iterable[str], *, where: str, orientation: str = "auto", versions: bool = False
) -> int:
    """Refuse a matrix in which more regulators name samples than genes.

    Parameters
    ----------
    adata : AnnData
        As read: rows are taken as samples.
    regulators : iterable of str
        Ids of the candidate regulators.
    where : str
        File or data set, for the message.
    orientation : str
        What the config says; a matrix that was turned on its word gets the opposite advice.
    versions : bool
        Whether version suffixes are left out of the comparison for every name; those of Ensembl ids always are.

    Returns
    -------
    int
        Number of regulators among the genes.

    Raises
    ------
    InputError
        More regulators among the row names than among the column names.
    """
    strip = strip_version if versions else without_version
    wanted = {strip(clean_id(str(name))) for name in regulators}
    as_read = len(wanted.intersection(strip(clean_id(str(name))) for name in adata.var_names))
    turned = len(wanted.intersection(strip(clean_id(str(name))) for name in adata.obs_names))
    if turned <= as_read:
        return as_read
    if orientation == "genes_x_samples":
        message = (
            f"looks samples x genes: {turned} of {len(wanted)} regulators found untransposed, {as_read} transposed"
        )
        raise InputError(f"{where}: {message}: take `orientation: genes_x_samples` out")
    message = f"looks genes x samples: {as_read} of {len(wanted)} regulators found as read, {turned} transposed"
    raise InputError(f"{where}: {message}: set `orientation: genes_x_samples`")


def match_regulators(
    genes: Sequence[str], regulators: Sequence[str], where: str, *, hint: str = ""
) -> tuple[list[str], list[str]]:
    """Find the regulators among the genes, by exact name.

    Parameters
    ----------
    genes, regulators : sequence of str
    where : str
        Data set, for the messages.
    hint : str, optional
        What to do where none is found.

    Returns
    -------
    found : list of str
    log : list of str
        What is missing, with the nearest names of the first five.

    Raises
    ------
    InputError
        No regulator among the genes.
    """
    if not regulators:
        raise InputError(f"{where}: the list of regulators is empty: name at least one gene")
    known = set(genes)
    found = [name for name in regulators if name in known]
    missing = [name for name in regulators if name not in known]
    if not missing:
        return found, [f"all {len(found)} regulators are among the {len(genes)} genes"]
    if not found:
        raise InputError(
            f"{where}: none of {len(regulators)} regulators is among the {len(genes)} genes: "
            f"{nearest(missing[:5], genes)}; "
            f"the genes begin {some(genes, 3)}: {hint or 'check the type, case and version suffix of the ids'}"
        )
    sentence = f"{len(found)} of {len(regulators)} regulators are among the {len(genes)} genes"
    sentence += f"; not among them: {some(missing, 200)}"
    return found, [sentence, f"nearest names of missing regulators: {nearest(missing[:5], genes)}"]


def nearest(names: Sequence[str], genes: Sequence[str]) -> str:
    """Name the gene that looks most like each name: equal but for case or version, else the closest spelling."""
    folded: dict[str, str] = {}
    for gene in genes:
        folded.setdefault(gene.casefold(), gene)
        folded.setdefault(strip_version(gene).casefold(), gene)
    pool = list(folded)[:_MAX_COMPARED]
    texts = []
    for name in names:
        key = name.casefold()
        match = folded.get(key) or folded.get(strip_version(key))
        if match is None:
            close = difflib.get_close_matches(key[:60], pool, n=1, cutoff=0.6)
            match = folded[close[0]] if close else None
        texts.append(f"{name!r} (nearest {match!r})" if match else f"{name!r} (nothing near)")
    return ", ".join(texts)
