"""Read YAML and sheets strictly: a key given twice, a foreign tag, two documents or a list at the top are errors."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from netinfer.errors import ConfigError

_MAX_BYTES = 4_000_000
# Aliases let a file of a few lines stand for billions of nodes; a real config has hundreds.
_MAX_NODES = 1_000_000


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, which YAML libraries take silently, last one winning."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise _LineError(line, f"the key {key!r} is not text: put it in quotes")
        if key in seen:
            raise _LineError(line, f"the key `{key}` stands twice, first on line {seen[key]}: keep one")
        seen[key] = line
    loader.flatten_mapping(node)
    return {str(key): value for key, value in yaml.SafeLoader.construct_mapping(loader, node, deep=True).items()}


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


class _LineError(Exception):
    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML file with keys and values at its top.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict

    Raises
    ------
    ConfigError
        If the file is missing, too large, not UTF-8, not YAML, empty, not a mapping, or holds a key twice.
    """
    path = Path(path)
    try:
        if not path.is_file():
            problem = "is not a file" if path.exists() else "no such file"
            raise ConfigError(f"{path}: {problem}: give the path of a config such as config/config.yaml")
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise ConfigError(f"{path}: {size} bytes are too many for a config (at most {_MAX_BYTES})")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: not UTF-8 text: save the file as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str = "config") -> dict[str, Any]:
    """Parse YAML text as `read_yaml` does; `where` names it in messages."""
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{where}: the file is empty: list at least one data set under `datasets:`")
        _size(node, where, {})
        value = loader.construct_document(node)
    except _LineError as problem:
        raise ConfigError(f"{where}: line {problem.line}: {problem}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise ConfigError(f"{where}: {line}not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{where}: not valid YAML: {str(error).splitlines()[0]}") from None
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: keys and values are needed at the top, not a {type(value).__name__}")
    return value


def _size(node: yaml.Node, where: str, known: dict[int, int]) -> int:
    """Count nodes as they would be after expanding aliases."""
    key = id(node)
    if key in known:
        if known[key] < 0:
            raise ConfigError(f"{where}: line {node.start_mark.line + 1}: an alias that holds itself")
        return known[key]
    known[key] = -1
    total = 1
    if isinstance(node, yaml.MappingNode):
        total += sum(_size(k, where, known) + _size(v, where, known) for k, v in node.value)
    elif isinstance(node, yaml.SequenceNode):
        total += sum(_size(item, where, known) for item in node.value)
    if total > _MAX_NODES:
        raise ConfigError(f"{where}: line {node.start_mark.line + 1}: aliases expand to more than {_MAX_NODES} nodes")
    known[key] = total
    return total


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake merges config files: mappings are united, everything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def read_sheet(path: Path) -> list[dict[str, Any]]:
    """Read data sets from a table whose columns are the keys; empty cells are keys that are not given.

    A column such as ``filter.min_cpm`` is a key inside a key.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"datasets: {path}: {error.strerror}: give a list or a tsv/csv sheet") from None
    except UnicodeDecodeError:
        raise ConfigError(f"datasets: {path}: not UTF-8 text") from None
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    rows = [r for r in csv.reader(text.splitlines(), delimiter=delimiter) if any(c.strip() for c in r)]
    if len(rows) < 2:
        raise ConfigError(f"{path}: no data set in the sheet: a header and one line a data set are needed")
    header = [c.strip() for c in rows[0]]
    twice = {c for c in header if header.count(c) > 1}
    if twice:
        raise ConfigError(f"{path}: line 1: column {sorted(twice)[0]!r} stands twice")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) > len(header):
            raise ConfigError(f"{path}: line {number}: {len(row)} cells under {len(header)} columns")
    return [_nested({k: v.strip() for k, v in zip(header, row, strict=False) if v.strip()}) for row in rows[1:]]


def _nested(flat: Mapping[str, str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        section, dot, inner = key.partition(".")
        if dot:
            nested[section] = {**nested.get(section, {}), inner: value}
        else:
            nested[key] = value
    return nested
