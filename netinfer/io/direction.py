"""What an edge's direction rests on, and how an edge is drawn for it.

Only a direction that the data or a list of regulators give is drawn with a head. A pair of two regulators is as likely
to be the other way round, and both may follow a third gene: it is a line.
"""

from __future__ import annotations

from collections.abc import Sequence

# Why an edge points the way it does, in words for people.
DIRECTION_BASES: dict[str, str] = {
    "regulator_list": "the source is on the list of regulators and the target is not: "
    "the list gives the direction, not the data",
    "undetermined": "both genes are regulators: the data do not tell which acts on which, or whether a third gene "
    "moves both; drawn as a line",
    "undirected": "the model has no direction: the two genes go together beyond what all others explain; "
    "drawn as a line",
    "time": "the regulator changes first and the target after it, along the time series",
    "perturbation": "the target changes where the regulator itself was switched off or on",
}
UNDETERMINED, UNDIRECTED = "undetermined", "undirected"
LINES = (UNDETERMINED, UNDIRECTED)
# What `interaction` says, and the end of the edge for it.
ARROWS: dict[str, str] = {"activates": "activation", "represses": "inhibition", "associates": "none"}


def interactions(signs: Sequence[int], bases: Sequence[str], *, directed: bool = True) -> list[str]:
    """Name what each edge does: a direction that is not determined neither activates nor represses.

    Parameters
    ----------
    signs : sequence of int
        1 or -1.
    bases : sequence of str
        ``direction_basis`` of each edge.
    directed : bool
        Of the whole network.

    Returns
    -------
    list of str
        ``activates``, ``represses`` or ``associates``; `ARROWS` has the end of the edge for each.

    Examples
    --------
    >>> interactions([1, -1, -1], ["regulator_list", "time", "undetermined"])
    ['activates', 'represses', 'associates']
    """
    if not directed:
        return ["associates"] * len(signs)
    return [
        "associates" if basis in LINES else "activates" if sign > 0 else "represses"
        for sign, basis in zip(signs, bases, strict=True)
    ]
