"""Gene and sample ids: what is taken off, what is kept to the letter, what is refused.

Ids travel from the first file to TSV, HDF5, GraphML and HTML. Blanks, quotes and byte order marks around them are taken
off; everything printable inside is kept; what some of those formats cannot hold is refused
here and not at the last rule.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from netinfer.errors import InputError

# Control characters, line and paragraph separators, lone surrogates and non-characters: illegal in XML 1.0, or a line's
# end somewhere.
_ILLEGAL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BLANKS = " \u00a0\u2007\u202f\u3000\ufeff"
# ENSG00000141510.17 -> ENSG00000141510; the pseudoautosomal ENSG00000002586.20_PAR_Y keeps its suffix.
_VERSION = re.compile(r"(?<=\d)\.\d+(?=(_PAR_Y)?$)")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)"
_EXCEL_DATE = re.compile(
    rf"(?:\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{1,2}}|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}})", re.I
)
_EXCEL_SERIAL = re.compile(r"[34]\d{4}")


def clean_id(text: str) -> str:
    """Take byte order marks, blanks and one pair of quotes off an id; what is inside stays as it is.

    Examples
    --------
    >>> clean_id('  "BSU04730" ')
    'BSU04730'
    """
    text = text.strip(_BLANKS)
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip(_BLANKS)
    return text


def is_writable(text: str) -> bool:
    """Tell whether tables and XML can hold a text on one line."""
    return _ILLEGAL.search(text) is None


def strip_version(text: str) -> str:
    """Take a version suffix (``.17`` after a digit) off an id."""
    return _VERSION.sub("", text)


def clean_ids(
    ids: Iterable[str], kind: str, where: str, *, versions: bool = False, collisions: bool = False
) -> tuple[list[str], list[str]]:
    """Clean all ids of one axis and say what was done.

    Parameters
    ----------
    ids : iterable of str
        Ids as read.
    kind : str
        What they name, for the messages: "gene", "sample", "regulator".
    where : str
        File or data set, for the messages.
    versions : bool
        Whether to take version suffixes off.
    collisions : bool
        Whether two different ids may become the same (in lists, where a name may stand many times).

    Returns
    -------
    cleaned : list of str
        In the order of `ids`; equal ids stay, the duplicates rule deals with them.
    log : list of str
        One sentence for each kind of change.

    Raises
    ------
    InputError
        An empty id, a character that XML or a text table cannot hold, or two different ids that become the same.
    """
    raw = [str(name) for name in ids]
    cleaned = [clean_id(name) for name in raw]
    log = []
    changed = [i for i, (before, after) in enumerate(zip(raw, cleaned, strict=True)) if before != after]
    if changed:
        log.append(
            f"blanks, quotes or byte order marks were taken off {len(changed)} {kind} ids, first {raw[changed[0]]!r}"
        )
    if versions:
        bare = [strip_version(name) for name in cleaned]
        n_bare = sum(a != b for a, b in zip(cleaned, bare, strict=True))
        if n_bare:
            log.append(f"version suffixes were taken off {n_bare} {kind} ids")
        cleaned = bare
    for position, name in enumerate(cleaned):
        if not name:
            raise InputError(
                f"{where}: {kind} {position + 1} of {len(cleaned)} has an empty name: give it a name or remove it"
            )
        bad = _ILLEGAL.search(name)
        if bad:
            raise InputError(
                f"{where}: {kind} {name[:60]!a} has the character U+{ord(bad.group()):04X}, "
                "which tables and GraphML cannot hold: rename it"
            )
    if not collisions:
        _refuse_collisions(raw, cleaned, kind, where)
    log += _alike(cleaned, kind)
    return cleaned, log


def _refuse_collisions(raw: Sequence[str], cleaned: Sequence[str], kind: str, where: str) -> None:
    first: dict[str, str] = {}
    for before, after in zip(raw, cleaned, strict=True):
        other = first.setdefault(after, before)
        if other != before:
            raise InputError(
                f"{where}: {kind} ids {other!r} and {before!r} are both {after!r} once cleaned: rename or remove one"
            )


def _alike(names: Sequence[str], kind: str) -> list[str]:
    """Mention ids that differ only by case or by Unicode composition: legal, but often a mistake."""
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        groups[unicodedata.normalize("NFC", name).casefold()].add(name)
    alike = sorted(sorted(group) for group in groups.values() if len(group) > 1)
    if not alike:
        return []
    shown = ", ".join("/".join(map(repr, group)) for group in alike[:5])
    return [f"{len(alike)} groups of {kind} ids differ only by case or accents' encoding and are kept apart: {shown}"]


def duplicates(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, in order of first appearance."""
    return [name for name, count in Counter(names).items() if count > 1]


def excel_damaged(names: Sequence[str]) -> list[str]:
    """Return the ids that a spreadsheet seems to have turned into dates (``2-Sep``, ``Mar-01``, ``43891``).

    Five-digit numbers count only where most ids are not numbers, since Entrez ids look the same.
    """
    dates = [name for name in names if _EXCEL_DATE.fullmatch(name)]
    n_numbers = sum(name.isdigit() for name in names)
    if n_numbers * 10 < len(names):
        dates += [name for name in names if _EXCEL_SERIAL.fullmatch(name)]
    return dates


def some(names: Sequence[str], limit: int = 5) -> str:
    """Join names for a message: the first `limit`, quoted, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
