"""Motifs by distance from the start: the CRP regulon, yeast, links to a network, planted motifs.

    python benchmarks/motif_sites.py crp [--half-samples 100]
    python benchmarks/motif_sites.py yeast
    python benchmarks/motif_sites.py links [--half-samples 50] [--jobs 2] [--parts 12 12]
    python benchmarks/motif_sites.py simulated [--runs 200] [--half-samples 50]

`crp` and `yeast` read NETINFER_DATA. `crp` cuts -400..+50 around the starts of the first genes of operons out of the
genome of ecoli_precise, matches the 97 SwissRegulon matrices in bins of 50 bases and asks which go with the operons
that RegulonDB lists for CRP. `yeast` takes the sites of yeast_priors, in bins of 50 bases from -1,000 to +100 of the
start of transcription, and asks whether a factor's own sites tell the pairs of the gold standard from all others, by
their distance or by their plain number in the window. Held-out areas under the ROC curve, with DeLong's interval.
`links` infers the network of ecoli_precise at its default cut and asks for each regulator which of the 97 motifs
tell its targets' promoters from all others, whether they are its own, and whether edges with a site are listed by
RegulonDB more often than other edges of the same regulators. ``--parts a b`` fits the first a of b parts: every b-th
regulator is a part.
`simulated` plants the first of 30 random motifs and counts how often it, and how many others, are selected.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import netinfer as ni
from netinfer import preprocess
from netinfer.io import read_expression, read_regulators
from netinfer.io.motifs import Motif
from netinfer.io.promoters import Promoters, cut_promoters, read_starts
from netinfer.models.motif_sites import MotifLinks, SiteScores, fit_links, fit_motif_sites, place_sites, scan_motifs
from netinfer.models.motif_sites.fits import Design, auc_interval, fit_path, held_out
from netinfer.models.motif_sites.model import N_PENALTIES

UPSTREAM, DOWNSTREAM, N_MOTIFS, JITTER = 200, 50, 30, 20
KINDS = ("none", "fixed", "jittered", "two strands")
SIZES = (300, 1000)
LEVELS = (1.0, 0.5)
DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
# Genes of SwissRegulon's names that are no gene's symbol.
ALIASES = {"hns": "H_NS", "cra": "FruR", "ihfA": "IHF", "ihfB": "IHF", "glnG": "NtrC"}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["crp", "yeast", "links", "simulated"])
    parser.add_argument("--half-samples", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parts", type=int, nargs=2, default=(12, 12))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=200, help="simulated data sets a row")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="what is planted")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="promoters")
    options = parser.parse_args()
    if options.what == "simulated":
        simulated(options.runs, options.half_samples, options.kinds, options.sizes)
    elif options.what == "links":
        links(options.half_samples, options.seed, options.jobs, *options.parts)
    else:
        (crp if options.what == "crp" else yeast)(options.half_samples, options.seed)


def crp(n_subsamples: int, seed: int) -> None:
    """Print the motifs of the CRP regulon."""
    folder = DATA / "ecoli_precise"
    began = time.perf_counter()
    scores = ecoli_scores(folder)
    scanned = time.perf_counter() - began
    known = pd.read_csv(folder / "raw" / "trn.csv.gz")
    regulon = known.loc[known["regulator"].str.lower() == "crp", "gene_id"].tolist()
    began = time.perf_counter()
    model = fit_motif_sites(scores, regulon, n_subsamples=n_subsamples, seed=seed)
    fitted = time.perf_counter() - began
    record = model.provenance
    print(
        f"{record['n_cases']} of {record['n_promoters']} operons; {record['n_motifs']} motifs x {record['n_bins']} bins"
    )
    shared = np.bincount(scores.units)[scores.units] > 1
    print(f"{record['n_units']} independent units; {100 * shared.mean():.0f} % of the windows share one with others")
    print(f"promoters and scan {scanned:.1f} s, fits {fitted:.1f} s, worst gap {record['worst_duality_gap']:.1e}")
    print("held out:", {name: round(value, 3) for name, value in model.held_out.items()})
    print(model.motifs.head(12).round(3).to_markdown(index=False))
    chosen = model.motifs.loc[model.motifs["is_selected"], "motif"]
    effects = model.bins[model.bins["motif"].isin(chosen)]
    print(effects.pivot_table(index=["start", "end"], columns="motif", values="effect").round(3).to_markdown())
    print("\n".join(record["notes"]))


def yeast(n_subsamples: int, seed: int) -> None:
    """Print the share of pairs with a site of the factor by distance, and held-out areas by bins and by number."""
    folder = DATA / "yeast_priors"
    gold = pd.read_csv(folder / "gold_standard.tsv.gz", sep="\t", index_col=0)
    starts = read_starts(folder / "tss.bed.gz")
    genes = [gene for gene in gold.index if gene in starts.index]
    scores = place_sites(starts, folder / "motifs.bed.gz", upstream=1000, downstream=100, genes=genes)
    factors = [factor for factor in gold.columns if factor in scores.motifs]
    at = [scores.motifs.index(factor) for factor in factors]
    own = scores.strength[:, at].reshape(-1, scores.n_bins)
    is_edge = (gold.loc[genes, factors].to_numpy() != 0).ravel()
    print(f"{len(factors)} factors x {len(genes)} genes, {int(is_edge.sum())} gold edges")
    spread = own.std(axis=0)
    design = Design(
        own / spread, np.zeros(scores.n_bins, np.int64), 1, is_edge.astype(float), True, np.arange(len(own))
    )
    outside = held_out(design, N_PENALTIES, seed)
    count = own.sum(axis=1, keepdims=True)
    plain = held_out(
        Design(count / count.std(), np.zeros(1, np.int64), 1, design.y, True, design.unit), N_PENALTIES, seed
    )
    effect = fit_path(design, outside.penalties).coef[outside.place] / spread
    share = {"of edges": (own[is_edge] > 0).mean(axis=0), "of others": (own[~is_edge] > 0).mean(axis=0)}
    frame = pd.DataFrame({"start": scores.edges[:-1], "end": scores.edges[1:], **share})
    frame["times"], frame["log odds a site"] = frame["of edges"] / frame["of others"], effect
    print(frame.round(3).to_markdown(index=False))
    for name, score in (("by distance", outside.score), ("by number of sites", plain.score)):
        area, low, high = auc_interval(score, is_edge)
        precision = average_precision_score(is_edge, score)
        print(f"{name}: held-out area {area:.3f} ({low:.3f} to {high:.3f}), average precision {precision:.3f}")


def ecoli_scores(folder: Path) -> SiteScores:
    """Match the SwissRegulon motifs around the starts of the first genes of operons."""
    promoters = cut_promoters(
        folder / "sequence" / "genome.fasta.gz", folder / "raw" / "gene_table.csv.gz", upstream=400, downstream=50
    )
    return scan_motifs(promoters, folder / "sequence" / "SwissRegulon_e_coli.meme.gz")


def links(n_subsamples: int, seed: int, jobs: int, n_wanted: int, n_parts: int) -> None:
    """Print which regulators of the network of PRECISE have a motif, and what RegulonDB says of edges with a site."""
    folder = DATA / "ecoli_precise"
    adata = preprocess.ingest(
        read_expression(folder / "expression.tsv.gz"),
        regulators=read_regulators(folder / "regulators.txt"),
        where="precise",
    )
    genes = pd.read_csv(folder / "raw" / "gene_table.csv.gz", index_col=0)["gene_name"]
    adata.var["symbol"] = genes.reindex(adata.var_names).fillna("").to_numpy()
    net = ni.infer_regression(preprocess.normalize(adata), fdr=0.1)
    scores = ecoli_scores(folder)
    names = dict(zip(net.nodes["symbol"], net.nodes["name"], strict=True))
    motif_of = {
        names[gene]: [motif for motif in scores.motifs if motif.startswith(f"{alias}_")]
        for gene, alias in ALIASES.items()
        if gene in names
    }
    fit = partial(fit_part, net, scores, motif_of, n_subsamples, seed, n_parts)
    with ProcessPoolExecutor(jobs) as pool:
        found = list(pool.map(fit, range(1, n_wanted + 1)))
    print_links(net, scores, found)


def fit_part(net, scores, motif_of, n_subsamples, seed, n_parts, k) -> MotifLinks:
    """Fit one part of the regulators."""
    return fit_links(net, scores, motif_of=motif_of, part=(k, n_parts), n_subsamples=n_subsamples, seed=seed)


def print_links(net: ni.Network, scores: SiteScores, found: list[MotifLinks]) -> None:
    """Print the tables of links."""
    regulators = pd.concat([part.regulators for part in found])
    regulators = regulators.sort_values("n_edges_with_site", ascending=False, kind="stable")
    edges = pd.concat([part.edges for part in found if len(part.edges)])
    fitted = regulators[regulators["status"] == "ok"]
    regulators = regulators.assign(expected_false_in_all=len(fitted) * regulators["expected_false_motifs"])
    chosen = regulators[regulators["n_motifs"] > 0]
    named = fitted[fitted["own_motif"] != ""]
    n_own = named["own_motif"].str.count(";") + 1
    print(
        f"{net}; {len(regulators)} regulators looked at, {len(fitted)} with targets enough, {len(chosen)} with a motif"
    )
    print(
        f"{len(named)} fitted with a motif of their own, {int(named['own_selected'].sum())} have it selected, by chance"
    )
    print(
        f"  {(named['n_motifs'] * n_own / len(scores.motifs)).sum():.2f}; worst gap {fitted['duality_gap'].max():.1e}"
    )
    print(
        f"it enters first in {int((named['own_entry'] == 1).sum())}, by chance {(n_own / len(scores.motifs)).sum():.2f}"
    )
    symbols = dict(zip(net.nodes["name"], net.nodes["symbol"], strict=True))
    shown = chosen.assign(source=chosen["source"].map(symbols))
    columns = ["source", "n_promoters", "motif", "n_motifs", "selection_probability", "expected_false_in_all", "sign",
               "peak_start", "peak_end", "auc", "own_selected", "n_edges", "n_edges_with_site"]  # fmt: skip
    print(shown[columns].round(3).to_markdown(index=False))
    sought = chosen[chosen["background_with_site"].notna()]
    by_chance = (sought["n_edges"] * sought["background_with_site"]).sum()
    print(f"{len(edges)} of {sought['n_edges'].sum()} edges have a site, by chance {by_chance:.1f}")
    # Against RegulonDB: of the same regulators, edges to genes that have a promoter, with a site and without.
    home = {gene for genes in scores.members.values() for gene in genes}
    table = net.edges[net.edges["source"].isin(sought["source"]) & net.edges["target"].isin(home)]
    pairs = set(zip(edges["source"], edges["target"], strict=True))
    has_site = np.array([pair in pairs for pair in zip(table["source"], table["target"], strict=True)])
    known = pd.read_csv(DATA / "ecoli_precise" / "raw" / "trn.csv.gz")
    listed = set(zip(known["regulator"].str.lower(), known["gene_id"], strict=True))
    factor = {row.source: [row.motif.rsplit("_", 1)[0]] for row in sought.itertuples()}
    itself = {s: [symbols[s], ALIASES.get(symbols[s], "")] for s in factor}
    for name, of in (("the regulator itself", itself), ("the motif's factor", factor)):
        in_db = np.array(
            [
                any((word.lower(), t) in listed for word in of[s])
                for s, t in zip(table["source"], table["target"], strict=True)
            ]
        )
        for word, rows in (("with a site", has_site), ("without", ~has_site)):
            print(f"edges {word}: {int(in_db[rows].sum())} of {int(rows.sum())} listed by RegulonDB for {name}")


def planted(kind: str, n: int, seed: int) -> tuple[Promoters, list[Motif], np.ndarray, np.ndarray, float]:
    """Random promoters with sites of the first motif; the class, the activities, and the middle of most sites.

    A quarter of the promoters are the class. Half of it, and one in twenty of the others, hold a site, drawn from the
    matrix; it explains a tenth of the variance of the activity. Nothing is planted for ``none``. Matrices have 10 to
    18 positions with 8 to 16 bits in all, as those of many factors; SwissRegulon's of E. coli have 20 (median).
    """
    rng = np.random.default_rng([KINDS.index(kind), n, seed])
    share = np.array([0.3, 0.2, 0.2, 0.3])
    motifs = [random_motif(f"m{k}", rng) for k in range(N_MOTIFS)]
    codes = rng.choice(4, (n, UPSTREAM + DOWNSTREAM), p=share)
    is_case = np.arange(n) < n // 4
    holds = rng.random(n) < np.where(is_case, 0.5, 0.05)
    matrix = motifs[0].probabilities
    centre = int(rng.integers(30, UPSTREAM - 20))
    starts = np.full(n, centre - len(matrix) // 2)
    if kind == "jittered":
        starts += rng.integers(-JITTER, JITTER + 1, n)
    for i in np.flatnonzero(holds) if kind != "none" else []:
        site = (rng.random((len(matrix), 1)) > matrix.cumsum(axis=1)).sum(axis=1).clip(max=3)
        if kind == "two strands" and rng.random() < 0.5:
            site = (3 - site)[::-1]
        codes[i, starts[i] : starts[i] + len(site)] = site
    noise = rng.standard_normal(n)
    signal = (holds - holds.mean()) / holds.std()
    activity = noise if kind == "none" else np.sqrt(0.1) * signal + np.sqrt(0.9) * noise
    texts = {f"g{i}": text for i, text in enumerate(np.array(list("ACGT"))[codes].view(f"U{codes.shape[1]}")[:, 0])}
    table = pd.DataFrame({"gene": list(texts), "genes": list(texts)})
    middle = np.floor(np.median(starts[holds]) + (len(matrix) - 1) / 2) - UPSTREAM
    return Promoters(texts, table, UPSTREAM, DOWNSTREAM, ()), motifs, is_case, activity, float(middle)


def random_motif(name: str, rng: np.random.Generator) -> Motif:
    """Draw a matrix until it has 8 to 16 bits."""
    while True:
        width = int(rng.integers(10, 19))
        matrix = np.stack([rng.dirichlet([a] * 4) for a in rng.choice([0.1, 0.5, 3.0], width)])
        bits = 2.0 * width + (matrix * np.log2(np.maximum(matrix, 1e-12))).sum()
        if 8.0 <= bits <= 16.0:
            return Motif(name, matrix, 25.0, np.full(4, 0.25))


def simulated(n_runs: int, n_subsamples: int, kinds: list[str], sizes: list[int]) -> None:
    """Print false motifs beside the level asked for, power, and how often the peak is the bin of most sites."""
    print(f"{n_runs} runs a row, {n_subsamples} half-samples\n")
    for kind in kinds:
        for n in sizes:
            table = pd.DataFrame([row for seed in range(n_runs) for row in one_run(kind, n, seed, n_subsamples)])
            groups = table.groupby(["planted", "n", "family", "level"], sort=False)
            mean = groups[["false", "found", "peak right"]].mean()
            mean.insert(1, "s.e. of false", groups["false"].std() / np.sqrt(n_runs))
            print(mean.reset_index().to_markdown(index=False, floatfmt=".3f") + "\n", flush=True)


def one_run(kind: str, n: int, seed: int, n_subsamples: int) -> list[dict]:
    """Count what is selected in one planted set; the cut at 0.5 is one of the path that ends at 1."""
    promoters, motifs, is_case, activity, middle = planted(kind, n, seed)
    scores = scan_motifs(promoters, motifs)
    rows = []
    for family, response in (("binomial", is_case.astype(float)), ("gaussian", activity)):
        given = dict(zip(scores.genes, response, strict=True))
        found = fit_motif_sites(
            scores, given, family=family, n_subsamples=n_subsamples, expected_false_motifs=LEVELS[0]
        )
        table = found.motifs.set_index("motif")
        for level in LEVELS:
            chosen = set(table.index[table["expected_false_motifs"] <= level])
            is_found = "m0" in chosen and kind != "none"
            peak = table.loc["m0", ["peak_start", "peak_end"]]
            rows.append(
                {
                    "planted": kind,
                    "n": n,
                    "family": family,
                    "level": level,
                    "false": len(chosen - (set() if kind == "none" else {"m0"})),
                    "found": np.nan if kind == "none" else float(is_found),
                    "peak right": float(peak.iloc[0] <= middle < peak.iloc[1]) if is_found else np.nan,
                }
            )
    return rows


if __name__ == "__main__":
    main()
