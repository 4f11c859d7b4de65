"""The columns of tables about motifs by distance from the start, and about their links to a network."""

from __future__ import annotations

from netinfer.io.columns import Column

EXPECTED_FALSE_MOTIFS_NOTE = (
    "It counts motifs selected by sampling chance, given independent promoters; it does not count motifs that stand in "
    "for another one, such as that of a related factor or of one without a matrix."
)

SITE_MOTIFS: tuple[Column, ...] = (
    Column("motif", "string", "", "name of the motif; unique"),
    Column("consensus", "string", "", "its most frequent bases, lower case where half of the sites or fewer", True),
    Column(
        "selection_probability",
        "float",
        "0 to 1",
        "share of half-samples of promoters that select it, at the penalty of the path where it is largest",
    ),
    Column(
        "expected_false_motifs",
        "float",
        "motifs",
        "bound on the expected number of false motifs when the cut is placed exactly at this one; missing: no finite "
        "bound. " + EXPECTED_FALSE_MOTIFS_NOTE,
        True,
    ),
    Column(
        "q_value",
        "float",
        "share of the motifs",
        "estimate: the smallest, over cuts that include this motif, of `expected_false_motifs` divided by their number",
        True,
    ),
    Column("is_selected", "boolean", "", "whether that bound is at most the number asked for"),
    Column("entry", "int", "", "rank in which it enters the path on all promoters; 0 where it does not"),
    Column(
        "peak_start",
        "int",
        "bases from the start",
        "first base of the bin of its largest effect per standard deviation of the score",
        True,
    ),
    Column("peak_end", "int", "bases from the start", "the base behind that bin", True),
    Column(
        "effect",
        "float",
        "log odds, or units of the response, per unit of the site score",
        "its effect in that bin, in the fit that predicts best; 0 where it has none",
    ),
)
SITE_BINS: tuple[Column, ...] = (
    Column("motif", "string", "", "name of the motif"),
    Column("start", "int", "bases from the start", "first base of the bin; upstream is negative"),
    Column("end", "int", "bases from the start", "the base behind the bin"),
    Column(
        "effect",
        "float",
        "log odds, or units of the response, per unit of the site score",
        "in the fit that predicts best; 0 where it has none",
    ),
    Column(
        "effect_per_sd",
        "float",
        "log odds, or units of the response",
        "the same for a standard deviation of the site score over the promoters: what compares between bins",
    ),
)
_SOURCE = Column("source", "string", "", "regulator, a `name` of `nodes.tsv`")
LINK_REGULATORS: tuple[Column, ...] = (
    _SOURCE,
    Column("n_targets", "int", "genes", "its targets in the network at its cut"),
    Column(
        "n_promoters",
        "int",
        "promoters",
        "promoters of its targets: several genes of an operon have one; its own one is left out",
    ),
    Column(
        "status",
        "string",
        "",
        "`ok`, `too_few_targets` or `too_few_others` (promoters of measured genes that are none of its targets)",
    ),
    Column("reason", "string", "", "one sentence where the status is not `ok`", True),
    Column("motif", "string", "", "the most stable motif that is selected; missing where none is", True),
    Column("n_motifs", "int", "motifs", "motifs selected"),
    Column("selection_probability", "float", "0 to 1", "of `motif`, as in `motifs.tsv`", True),
    Column("expected_false_motifs", "float", "motifs", "of `motif`, among this regulator's, as in `motifs.tsv`", True),
    Column(
        "expected_false_in_all",
        "float",
        "motifs",
        "the same over all regulators that were fitted, when each is cut as strictly as here: their number times "
        "`expected_false_motifs`",
        True,
    ),
    Column(
        "peak_start",
        "int",
        "bases from the start",
        "of `motif`: first base of the bin of its largest effect, as in `motifs.tsv`",
        True,
    ),
    Column("peak_end", "int", "bases from the start", "the base behind that bin", True),
    Column("effect", "float", "log odds per unit of the site score", "of `motif` in that bin", True),
    Column(
        "sign",
        "int",
        "",
        "1: the targets' promoters have it more often than others; -1: less often, which is no evidence for an edge",
        True,
    ),
    Column(
        "auc",
        "float",
        "0 to 1",
        "area under the ROC curve of held-out promoters, by all motifs; 0.5 is chance",
        True,
    ),
    Column("auc_low", "float", "0 to 1", "lower end of its 95% interval", True),
    Column("auc_high", "float", "0 to 1", "upper end of that interval", True),
    Column("own_motif", "string", "", "motifs that belong to the regulator by name, separated by `;`", True),
    Column("own_entry", "int", "", "rank in which the first of them enters the path; 0 where none does", True),
    Column("own_selected", "boolean", "", "whether one of them is selected; false also where there is none"),
    Column("n_edges", "int", "edges", "its edges to genes that have a promoter"),
    Column("n_edges_with_site", "int", "edges", "those listed in `edges.tsv`"),
    Column(
        "background_with_site",
        "float",
        "share of the other promoters",
        "how many of those that are none of its targets have a site by the same rule: what an edge has by chance",
        True,
    ),
    Column("duality_gap", "float", "relative", "worst relative duality gap of all fits", True),
)
LINK_EDGES: tuple[Column, ...] = (
    _SOURCE,
    Column("target", "string", "", "target gene, a `name` of `nodes.tsv`"),
    Column("promoter", "string", "", "gene whose promoter has the site: the target, or the first of its operon"),
    Column("motif", "string", "", "selected motif of the regulator; of several the one with the rarest match"),
    Column("is_own", "boolean", "", "whether it is a motif of the regulator itself, by name or as given"),
    Column("start", "int", "bases from the start", "first base of the match, along the gene; upstream is negative"),
    Column("end", "int", "bases from the start", "the base behind the match"),
    Column("strand", "string", "", "`+` the strand of the gene, `-` the other one; missing where not known", True),
    Column("score", "float", "bits of log odds, or sites", "of the match; of given sites, their number in the bin"),
    Column(
        "background_share",
        "float",
        "share of the other promoters",
        "how many of those that are none of its targets match at least as well in the same bin; at most 0.05",
    ),
    Column(
        "evidence",
        "string",
        "",
        "in words, such as `CRP found at -60..-40`, with `(not known as its own)` where `is_own` is false",
    ),
)
LINK_MOTIFS: tuple[Column, ...] = (_SOURCE, *SITE_MOTIFS)
LINK_BINS: tuple[Column, ...] = (_SOURCE, *SITE_BINS)
