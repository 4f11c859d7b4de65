"""How genes are shown: by their symbol where they have one, and never two genes by the same words."""

from __future__ import annotations

from collections import Counter

import pandas as pd


def display_names(nodes: pd.DataFrame) -> dict[str, str]:
    """Return what each gene is called in figures and sentences: symbol, symbol (key) where it is shared, else key.

    Parameters
    ----------
    nodes : DataFrame
        name and, optionally, symbol.

    Returns
    -------
    dict
        From key to words, each different.
    """
    keys = nodes["name"].astype(str).tolist()
    symbols = symbols_of(nodes)
    taken = Counter(symbols.get(key, key) for key in keys)
    taken.update(key for key in keys if key in symbols)  # another gene's key is no name for this one
    shown = {}
    for key in keys:
        symbol = symbols.get(key)
        shown[key] = key if symbol is None else symbol if taken[symbol] == 1 else f"{symbol} ({key})"
    return shown


def symbols_of(nodes: pd.DataFrame) -> dict[str, str]:
    """Return the symbols of the genes that have one other than their key."""
    if "symbol" not in nodes:
        return {}
    pairs = zip(nodes["name"].astype(str), nodes["symbol"], strict=True)
    return {key: str(symbol) for key, symbol in pairs if not pd.isna(symbol) and str(symbol) not in ("", key)}
