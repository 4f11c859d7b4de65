"""Which bases of a promoter matter: the lac promoter, splice sites, and sequences with planted motifs.

    python benchmarks/motif.py lac [--peers 2]
    python benchmarks/motif.py mpsa [--mavenn PYTHON]
    python benchmarks/motif.py simulated [--runs 200]

`lac` and `mpsa` read NETINFER_DATA. `lac` fits the training and validation sets of the sort-seq data and scores the
test set; its time is that of 100 half-samples x 20 penalties, group Lasso over positions, beside the same loop with
skglm and with scikit-learn's Lasso on the dense one-hot matrix, measured on `--peers` half-samples and multiplied.
`simulated` plants motifs in sequences of 60 bases and counts the positions selected outside of them.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import DATA

from netinfer.io.libraries import Library, read_library
from netinfer.io.motifs import read_motifs
from netinfer.io.sequences import SequenceSet, as_sequences
from netinfer.kernels import thread_limit
from netinfer.models.motif import fit_motif_positions, match_footprints
from netinfer.models.motif.halves import grid, noise_penalties
from netinfer.models.motif.paths import largest_penalties, position_paths
from netinfer.models.motif.problem import MotifProblem, make_problem
from netinfer.stability import complementary_pair

# Kinney et al. (2010): the two halves of the CRP site and the boxes of the RNA polymerase, from 0, both ends inside.
SITES = {"CRP TGTGA": (6, 10), "CRP TCACT": (17, 21), "-35 box": (39, 44), "-10 box": (63, 68)}
N_SUBSAMPLES, N_PENALTIES = 100, 20
# The first is its own reverse complement, as CRP's site is; on two strands the second is planted, which is not.
MOTIF, ONE_WAY = "TGTGANNNNNNTCACA", "TTGACNNNNNNGGATA"
LENGTH, START, JITTER = 60, 20, 3
KINDS = ("library", "fixed", "jittered", "two strands", "none")
SIZES = (200, 1000)
CUTS = ({"fdr": 0.1}, {"expected_false_positions": 1.0})


def read_lac() -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Sequences, the mean bin of each, and whether it is of the test set."""
    with gzip.open(DATA / "sortseq_lac" / "sortseq_data.csv.gz") as handle:
        table = pd.read_csv(handle)
    counts = table[[f"ct_{i}" for i in range(10)]].to_numpy(dtype=float)
    return table["x"], counts @ np.arange(10) / counts.sum(axis=1), (table["set"] == "test").to_numpy()


def lac(n_peers: int) -> None:
    sequences, activity, is_test = read_lac()
    fit_motif_positions(sequences[:400], activity[:400], n_subsamples=4)  # compiles
    began = time.perf_counter()
    model = fit_motif_positions(sequences, activity, test=is_test, n_subsamples=N_SUBSAMPLES, n_penalties=N_PENALTIES)
    seconds = time.perf_counter() - began
    record = model.record
    print(model)
    print(
        f"test r {record['test']['r']:.4f}, R2 {record['test']['r2']:.4f} (n {record['test']['n']:,}); "
        f"{record['n_coefficients']} of {model.coef.size} coefficients in {record['n_positions_in_model']} positions; "
        f"held-out r {record['heldout']['r']:.4f}; worst gap {record['worst_duality_gap']:.1e}; in all {seconds:.1f} s"
    )
    shown = ["start", "end", "consensus", "word", "weight", "peak", "expected_false_positions"]
    print("\n" + model.footprints[shown].to_markdown(index=False, floatfmt=".2f"))
    print("\n" + site_table(model).to_markdown(index=False, floatfmt=".2f"))
    print("\n" + match_table(model).to_markdown(index=False, floatfmt=".2g"))
    of_position = model.positions.drop_duplicates("position")
    strongest = of_position.nlargest(20, "weight")["position"].to_numpy()
    near = [any(a - 1 <= p <= b + 1 for a, b in SITES.values()) for p in strongest]
    print(f"\n{sum(near)} of the 20 strongest positions in a site or one base beside: {strongest.tolist()}")
    speed(sequences, activity, ~is_test, n_peers)


def match_table(model) -> pd.DataFrame:
    """Best known motif of each footprint, by collection."""
    tables = []
    for path in sorted((DATA / "ecoli_precise" / "sequence").glob("*.meme.gz")):
        motifs = read_motifs(path)
        found = match_footprints(model, motifs)
        found.insert(0, "motifs", f"{path.name.removesuffix('.meme.gz')} ({len(motifs)})")
        tables.append(found)
    return pd.concat(tables).sort_values(["footprint", "match_e"], kind="stable")


def site_table(model) -> pd.DataFrame:
    """Each known site, the footprint that overlaps it most, and how many of its bases are at the cut."""
    at_cut = set(model.positions.loc[model.positions["is_selected"], "position"])
    rows = []
    for name, (start, end) in SITES.items():
        overlap = [
            max(0, min(end, e) - max(start, s) + 1)
            for s, e in model.footprints[["start", "end"]].itertuples(index=False)
        ]
        best = model.footprints.iloc[int(np.argmax(overlap))] if max(overlap, default=0) else None
        rows.append(
            {
                "site": name,
                "Kinney et al.": f"{start}-{end}",
                "footprint": "none" if best is None else f"{best['start']}-{best['end']}",
                "bases at the cut": f"{sum(p in at_cut for p in range(start, end + 1))} of {end - start + 1}",
                "consensus": "" if best is None else best["consensus"],
            }
        )
    return pd.DataFrame(rows)


def dense_design(problem: MotifProblem, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The standardised one-hot matrix of some rows, as the peers take it, the response, and the positions."""
    codes, coding = problem.codes[rows], problem.coding
    x = np.stack([codes[:, p] == b for p, b in zip(coding.position, coding.base, strict=True)], axis=1).astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    y = problem.responses[rows, 0]
    return np.asfortranarray(x), (y - y.mean()) / y.std(), coding.position


def speed(sequences, activity, used, n_peers: int) -> None:
    """Time the half-samples alone: group Lasso over positions, 100 half-samples x 20 penalties."""
    problem = make_problem(sequences, activity, rows=used)
    everything = problem.count()
    moments = everything.moments()
    top, top_base = largest_penalties(moments, problem.coding.position)
    noise, noise_base = noise_penalties(problem.n_units // 2)
    penalties = grid(top, noise, N_PENALTIES)
    position, n_positions = problem.coding.position, problem.n_positions
    began = time.perf_counter()
    counts = np.zeros(n_positions)
    with thread_limit(1):
        for pair in range(N_SUBSAMPLES // 2):
            first, second = complementary_pair(problem.n_units, pair, seed=0)
            half = problem.count(problem.rows_of(first))
            for part in (
                half,
                everything - half if problem.n_units % 2 == 0 else problem.count(problem.rows_of(second)),
            ):
                counts += (position_paths(part.moments(), position, n_positions, penalties).contribution[0] > 0).any(
                    axis=0
                )
    ours = time.perf_counter() - began
    print(f"\n{N_SUBSAMPLES} half-samples x {N_PENALTIES} penalties, group Lasso: {ours:.2f} s, one thread")
    for name, fit, grid_ in (
        ("skglm, group Lasso", skglm_groups, penalties),
        ("scikit-learn, Lasso over bases", sklearn_path, grid(top_base, noise_base, N_PENALTIES)),
    ):
        if not n_peers:
            break
        x, y, labels = dense_design(problem, problem.rows_of(complementary_pair(problem.n_units, 0, seed=0)[0]))
        fit(x[:2000], y[:2000], labels, grid_[:3])  # compiles
        began = time.perf_counter()
        for pair in range(n_peers):
            x, y, labels = dense_design(problem, problem.rows_of(complementary_pair(problem.n_units, pair, seed=0)[0]))
            fit(x, y, labels, grid_)
        each = (time.perf_counter() - began) / n_peers
        whole = N_SUBSAMPLES * each
        print(f"{name}: {each:.2f} s a half-sample, x {N_SUBSAMPLES} = {whole:.0f} s: {whole / ours:.0f} x")


def skglm_groups(x: np.ndarray, y: np.ndarray, labels: np.ndarray, penalties: np.ndarray) -> None:
    """skglm's group Lasso along the path, warm-started, default tolerance; its groups are not whitened."""
    from skglm import GeneralizedLinearEstimator
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter

    places = [np.flatnonzero(labels == p).tolist() for p in np.unique(labels)]
    indices, pointers = grp_converter(places, x.shape[1])
    weights = np.sqrt(np.array([len(group) for group in places], dtype=float))
    solver = GroupBCD(fit_intercept=False, warm_start=True, tol=1e-4)
    model = GeneralizedLinearEstimator(
        QuadraticGroup(pointers, indices), WeightedGroupL2(1.0, weights, pointers, indices), solver
    )
    for penalty in penalties:
        model.penalty.alpha = float(penalty)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(x, y)


def sklearn_path(x: np.ndarray, y: np.ndarray, labels: np.ndarray, penalties: np.ndarray) -> None:
    """scikit-learn's Lasso path on the dense matrix, with its Gram made once a half-sample."""
    from sklearn.linear_model import lasso_path

    lasso_path(x, y, alphas=penalties, precompute=True, tol=1e-4)


def mpsa(mavenn: str | None) -> None:
    table = read_library(DATA / "mpsa_brca2" / "mpsa_data.csv.gz", sequence="x", activity="y", split="set")
    fit_motif_positions(table.sequences[:400], table.activity[:400], n_subsamples=4)
    rows, predicted = [], {}
    for name, settings in (
        ("single bases, Lasso", {}),
        ("single bases, group Lasso", {"model": "group_lasso"}),
        ("and pairs", {"model": "group_lasso", "pairs": "model"}),
    ):
        began = time.perf_counter()
        model = fit_motif_positions(table.sequences, table.activity, test=table.is_test, penalty="best", **settings)
        record = model.record
        predicted[name] = model.predict(table.sequences[table.is_test])
        rows.append(
            {
                "model": name,
                "coefficients": record["n_coefficients"],
                "held-out R2 (folds)": record.get("heldout_pairs", record["heldout"])["r2"],
                "test R2": record["test"]["r2"],
                "test r": record["test"]["r"],
                "worst gap": f"{record['worst_duality_gap']:.0e}",
                "seconds": time.perf_counter() - began,
            }
        )
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".4f"))
    print(f"ridge on the same split: test R2 {ridge_r2(table):.4f}")
    print(f"\nwithout variation: {record['constant_positions']}; {model}\n")
    shown = ["position", "weight", "selection_probability", "expected_false_positions"]
    print(model.positions.drop_duplicates("position")[shown].to_markdown(index=False, floatfmt=".3f"))
    print("\n" + model.pairs.nlargest(10, "weight").to_markdown(index=False, floatfmt=".3f"))
    if mavenn:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "predictions.tsv"
            pd.DataFrame(predicted).to_csv(file, sep="\t", index=False)
            script = Path(__file__).with_name("motif_mavenn.py")
            subprocess.run([mavenn, str(script), "--predictions", str(file)], check=True)


def ridge_r2(table: Library) -> float:
    """Test R2 of scikit-learn's ridge with all coefficients, penalty 1."""
    from sklearn.linear_model import Ridge

    codes = as_sequences(table.sequences).codes
    x, y = np.concatenate([codes == base for base in range(4)], axis=1).astype(float), table.activity["y"].to_numpy()
    is_test = table.is_test
    return Ridge(alpha=1.0).fit(x[~is_test], y[~is_test]).score(x[is_test], y[is_test])


def planted(kind: str, n: int, seed: int) -> tuple[SequenceSet, np.ndarray, set[int]]:
    """Sequences of 60 bases, activities of which the motif explains 30 %, and the positions that may matter.

    library: mutants of a wild type with the motif, one base in eight mutated, each mutated base of the motif with an
    effect of its own. The others: random sequences (60 % A and T), a quarter of them with the motif at a fixed place,
    up to three bases beside it, or on either strand; or activities that are noise.
    """
    rng = np.random.default_rng([KINDS.index(kind), n, seed])
    share = np.array([0.3, 0.2, 0.2, 0.3])
    word = np.array(["ACGT".find(letter) for letter in (ONE_WAY if kind == "two strands" else MOTIF)])
    offsets = np.flatnonzero(word >= 0)
    ids = tuple(map(str, range(n)))
    if kind == "library":
        wild = rng.choice(4, LENGTH, p=share)
        wild[START + offsets] = word[offsets]
        codes = np.where(rng.random((n, LENGTH)) < 1 / 8, (wild + rng.integers(1, 4, (n, LENGTH))) % 4, wild)
        places = START + offsets
        signal = -((codes[:, places] != wild[places]) * rng.gamma(2.0, 0.5, len(places))).sum(axis=1)
        true = set(places.tolist())
    else:
        codes = rng.choice(4, (n, LENGTH), p=share)
        has_motif = rng.random(n) < 0.25
        signal, true = has_motif.astype(float), set()
        for i in np.flatnonzero(has_motif) if kind != "none" else []:
            shift = rng.integers(-JITTER, JITTER + 1) if kind == "jittered" else 0
            is_turned = kind == "two strands" and rng.random() < 0.5
            one = np.where(word < 0, -1, 3 - word)[::-1] if is_turned else word
            at = START + shift + np.flatnonzero(one >= 0)
            codes[i, at] = one[one >= 0]
            true |= set(at.tolist())
    noise = rng.standard_normal(n)
    if kind == "none":
        return SequenceSet(ids, codes.astype(np.uint8)), noise, set()
    activity = np.sqrt(0.3) * (signal - signal.mean()) / signal.std() + np.sqrt(0.7) * noise
    return SequenceSet(ids, codes.astype(np.uint8)), activity, true


def simulated(n_runs: int, rules: list[str], kinds: list[str]) -> None:
    print(f"{n_runs} runs a row\n")
    for kind in kinds:
        for n in SIZES:
            rows = [row for seed in range(n_runs) for row in one_run(kind, n, seed, rules)]
            table = pd.DataFrame(rows).groupby(["planted", "n", "rule", "cut"], sort=False)
            mean = table[["positions", "found", "false", "share false"]].mean()
            mean["s.e. of false"] = table["false"].std() / np.sqrt(n_runs)
            mean["s.e. of share"] = table["share false"].std() / np.sqrt(n_runs)
            print(mean.reset_index().to_markdown(index=False, floatfmt=".3f") + "\n", flush=True)


def one_run(kind: str, n: int, seed: int, rules: list[str]) -> list[dict]:
    """Count what each rule and cut selects in one planted set."""
    sequences, activity, true = planted(kind, n, seed)
    rows = []
    for rule in rules:
        frame = fit_motif_positions(sequences, activity, rule=rule).positions.drop_duplicates("position")
        for cut in CUTS:
            ((name, level),) = cut.items()
            chosen = set(frame.loc[frame["q_value" if name == "fdr" else name] <= level, "position"])
            n_false = len(chosen - true)
            rows.append(
                {
                    "planted": kind,
                    "n": n,
                    "rule": rule,
                    "cut": f"{name} {level:g}",
                    "positions": len(true),
                    "found": len(chosen & true),
                    "false": n_false,
                    "share false": n_false / max(len(chosen), 1),
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("lac", "mpsa", "simulated"))
    parser.add_argument("--peers", type=int, default=2, help="half-samples that the peers fit; 0 leaves them out")
    parser.add_argument("--mavenn", metavar="PYTHON", help="a Python that has MAVE-NN, to fit its models beside")
    parser.add_argument("--runs", type=int, default=200, help="simulated data sets a row")
    parser.add_argument("--rules", nargs="+", default=["shah_samworth"])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="what is planted")
    options = parser.parse_args()
    if options.what == "lac":
        lac(options.peers)
    elif options.what == "mpsa":
        mpsa(options.mavenn)
    else:
        simulated(options.runs, options.rules, options.kinds)


if __name__ == "__main__":
    main()
