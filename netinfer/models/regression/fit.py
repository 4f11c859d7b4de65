"""One chunk of targets from its half-samples, by the way that its size asks for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from netinfer.config import RegressionConfig
from netinfer.kernels import thread_limit
from netinfer.models.regression import wide
from netinfer.models.regression.chunk import Chunk, chunk_targets
from netinfer.models.regression.decoys import DecoyBlock, DecoyChunk, decoy_problem, with_decoys
from netinfer.models.regression.part import RegressionPart, settings_hash
from netinfer.models.regression.problem import RegressionProblem
from netinfer.models.regression.sums import SumsFile, sums_key
from netinfer.stability.subsamples import check_seed


def fit_chunk(
    problem: RegressionProblem,
    *,
    chunk: tuple[int, int] = (1, 1),
    settings: RegressionConfig | None = None,
    seed: int = 0,
    threads: int = 1,
    state: str | Path | None = None,
) -> RegressionPart:
    """Run stability selection for one chunk of targets.

    Parameters
    ----------
    problem : RegressionProblem
    chunk : (int, int)
        Which chunk of how many, counted from 1.
    settings : RegressionConfig, optional
    seed : int
        Half-sample k depends on it and on k alone.
    threads : int
        Targets are shared out among them; the numbers do not depend on it.
    state : path, optional
        File that keeps the running sums, written at the end and every five minutes. Where it holds fewer half-samples
        of the same data, settings and seed, only the missing ones are fitted, and the part has the bits that it would
        have had at once. What it holds otherwise, or damaged, is fitted anew, with a line in the log. With decoys, and
        with more candidates than a Gram matrix serves, further files stand beside it, with its name and an addition.

    Returns
    -------
    RegressionPart

    Raises
    ------
    ConfigError
        If there is no such chunk.
    InputError
        If the seed is no whole number.
    """
    settings = RegressionConfig() if settings is None else settings
    seed = check_seed(seed)
    where = chunk_targets(len(problem.target_names), chunk)
    fingerprint = settings_hash(problem, settings, seed)
    with thread_limit(1):
        part = _fit(problem, where, settings, seed, threads, chunk, fingerprint, state, (Chunk, wide.Block))
        if not settings.decoys:
            return part
        beside = None if state is None else Path(state).with_name(f"{Path(state).stem}.decoys{Path(state).suffix}")
        other = decoy_problem(problem, seed)
        kinds = (DecoyChunk, DecoyBlock)
        decoys = _fit(other, where, settings, seed, threads, chunk, fingerprint, beside, kinds)
        return with_decoys(part, decoys, problem, settings)


def _fit(
    problem: RegressionProblem, where: slice, settings: RegressionConfig, seed: int, threads: int,
    chunk: tuple[int, int], fingerprint: str, state: str | Path | None, kinds: tuple[type[Chunk], type[wide.Block]],
) -> RegressionPart:  # fmt: skip
    if wide.is_wide(problem):
        return wide.fit_wide(problem, where, settings, seed, threads, chunk, fingerprint, state=state, kind=kinds[1])
    key = "" if state is None else sums_key(problem.fingerprint(), where, settings, seed)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        work = kinds[0](problem, where, settings, threads)
        return work.run(seed, pool, chunk, fingerprint, SumsFile(state, key, settings.n_subsamples))
