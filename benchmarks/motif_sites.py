"""Motifs by distance from the start: the CRP regulon of E. coli, and yeast sites against gold edges.

    python benchmarks/motif_sites.py crp [--half-samples 100]
    python benchmarks/motif_sites.py yeast

Reads NETINFER_DATA. The first cuts -400..+50 around the starts of the first genes of operons out of the genome of
ecoli_precise, matches the 97 SwissRegulon matrices in bins of 50 bases and asks which go with the operons that
RegulonDB lists for CRP. The second takes the sites of yeast_priors, in bins of 50 bases from -1,000 to +100 of the
start of transcription, and asks whether a factor's own sites tell the pairs of the gold standard from all others, by
their distance or by their plain number in the window. Held-out areas under the ROC curve, with DeLong's interval.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from netinfer.io.promoters import cut_promoters, read_starts
from netinfer.models.motif_sites import fit_motif_sites, place_sites, scan_motifs
from netinfer.models.motif_sites.fits import Design, auc_interval, fit_path, held_out
from netinfer.models.motif_sites.model import N_PENALTIES

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["crp", "yeast"])
    parser.add_argument("--half-samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    (crp if options.what == "crp" else yeast)(options.half_samples, options.seed)


def crp(n_subsamples: int, seed: int) -> None:
    """Print the motifs of the CRP regulon."""
    folder = DATA / "ecoli_precise"
    promoters = cut_promoters(
        folder / "sequence" / "genome.fasta.gz", folder / "raw" / "gene_table.csv.gz", upstream=400, downstream=50
    )
    began = time.perf_counter()
    scores = scan_motifs(promoters, folder / "sequence" / "SwissRegulon_e_coli.meme.gz")
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
    print(f"scan {scanned:.1f} s, fits {fitted:.1f} s, worst gap {record['worst_duality_gap']:.1e}")
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
    design = Design(own / spread, np.zeros(scores.n_bins, np.int64), 1, is_edge.astype(float), True)
    outside = held_out(design, N_PENALTIES, seed)
    count = own.sum(axis=1, keepdims=True)
    plain = held_out(Design(count / count.std(), np.zeros(1, np.int64), 1, design.y, True), N_PENALTIES, seed)
    effect = fit_path(design, outside.penalties).coef[outside.place] / spread
    share = {"of edges": (own[is_edge] > 0).mean(axis=0), "of others": (own[~is_edge] > 0).mean(axis=0)}
    frame = pd.DataFrame({"start": scores.edges[:-1], "end": scores.edges[1:], **share})
    frame["times"], frame["log odds a site"] = frame["of edges"] / frame["of others"], effect
    print(frame.round(3).to_markdown(index=False))
    for name, score in (("by distance", outside.score), ("by number of sites", plain.score)):
        area, low, high = auc_interval(score, is_edge)
        precision = average_precision_score(is_edge, score)
        print(f"{name}: held-out area {area:.3f} ({low:.3f} to {high:.3f}), average precision {precision:.3f}")


if __name__ == "__main__":
    main()
