"""Say validation errors of a config as lines a user can act on: file, key path, what is wrong, what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from netinfer.errors import ConfigError

Section = TypeVar("Section", bound=BaseModel)
Documents = Sequence[tuple[str, Mapping[str, Any]]]
# Errors that netinfer's own validators word in full.
_UNION_MEMBER = re.compile(r"(literal|constrained-\w+|function-\w+|nullable)(\[|$)|(float|int|str|none)$")
_NUMBERS = {"int_parsing": "a whole number", "float_parsing": "a number"}
_BOUND = re.compile(r"\b(ge|gt|le|lt)=(\d+(?:\.\d+)?)")
_BOUND_WORDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_SELF_EXPLAINING = (
    "path",
    "one_cut",
    "order",
    "even",
    "name",
    "twin",
    "inside",
    "operon",
    "twice",
    "truncation",
    "nothing",
)


def explain(
    errors: Iterable[Mapping[str, Any]],
    values: Mapping[str, Any],
    documents: Documents,
    known_keys: Callable[[Sequence[Any]], list[str]],
) -> list[str]:
    """Word pydantic's errors.

    Parameters
    ----------
    errors : list of mappings
        As `ValidationError.errors` gives them.
    values : mapping
        The config that was refused.
    documents : list of (file name, mapping)
        The files that it came from; the last that holds a key is named.
    known_keys : callable
        Gives the keys that are known at a place.

    Returns
    -------
    list of str
        One line a mistake.
    """
    errors = _one_for_each_union(errors)
    misspelt = {(*e["loc"][:-1], _nearest(e, known_keys)) for e in errors if e["type"] == "extra_forbidden"}
    lines = []
    for error in errors:
        loc = tuple(error["loc"])
        # A required key that is misspelt is one mistake, not a missing and an unknown key.
        if error["type"] == "missing" and loc in misspelt:
            continue
        parts = (_origin(loc, documents), _place(loc, values), _what(error, known_keys))
        lines.append(": ".join(part for part in parts if part))
    return list(dict.fromkeys(lines))


def as_section(model: type[Section], value: Any, name: str) -> Section:
    """Return a section of a config from what a caller gives: the section itself or a mapping.

    Parameters
    ----------
    model : type of `netinfer.sections.Section`
    value : Section or mapping
    name : str
        The section's name, for messages.

    Raises
    ------
    ConfigError
        One line for each thing that is wrong.
    """
    if isinstance(value, model):
        return value
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [{**entry, "loc": (name, *entry["loc"])} for entry in error.errors(include_url=False)]
        raise ConfigError("\n".join(explain(found, {name: value}, (), lambda _: list(model.model_fields)))) from None


def as_settings(model: type[Section], values: Mapping[str, Any], where: str, others: Sequence[str] = ()) -> Section:
    """Return a section of a config from the keywords of a call.

    Parameters
    ----------
    model : type of `netinfer.sections.Section`
    values : mapping
    where : str
        The function that was called, for messages.
    others : sequence of str
        Its other keywords, for a hint where a name is misspelt.

    Raises
    ------
    ConfigError
        One line for each thing that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        known = [*model.model_fields, *others]
        lines = explain(error.errors(include_url=False), values, (), lambda _: known)
        raise ConfigError("\n".join(f"{where}: {line}" for line in lines)) from None


def _one_for_each_union(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep one error where pydantic has one for each type that a key may have, and drop the type from its place."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for error in errors:
        loc = tuple(part for part in error["loc"] if not (isinstance(part, str) and _UNION_MEMBER.match(part)))
        key = loc if loc != tuple(error["loc"]) else (*loc, error["type"])
        is_number = isinstance(error["input"], int | float) and not isinstance(error["input"], bool)
        # What the key may be beside a word; its bounds stand in pydantic's name of that type.
        number = kept.get(key, {}).get("number") or _number_words(error["type"], " ".join(map(str, error["loc"])))
        # Of a number the bound that it breaks is worth saying, of text the words that are known.
        if key not in kept or (error["type"] == "literal_error") != is_number:
            kept[key] = {**error, "loc": loc, "is_union": loc != tuple(error["loc"])}
        kept[key]["number"] = number
    return list(kept.values())


def _number_words(kind: str, place: str) -> str:
    """Say which numbers a key takes, from the error that pydantic has for text there; empty if it takes none."""
    bounds = sorted(_BOUND.findall(place))  # ge, gt before le, lt
    words = " and ".join(f"{_BOUND_WORDS[sign]} {bound}" for sign, bound in bounds)
    return (_NUMBERS[kind] + (f" ({words})" if words else "")) if kind in _NUMBERS else ""


def _nearest(error: Mapping[str, Any], known_keys: Callable[[Sequence[Any]], list[str]]) -> str | None:
    near = difflib.get_close_matches(str(error["loc"][-1]), known_keys(error["loc"][:-1]), n=1, cutoff=0.6)
    return near[0] if near else None


def _what(error: Mapping[str, Any], known_keys: Callable[[Sequence[Any]], list[str]]) -> str:
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        near = _nearest(error, known_keys)
        known = ", ".join(known_keys(error["loc"][:-1]))
        return f"unknown key: did you mean `{near}`?" if near else f"unknown key: known are {known}"
    if kind == "missing":
        return "is missing: this key has no default"
    if kind == "literal_error":
        expected = error["ctx"]["expected"]
        close = difflib.get_close_matches(str(given), re.findall(r"'([^']+)'", expected), n=1)
        if error.get("number"):
            return f"{given!r}: give {error['number']}, or {expected.replace(chr(39), '')}"
        return f"{given!r} is none of {expected.replace(chr(39), '')}" + (
            f": did you mean `{close[0]}`?" if close else ""
        )
    if kind == "string_type":
        return f"{given!r} is not text: put it in quotes"
    if kind == "string_pattern_mismatch":
        rule = "1 to 64 letters, digits, `_` or `-`, the first a letter or digit"
        return f"{str(given)[:80]!r} is not a data set name: {rule}"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"keys and values are needed here, not {given!r:.60}"
    if kind == "list_type" and tuple(error["loc"]) != ("datasets",):
        return f"a list is needed here, such as [{given!r:.40}]"
    if kind == "list_type":
        return "a list of data sets (each starting with `- name:`) or the path of a sheet is needed"
    message = error["msg"][0].lower() + error["msg"][1:]
    return message if kind in _SELF_EXPLAINING else f"{given!r:.60}: {message}"


def _place(loc: Sequence[Any], values: Mapping[str, Any]) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    if len(loc) > 1 and loc[0] in ("datasets", "comparisons", "motif") and isinstance(loc[1], int):
        entry = values[loc[0]][loc[1]]
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            place += f" ({entry['name'][:64]!r})"
    return place


def _origin(loc: Sequence[Any], documents: Documents) -> str:
    """Name the last file that holds the key, or its nearest parent."""
    for depth in range(len(loc), 0, -1):
        for file, document in reversed(documents):
            if _holds(document, loc[:depth]):
                return file
    return documents[-1][0] if documents else ""


def _holds(node: Any, loc: Sequence[Any]) -> bool:
    for part in loc:
        is_entry = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if not is_entry and not (isinstance(node, Mapping) and part in node):
            return False
        node = node[part]
    return True
