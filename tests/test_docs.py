"""Every link of the documentation leads somewhere, and it says what the error control does not count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "config" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NOT_COUNTED = (
    "It counts edges chosen by sampling chance, given independent units; "
    "it does not count edges that are confounded, indirect or reversed."
)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Name the headings of a page as GitHub does: lower case, punctuation out, blanks to hyphens."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        n = sum(name == plain or name.startswith(f"{plain}-") for name in found)
        found.add(plain if plain not in found else f"{plain}-{n}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        leads_out = not goal.is_relative_to(ROOT)
        lacks_anchor = anchor and goal.suffix == ".md" and goal.is_file() and anchor not in anchors(goal)
        if leads_out or not goal.exists() or lacks_anchor:
            broken.append(link)
    assert not broken


def test_index_names_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(prose(index))}
    missing = [str(page.relative_to(ROOT)) for page in PAGES if page != index and page.resolve() not in linked]
    assert not missing


@pytest.mark.parametrize("page", ["README.md", "docs/methods.md", "docs/formats.md"])
def test_what_the_number_does_not_count_is_said(page: str) -> None:
    assert NOT_COUNTED in " ".join((ROOT / page).read_text(encoding="utf-8").split())
