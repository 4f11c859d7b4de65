"""Whether a position model can be fitted as it is asked for: everything that can be refused before long work."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from netinfer.errors import ConfigError, InputError
from netinfer.io.sequences import SequenceSet
from netinfer.models.motif.binomial import check_size
from netinfer.models.motif.heldout import Kept, check_test, kept_out
from netinfer.models.motif.problem import MotifProblem, make_problem


@dataclasses.dataclass(frozen=True)
class Checked:
    """What a fit starts from.

    Attributes
    ----------
    problem : MotifProblem
    test : tuple of Kept
        The usable sequences of the test, one a response; empty where there is no test.
    """

    problem: MotifProblem
    test: tuple[Kept, ...]


def checked_problem(
    read: SequenceSet, activity: Any, given: dict[str, Any], *, pairs: Any, first: int, test: Any
) -> Checked:
    """Match sequences and activities, and check what the fit would need only at its end.

    Parameters
    ----------
    read : SequenceSet
    activity : as for `fit_motif_positions`, of one response or several
    given : dict
        What `make_problem` takes beside them.
    pairs, first, test
        As for `fit_motif_positions`.

    Raises
    ------
    ConfigError
        If pairs are asked for of two classes, or a setting of `given` is unknown.
    InputError
        If the data cannot be used, a position named in `pairs` is not there or has no variation, two classes are more
        than memory takes, or no sequence of the test can be predicted.
    """
    if pairs is not None and given["family"] != "gaussian":
        raise ConfigError("fit_motif_positions: pairs: needs family gaussian: leave it out for two classes")
    is_test = check_test(test, read)
    problem = make_problem(read, activity, rows=None if is_test is None else ~is_test, **given)
    if pairs is not None and not isinstance(pairs, str):
        wanted = np.unique(np.array(list(pairs), dtype=np.int64))
        absent = np.setdiff1d(wanted - first, problem.varying) + first
        if absent.size:
            raise InputError(
                f"pairs: position {absent[0]} is not there, or has no variation: give positions with variation from "
                f"{first} to {first + problem.n_positions - 1}"
            )
    if problem.family == "binomial":
        check_size(problem)
    if is_test is None:
        return Checked(problem, ())
    found = kept_out(problem, read, (activity, given["weights"]), is_test, given["ambiguous"])
    return Checked(problem, found)
