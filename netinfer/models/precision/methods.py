"""The graphical models to choose from."""

from __future__ import annotations

from netinfer.errors import ConfigError
from netinfer.models.precision.graph import GRAPHICAL_LASSO, GraphModel
from netinfer.models.precision.nodewise import COMBINATIONS, NodewiseLasso

METHODS = ("graphical_lasso", "nodewise")


def graph_model(method: str = "graphical_lasso", combine: str | None = None, criterion: str = "stars") -> GraphModel:
    """Return the model that settings name.

    Parameters
    ----------
    method : {"graphical_lasso", "nodewise"}
    combine : {"and", "or"}, optional
        Of nodewise alone, and by default.
    criterion : str
        What will choose its penalty.

    Raises
    ------
    ConfigError
        If a setting is unknown, or belongs to another method.
    """
    if method not in METHODS:
        raise ConfigError(f"infer_precision: method: {method!r} is unknown: use {', '.join(METHODS)}")
    if method != "nodewise":
        if combine is not None:
            raise ConfigError(
                f"infer_precision: combine: {combine!r} is for method nodewise, which has two regressions a pair: "
                "leave it out"
            )
        return GRAPHICAL_LASSO
    if combine is not None and combine not in COMBINATIONS:
        raise ConfigError(f"infer_precision: combine: {combine!r} is unknown: use {', '.join(COMBINATIONS)}")
    if criterion == "cv":
        raise ConfigError(
            "infer_precision: criterion cv: method nodewise has no likelihood to hold out, and the penalty that "
            "predicts each gene best gives it too many neighbours: use stars, ebic, or a penalty"
        )
    return NodewiseLasso(combine or "and")
