"""The settings of a motif-position model, checked before any work."""

from __future__ import annotations

import dataclasses
import operator

from netinfer.errors import ConfigError
from netinfer.models.motif.choice import MODELS, RULES
from netinfer.stability.rules import RULES as ERROR_RULES
from netinfer.stability.subsamples import check_seed

PAIRS = ("selected", "model")
# Largest relative duality gap of a fit that counts as certified.
CERTIFIED = 1e-8


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is asked for beside the data, checked."""

    model: str
    is_refit: bool
    penalty: str | float
    n_subsamples: int
    n_penalties: int
    asked: dict[str, float]
    rule: str
    threshold: float
    gap: int
    share: float
    first: int
    seed: int
    pairs: str | tuple[int, ...] | None


def checked_settings(
    *, model, refit, penalty, n_subsamples, n_penalties, fdr, expected_false_positions, rule, threshold, gap,
    footprint_share, first, seed, pairs,
) -> Settings:  # fmt: skip
    """Check the settings of a motif-position model, named as in `netinfer.fit_motif_positions`.

    Raises
    ------
    ConfigError
        Names the setting and its value.
    """
    where = "fit_motif_positions"
    if model not in MODELS:
        raise ConfigError(f"{where}: model: {model!r} is unknown: use {' or '.join(MODELS)}")
    if isinstance(penalty, str):
        if penalty not in RULES:
            raise ConfigError(f"{where}: penalty: {penalty!r} is unknown: use {', '.join(RULES)} or a number above 0")
    elif isinstance(penalty, bool) or not penalty > 0:
        raise ConfigError(f"{where}: penalty: {penalty!r} is not above 0")
    if rule not in ERROR_RULES:
        raise ConfigError(f"{where}: rule: {rule!r} is unknown: use {', '.join(ERROR_RULES)}")
    if not 0.5 < threshold <= 1.0:
        raise ConfigError(f"{where}: threshold: {threshold} is not above 0.5 and at most 1")
    if isinstance(footprint_share, bool) or not 0.0 <= footprint_share <= 1.0:
        raise ConfigError(f"{where}: footprint_share: {footprint_share!r} is not from 0 to 1")
    if isinstance(pairs, str) and pairs not in PAIRS:
        raise ConfigError(f"{where}: pairs: {pairs!r} is unknown: use {', '.join(PAIRS)} or a list of positions")
    whole: dict[str, int] = {}
    for name, value, least in (
        ("n_subsamples", n_subsamples, 4), ("n_penalties", n_penalties, 2), ("gap", gap, 0), ("first", first, None),
    ):  # fmt: skip
        try:
            whole[name] = operator.index(value)
        except TypeError:
            raise ConfigError(f"{where}: {name}: {value!r} is no whole number") from None
        if least is not None and whole[name] < least:
            raise ConfigError(f"{where}: {name}: {value} is below {least}")
    if whole["n_subsamples"] % 2:
        raise ConfigError(f"{where}: n_subsamples: {n_subsamples} is odd: half-samples come in pairs")
    wished = {"fdr": fdr, "expected_false_positions": expected_false_positions}
    asked = {name: value for name, value in wished.items() if value is not None} or {"fdr": 0.1}
    if len(asked) > 1:
        raise ConfigError(f"{where}: {' and '.join(asked)} given: give one of them")
    ((name, value),) = asked.items()
    if isinstance(value, bool) or not value > 0 or (name == "fdr" and value > 1):
        raise ConfigError(f"{where}: {name}: {value!r} is not above 0" + (" and at most 1" if name == "fdr" else ""))
    return Settings(
        model=model,
        is_refit=bool(refit),
        penalty=penalty if isinstance(penalty, str) else float(penalty),
        n_subsamples=whole["n_subsamples"],
        n_penalties=whole["n_penalties"],
        asked={name: float(value)},
        rule=rule,
        threshold=float(threshold),
        gap=whole["gap"],
        share=float(footprint_share),
        first=whole["first"],
        seed=check_seed(seed),
        pairs=pairs if pairs is None or isinstance(pairs, str) else tuple(int(p) for p in pairs),
    )
