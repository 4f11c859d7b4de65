from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from netinfer.config import (
    CellsConfig,
    ComparisonConfig,
    Config,
    CutConfig,
    DatasetConfig,
    ExportsConfig,
    FilterConfig,
    LibraryConfig,
    MotifConfig,
    PhenotypeConfig,
    RegressionConfig,
    SensitivityConfig,
    json_schema,
    load_config,
    parse_config,
    schema_text,
    settings_hash,
)
from netinfer.errors import ConfigError

ROOT = Path(__file__).parents[1]
DATASET = "{name: a, expression: a.tsv, regulators: r.txt}"


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def test_demo_config_is_valid() -> None:
    config = load_config(ROOT / "config" / "config.yaml")
    assert [d.name for d in config.datasets] == ["ecoli_demo"]
    assert config.cut.asked == {"fdr": 0.1}


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    config = load(tmp_path, f"datasets: [{DATASET}]")
    assert config.regression == RegressionConfig()
    assert config.regression.shrinkage == 0.5
    assert config.regression.n_subsamples == 100
    assert config.cut == CutConfig(fdr=0.1)
    assert config.chunks == 8


def test_schema_file_is_the_models_schema() -> None:
    written = (ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8")
    assert written == schema_text(), "run `python -m netinfer.config` from the repository root"


def test_schema_accepts_the_demo_and_refuses_a_typo() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema()
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    jsonschema.validate(config, schema)
    config["regression"]["penalty_min"] = "1e-3"
    jsonschema.validate(config, schema)
    config["regression"]["shrinkge"] = 0.5
    with pytest.raises(jsonschema.ValidationError, match="shrinkge"):
        jsonschema.validate(config, schema)


@pytest.mark.parametrize("bound", [0, -1, "a lot", True])
def test_schema_keeps_the_bounds_of_numbers_that_may_be_null(bound: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    config["cut"] = {"expected_false_edges": bound}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, json_schema())


TWO = (
    "datasets: [{name: aa, expression: a.tsv, regulators: r.txt}, {name: bb, expression: b.tsv, regulators: r.txt}, "
    "{name: cc, expression: c.tsv, regulators: r.txt, samples: s.tsv, split_by: medium}]"
)
LIBRARY = "motif: [{name: lac, sequences: a.csv, activity: y"
PROMOTERS = "datasets: [{name: a, expression: a.tsv, regulators: r.txt, annotation: g.gff"
SECTIONS = {
    "Top": Config,
    "`datasets`": DatasetConfig,
    "`filter`": FilterConfig,
    "`cells`": CellsConfig,
    "`phenotype`": PhenotypeConfig,
    "`comparisons`": ComparisonConfig,
    "`motif` of a data set": MotifConfig,
    "`motif`": LibraryConfig,
    "`sensitivity`": SensitivityConfig,
    "`regression`": RegressionConfig,
    "`cut`": CutConfig,
    "`exports`": ExportsConfig,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_documented_with_its_default(section: str) -> None:
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, flags=re.MULTILINE))
    model = SECTIONS[section]
    assert set(model.model_fields) == set(rows)
    for key, field in model.model_fields.items():
        if isinstance(field.default, int | float | str) and not isinstance(field.default, bool):
            assert rows[key] == f"`{field.default}`", key


def test_a_sheet_holds_nested_keys_and_lists(tmp_path: Path) -> None:
    sheet = tmp_path / "sets.tsv"
    sheet.write_text("name\texpression\tregulators\tcovariates\tfilter.min_cpm\na\ta.tsv\tr.txt\tbatch, sex\t0.5\n")
    (config,) = parse_config({"datasets": str(sheet)}).datasets
    assert config.covariates == ["batch", "sex"]
    assert config.filter.min_cpm == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"datasets: [{DATASET}]\nregression: {{shrinkge: 0.5}}",
            r"regression\.shrinkge: unknown key: did you mean `shrinkage`\?",
        ),
        (f"datasets: [{DATASET}]\nsed: 1", r"sed: unknown key: did you mean `seed`\?"),
        (
            "datasets: [{name: a, expresion: a.tsv, regulators: r.txt}]",
            r"datasets\[0\]\.expresion .*did you mean `expression`",
        ),
        ("datasets: [{name: a, regulators: r.txt}]", r"datasets\[0\]\.expression \('a'\): is missing"),
        ("seed: 1", "datasets: none is given: name one, or a library"),
        (
            f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, bbb]}}]",
            "comparison m: bbb is no data set: did you mean `bb`",
        ),
        (f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, x]}}]", "x is no data set: there are aa, bb, cc"),
        (f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, cc]}}]", "cc is no data set: it is split: name its parts"),
        (
            f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, aa]}}]",
            r"comparisons\[0\] \('m'\): aa is compared with itself",
        ),
        (f"{TWO}\ncomparisons: [{{name: m, datasets: [aa]}}]", "at least 2 items"),
        (f"{TWO}\ncomparisons: [{{name: AA, datasets: [aa, bb]}}]", "comparison AA has the name of another data set"),
        (
            f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, bb], similarty: 0.5}}]",
            r"comparisons\[0\]\.similarty \('m'\): unknown key: did you mean `similarity`",
        ),
        (f"{TWO}\ncomparisons: [{{name: m, datasets: [aa, bb], kind: fusd}}]", "did you mean `fused`"),
        (
            f"{LIBRARY}, sequence_column: x}}]",
            r"motif\[0\]\.sequence_column \('lac'\): unknown key: did you mean `sequence`",
        ),
        (f"{LIBRARY}, penalty: one_sd}}]", r"give a number \(above 0\), or one_se or best"),
        (f"{LIBRARY}, fdr: 0.1, expected_false_positions: 2}}]", "give fdr or expected_false_positions, not both"),
        (f"{LIBRARY}, family: binomial, pairs: model}}]", "pairs need family gaussian"),
        (f"{LIBRARY}, n_subsamples: 51}}]", "n_subsamples must be even"),
        (f"{LIBRARY}}}, {{name: LAC, sequences: b.csv, activity: y}}]", "library LAC has the name of another library"),
        (f"datasets: [{DATASET}]\nmotif: [{{name: A, sequences: b.csv, activity: y}}]", "name of another data set"),
        ("motif: [{name: lac, sequences: results/lac/b.csv, activity: y}]", "lies in its results folder"),
        (
            f"{PROMOTERS}, motif: {{genome: g.fa, motif: m.meme}}}}]",
            r"motif\.motif \('a'\): unknown key: did you mean `motifs`",
        ),
        (f"{PROMOTERS}, motif: {{genome: g.fa}}}}]", "give genome and motifs, or sites"),
        (f"{PROMOTERS}, motif: {{sites: s.bed, motifs: m.meme}}}}]", "sites stand in place of genome and motifs"),
        (f"{PROMOTERS}, motif: {{sites: s.bed, positions: true}}}}]", "positions needs genome and responses"),
        (
            f"{PROMOTERS.replace('annotation', 'samples')}, motif: {{sites: s.bed}}}}]",
            "motif needs the starts of genes",
        ),
        (f"{TWO}\ncomparisons: [{{name: m, datasets: aa}}]", "a list is needed here"),
        ("datasets: []", "datasets: "),
        ("datasets: {a: 1}", "a list of data sets"),
        (f"datasets: [{DATASET}]\nregression: 3", "regression: keys and values are needed"),
        (f"datasets: [{DATASET}]\nregression: {{model: elasticnet}}", "did you mean `elastic_net`"),
        (f"datasets: [{DATASET}]\nregression: {{shrinkage: yes}}", "a number is needed, not true or false"),
        (
            f"datasets: [{DATASET}]\nregression: {{shrinkage: 1}}",
            "regression.shrinkage: 1: input should be less than 1",
        ),
        (f"datasets: [{DATASET}]\nregression: {{shrinkage: .nan}}", "shrinkage: nan: "),
        (f"datasets: [{DATASET}]\nregression: {{n_subsamples: 7}}", "must be even"),
        (f"datasets: [{DATASET}]\nregression: {{n_subsamples: 2}}", "greater than or equal to 4"),
        (f"datasets: [{DATASET}]\nregression: {{penalty_min: 0.9, penalty_max: 0.5}}", "penalty_min must be smaller"),
        (f"datasets: [{DATASET}]\nchunks: 0", "chunks: 0"),
        (f"datasets: [{DATASET}]\nchunks: 2.5", "chunks: 2.5"),
        (f"datasets: [{DATASET}]\nseed: two", "seed: 'two'"),
        (f"datasets: [{DATASET}]\ncut: {{fdr: 0.1, expected_false_edges: 3}}", "exactly one"),
        (f"datasets: [{DATASET}]\ncut: {{fdr: 1.5}}", "cut.fdr: 1.5"),
        (f"datasets: [{DATASET}]\ncut: {{selection_probability: 0.5}}", "greater than 0.5"),
        (f"datasets: [{DATASET}, {DATASET.replace('name: a', 'name: A')}]", "two data sets are called A"),
        ("datasets: [{name: NO, expression: a, regulators: r}]", "False is not text: put it in quotes"),
        ("datasets: [{name: 2020-01-01, expression: a, regulators: r}]", "is not text"),
        ("datasets: [{name: CON, expression: a, regulators: r}]", "Windows"),
        ("datasets: [{name: a, expression: 'x{y}', regulators: r}]", "braces"),
        ("datasets: [{name: a, expression: results/a/x.tsv, regulators: r}]", "lies in its results folder"),
        (f"datasets: [{DATASET}]\nseed: 1\nseed: 2", "line 3: the key `seed` stands twice, first on line 2"),
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n- b\n", "keys and values are needed at the top, not a list"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a:\n\tb: 1\n", "line 2: not valid YAML"),
        ("a: [1, 2\n", "not valid YAML"),
        ("1: a\n", "the key 1 is not text"),
        ("a: 2020-13-45\n", "not valid YAML"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    said = refused(tmp_path, text)
    assert re.search(message, said), said
    assert said.startswith(str(tmp_path / "config.yaml") + ": ")
    assert "\n" not in said


@pytest.mark.parametrize("coding", ["reference", "zero_sum"])
def test_pairs_go_with_each_coding(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"{LIBRARY}, pairs: [3, 5], coding: {coding}}}]", encoding="utf-8")
    (library,) = load_config(path).motif
    assert (library.fitting["pairs"], library.fitting["coding"]) == ([3, 5], coding)


@pytest.mark.parametrize(
    "name", ["../../x", "/abs", "a/b", ".", "a b", "$(touch x)", ";", '"a\\nb"', "x" * 65, "-a", "ä", "' '"]
)
def test_a_name_that_is_not_a_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, f"datasets: [{{name: {name}, expression: a, regulators: r}}]")
    assert "is not a data set name" in said


def test_a_python_tag_is_refused_and_nothing_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    said = refused(tmp_path, f"seed: !!python/object/apply:os.system ['touch {marker}']\n")
    assert "not valid YAML" in said
    assert not marker.exists()


def test_nested_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases expand" in refused(tmp_path, "\n".join(lines))


def test_an_alias_that_holds_itself_is_refused(tmp_path: Path) -> None:
    assert "an alias that holds itself" in refused(tmp_path, "a: &a [*a]\n")


@pytest.mark.parametrize("kind", ["missing", "folder", "latin1", "large"])
def test_a_file_that_is_no_config(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "latin1":
        path.write_bytes("a: \xe4".encode("latin-1"))
    elif kind == "large":
        path.write_bytes(b"#" * 5_000_000)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load_config(path)


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    # YAML 1.1 takes 1e-3 for text
    config = load(tmp_path, f"datasets: [{DATASET}]\nregression: {{ranking_penalty: 1e-3}}\nseed: '7'\n")
    assert config.regression.ranking_penalty == 1e-3
    assert config.seed == 7


def test_later_files_are_merged_as_snakemake_does(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"datasets: [{DATASET}]\nregression: {{shrinkage: 0.3, model: lasso}}\n")
    (tmp_path / "b.yaml").write_text(
        "datasets: [{name: b, expression: b, regulators: r}]\nregression: {shrinkage: 0.4}\n"
    )
    config = load_config([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert [d.name for d in config.datasets] == ["b"]
    assert (config.regression.shrinkage, config.regression.model) == (0.4, "lasso")
    (tmp_path / "c.yaml").write_text("regression: {shrinkage: 4}\n")
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(tmp_path / 'c.yaml'))}: regression\.shrinkage"):
        load_config([tmp_path / "a.yaml", tmp_path / "c.yaml"])


def test_every_mistake_is_listed(tmp_path: Path) -> None:
    said = refused(tmp_path, f"datasets: [{DATASET}]\nseed: x\nchunks: y\nregression: {{modl: lasso}}\n")
    assert len(said.splitlines()) == 3


def test_a_cut_that_is_replaced_is_set_to_null(tmp_path: Path) -> None:
    config = load(tmp_path, f"datasets: [{DATASET}]\ncut: {{fdr: null, expected_false_edges: 5}}")
    assert config.cut.asked == {"expected_false_edges": 5.0}


def test_a_later_cut_replaces_an_earlier_one(tmp_path: Path) -> None:
    a, b = {"datasets": [], "cut": {"fdr": 0.1}}, {"cut": {"expected_false_edges": 5}}
    a["datasets"] = [yaml.safe_load(DATASET)]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(a))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(b))
    assert load_config([tmp_path / "a.yaml", tmp_path / "b.yaml"]).cut.asked == {"expected_false_edges": 5.0}
    assert load_config([tmp_path / "b.yaml", tmp_path / "a.yaml"]).cut.asked == {"fdr": 0.1}
    # as Snakemake holds it: the union of the files, and `--config cut=...` over it
    files = [("a.yaml", a), ("b.yaml", b)]
    united = {**a, "cut": {**a["cut"], **b["cut"]}}
    assert parse_config(united, files).cut.asked == {"expected_false_edges": 5.0}
    united["cut"] = {**united["cut"], "selection_probability": 0.9}
    assert parse_config(united, files).cut.asked == {"selection_probability": 0.9}


def test_datasets_as_a_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "sets.tsv"
    sheet.write_text(
        "\ufeffname\texpression\tregulators\tgold\tstrip_version\na\ta.tsv\tr.txt\t\ttrue\nb\tb.tsv\tr.txt\tg\t\n"
    )
    config = load(tmp_path, f"datasets: {sheet}")
    assert [(d.name, d.gold, d.strip_version) for d in config.datasets] == [("a", None, True), ("b", "g", False)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no data set in the sheet"),
        ("name\texpression\tregulators\n", "no data set in the sheet"),
        ("name\tname\tregulators\na\tb\tc\n", "'name' stands twice"),
        ("name\texpression\na\tb\tc\td\n", "line 2: 4 cells under 2 columns"),
        ("name\texpresion\tregulators\na\tb\tc\n", "did you mean `expression`"),
    ],
)
def test_mistakes_in_a_sheet(tmp_path: Path, text: str, message: str) -> None:
    sheet = tmp_path / "sets.tsv"
    sheet.write_text(text)
    said = refused(tmp_path, f"datasets: {sheet}")
    assert message in said
    assert str(sheet) in said


def test_settings_hash_sees_values_and_not_order(tmp_path: Path) -> None:
    config = load(tmp_path, f"datasets: [{DATASET}]")
    settings = config.settings("a")
    assert settings_hash(settings) == settings_hash(dict(reversed(settings.items())))
    assert settings_hash(settings) != settings_hash({**settings, "seed": 1})
    assert "chunks" not in settings, "results do not depend on the number of chunks"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"datasets: [{DATASET[:-1]}, hidden_factors: many}}]",
            "datasets[0].hidden_factors ('a'): 'many': give a whole number (at least 0 and at most 200), or auto",
        ),
        (
            f"datasets: [{DATASET}]\nregression: {{truncation: many}}",
            "regression.truncation: 'many': give a number (above 0 and below 1), or auto",
        ),
    ],
)
def test_a_wrong_word_where_a_number_may_stand_lists_both(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, text).endswith(message)


@pytest.mark.parametrize(
    ("precision", "cut", "message"),
    [
        ({"criterion": "error"}, {"selection_probability": 0.9}, "criterion error needs a cut by fdr"),
        ({"correlation": "kendall", "shrinkage": "ledoit_wolf"}, {"fdr": 0.1}, "no formula for kendall"),
        ({"max_genes": 1}, {"fdr": 0.1}, "max_genes"),
    ],
)
def test_an_undirected_network_that_cannot_be_is_refused(precision, cut, message):
    dataset = {"name": "a", "expression": "a.csv", "regulators": "r.txt", "precision": precision}
    with pytest.raises(ConfigError, match=message):
        parse_config({"datasets": [dataset], "cut": cut})


@pytest.mark.parametrize("regression", ["{rule: ipss_quadratic, threshold: 0.9}", "{truncation: 0.05}"])
def test_a_constant_of_another_rule_is_refused(tmp_path: Path, regression: str) -> None:
    assert refused(tmp_path, f"datasets: [{DATASET}]\nregression: {regression}").endswith("leave it out")


def test_a_comparison_may_name_parts_that_a_split_makes(tmp_path: Path) -> None:
    from netinfer.splits import expand_splits

    sheet = tmp_path / "samples.tsv"
    sheet.write_text("sample\tmedium\n" + "".join(f"s{i}\t{'rich' if i % 2 else 'poor'}\n" for i in range(20)))
    dataset = {
        "name": "all", "expression": "a.tsv", "regulators": "r.txt", "samples": str(sheet), "split_by": "medium",
        "assay": "bulk",
    }  # fmt: skip
    values = {"datasets": [dataset], "comparisons": [{"name": "media", "datasets": ["all_rich", "all_poor"]}]}
    config = expand_splits(parse_config(values))
    assert [part.name for part in config.datasets] == ["all_poor", "all_rich"]
    assert config.comparisons[0].datasets == ["all_rich", "all_poor"]
    values["comparisons"][0]["datasets"][1] = "all_pore"
    with pytest.raises(ConfigError, match="media: all_pore is no data set: did you mean `all_poor`"):
        expand_splits(parse_config(values))
    values["comparisons"][0] = {"name": "all_poor", "datasets": ["all_rich", "all_poor"]}
    with pytest.raises(ConfigError, match="'all_poor' is the name of a part"):
        expand_splits(parse_config(values))
