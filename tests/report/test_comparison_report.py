"""The page on a comparison: what it shows, what it escapes, and that it claims no more than is known."""

import re

import pandas as pd
import pytest

import netinfer as ni
from netinfer.report import write_comparison_report

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def found():
    data, _ = ni.simulate.conditions((200, 60), 15, lost=0.2, gained=0.2, names=("rich", EVIL), seed=0)
    data = {name: adata[:, [*adata.var_names[1:]]].copy() if name == EVIL else adata for name, adata in data.items()}
    for adata in data.values():
        adata.var_names = [f"{EVIL}{gene}" if gene == "g05" else gene for gene in adata.var_names]
    with pytest.warns(UserWarning, match="chance alone"):  # 60 samples at a penalty for 200
        return ni.infer_joint_precision(data, penalty=0.15, similarity=None, n_subsamples=20, threads=1)


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    return write_comparison_report(tmp_path_factory.mktemp("page") / "report.html", found, title=EVIL).read_text()


def test_names_are_escaped_and_nothing_is_loaded(page):
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)


def test_it_has_counts_sizes_choices_and_certificates(found, page):
    counts = found.counts().iloc[0]
    for kind in ("gained", "lost", "flipped", "shared", "unclear"):
        assert f"<b>{counts[kind]}</b><span>{kind}</span>" in page
    assert "rich 200" in page
    assert f"{found.provenance['n_fits']} fits; the worst duality gap a gene is" in page
    assert page.count("<strong>chosen</strong>") == 1  # the similarity; the penalty was given
    assert "was set by the config" in page
    assert "g00" in page  # left out of one condition


def test_it_says_what_lost_means_and_claims_no_cause(page):
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "That is no proof that the tie is absent, and no change here says what caused it." in text
    assert "the smallest, loses weak edges and gains chance ones more easily" in text
    assert "does not count edges that are confounded" in text


def test_the_same_comparison_gives_the_same_bytes(found, page, tmp_path):
    assert write_comparison_report(tmp_path / "again.html", found, title=EVIL).read_text() == page


def test_a_comparison_without_stable_changes_says_so(tmp_path):
    data, _ = ni.simulate.conditions((60, 60), 10, seed=0)
    same = {name: next(iter(data.values())) for name in ("a", "b")}
    found = ni.infer_joint_precision(same, similarity=None, n_subsamples=10, threads=1)
    assert isinstance(found.changes, pd.DataFrame)
    page = write_comparison_report(tmp_path / "report.html", found).read_text()
    assert "No edge is stably gained, lost or flipped" in page
    assert page.count("<strong>chosen</strong>") == 2
