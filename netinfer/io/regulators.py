"""Lists of regulators: a plain list, a table of ids, or one that netinfer ships."""

from __future__ import annotations

import logging
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from netinfer.errors import InputError
from netinfer.io.ids import clean_id, clean_ids, duplicates, some
from netinfer.io.lists import text_file
from netinfer.io.source import text_lines
from netinfer.io.text import split_fields

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

LIST_COLUMNS = ("symbol", "ensembl", "entrez", "locus_tag", "old_locus_tag")
# The one column of a list that says nothing of what its ids are.
PLAIN = "id"
_HEADERS = {
    "symbol": "symbol", "gene_symbol": "symbol", "gene_name": "symbol", "hgnc_symbol": "symbol",
    "ensembl": "ensembl", "ensembl_id": "ensembl", "ensembl_gene_id": "ensembl",
    "entrez": "entrez", "entrez_id": "entrez", "entrez_gene_id": "entrez", "ncbi_gene_id": "entrez",
    "locus_tag": "locus_tag", "systematic_name": "locus_tag", "old_locus_tag": "old_locus_tag",
}  # fmt: skip


def shipped_lists() -> tuple[str, ...]:
    """Return the names of the lists of regulators that come with netinfer.

    Returns
    -------
    tuple of str
        In alphabetical order; each is a value of ``regulators``. Origin and licence: the README beside the lists,
        ``netinfer/resources/regulators``.

    Examples
    --------
    >>> "ecoli" in shipped_lists()
    True
    """
    return tuple(sorted(item.name.removesuffix(".tsv") for item in _folder().iterdir() if item.name.endswith(".tsv")))


def regulator_table(name_or_path: str | os.PathLike[str], *, encoding: str = "utf-8") -> pd.DataFrame:
    """Return a list of regulators with all the ids that it gives.

    Parameters
    ----------
    name_or_path : str or path
        The name of a shipped list, or a file: one id a line, or a tab- or comma-separated table whose first line names
        at least one of the columns symbol, ensembl, entrez, locus_tag and old_locus_tag (gene_symbol, ensembl_gene_id,
        entrez_id, systematic_name and the like are read as these). Text without slash and dot is a name: write
        ``./name`` for a file.
    encoding : str
        Of the file.

    Returns
    -------
    DataFrame, one row a regulator
        str columns, "" where there is no id: those of the table, or the one column ``id`` of a plain list.

    Raises
    ------
    InputError
        No such list, no id in the file, lines of different length, or an id that GraphML could not hold.
    """
    from netinfer.config import is_regulator_name

    if isinstance(name_or_path, str) and is_regulator_name(name_or_path):
        return _shipped(name_or_path)
    path = text_file(name_or_path)
    lines = [
        (number, line)
        for number, line in enumerate(text_lines(path, encoding), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    header = _header(lines[0][1]) if lines else None
    return _plain(path, lines) if header is None else _with_header(path, lines, header)


def read_regulators(name_or_path: str | os.PathLike[str], *, encoding: str = "utf-8") -> list[str]:
    """Read a list of regulators: one id a line, a table of ids, or a list that netinfer ships.

    Parameters
    ----------
    name_or_path : str or path
        See :func:`regulator_table`. Plain or gzip; blank lines and lines that begin with ``#`` are skipped.
    encoding : str
        Of the file.

    Returns
    -------
    list of str
        In the order of the list, without quotes and blanks around them; an id that stands there twice is kept once
        and a warning is logged. Of a table the first id of each row.

    Raises
    ------
    InputError
        See :func:`regulator_table`.
    """
    return labels(regulator_table(name_or_path, encoding=encoding))


def as_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of ids as `regulator_table` gives it; other columns are left out.

    Raises
    ------
    InputError
        None of its columns is known, or no id is in them.
    """
    import pandas as pd

    from netinfer.io.matching import texts

    names = {column: _HEADERS.get(str(column).lower()) for column in frame.columns}
    known = {name: texts(frame[column]) for column, name in names.items() if name}
    if not known:
        raise InputError(
            f"regulators: the columns {some([str(name) for name in frame.columns])} are no ids: name at least one of "
            f"{', '.join(LIST_COLUMNS)}"
        )
    table = pd.DataFrame(known, dtype=object)
    table = table[(table != "").any(axis=1)].drop_duplicates(ignore_index=True)
    if table.empty:
        raise InputError("regulators: no id in the table: name at least one gene")
    return table[[column for column in table.columns if (table[column] != "").any()]]


def labels(table: pd.DataFrame) -> list[str]:
    """Return what to call each row of a list: its first id."""
    rows = zip(*(table[column] for column in table.columns), strict=True)
    return list(dict.fromkeys(next(filter(None, row)) for row in rows))


def _folder():
    return files("netinfer") / "resources" / "regulators"


def _shipped(name: str) -> pd.DataFrame:
    import pandas as pd

    known = shipped_lists()
    if name not in known:
        hint = f"; there is a file of that name: write ./{name} to read it" if Path(name).is_file() else ""
        choices = ", ".join(known)
        raise InputError(
            f"regulators: no list is called {name!r}: the shipped lists are {choices}; 'all' takes every gene; "
            f"a file is named with its folder or ending, such as ./{name} or {name}.txt{hint}"
        )
    with (_folder() / f"{name}.tsv").open("rb") as handle:
        table = pd.read_csv(handle, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8")
    return table[[column for column in table.columns if (table[column] != "").any()]].astype(object)


def _header(line: str) -> tuple[str, list[str | None]] | None:
    """Return separator and columns of a first line that names ids, else None."""
    for separator in ("\t", ","):
        names = [_HEADERS.get(clean_id(field).lower()) for field in line.split(separator)]
        if any(names):  # a table may have further columns, a list of one column has only its ids
            return separator, names
    return None


def _plain(path: Path, lines: list[tuple[int, str]]) -> pd.DataFrame:
    import pandas as pd

    for number, line in lines:
        if "\t" in line.strip():
            raise InputError(
                f"{path}: line {number}: {line.strip().count(chr(9)) + 1} fields: one regulator a line is read, or a "
                f"table whose first line names some of the columns {', '.join(LIST_COLUMNS)}"
            )
    if not lines:
        raise InputError(f"{path}: no regulator in it: write one gene id a line")
    cleaned, _ = clean_ids((line.strip() for _, line in lines), "regulator", str(path), collisions=True)
    repeated = duplicates(cleaned)
    if repeated:
        logger.warning(
            "%s: %d regulators are listed more than once and kept once: %s", path, len(repeated), some(repeated)
        )
    return pd.DataFrame({PLAIN: pd.Series(list(dict.fromkeys(cleaned)), dtype=object)})


def _with_header(path: Path, lines: list[tuple[int, str]], header: tuple[str, list[str | None]]) -> pd.DataFrame:
    import pandas as pd

    separator, names = header
    repeated = duplicates([name for name in names if name])
    if repeated:
        raise InputError(f"{path}: line {lines[0][0]}: the column {repeated[0]} stands there twice: rename one")
    rows = []
    for number, line in lines[1:]:
        fields = split_fields(line, separator, path, number)
        if len(fields) != len(names):
            raise InputError(f"{path}: line {number}: {len(fields)} fields where the header has {len(names)}: mend it")
        row = [clean_id(field) for field, name in zip(fields, names, strict=True) if name]
        if any(row):
            rows.append(row)
    if not rows:
        raise InputError(f"{path}: only a header: no regulator in it")
    table = pd.DataFrame(rows, columns=[name for name in names if name], dtype=object)
    for column in table:
        clean_ids([value for value in table[column] if value], "regulator", str(path), collisions=True)
    table = table.drop_duplicates(ignore_index=True)
    return table[[column for column in table.columns if (table[column] != "").any()]]
