"""Anderson acceleration: the next point of a fixed-point iteration from what its last steps told.

Of the combinations of the last points it takes the one whose combined step is shortest (Anderson 1965; Walker and Ni
2011). A caller has to check that its step is indeed shorter, and to go back where it is not.
"""

from __future__ import annotations

import numpy as np

# Share of the steps' mean square that is added to their products' diagonal.
RIDGE = 1e-12


class Anderson:
    """The last points and steps of an iteration x -> x + step(x)."""

    def __init__(self, n_kept: int):
        self.n_kept = n_kept
        self.forget()

    def forget(self) -> None:
        """Start anew: the map has changed, or its history misled."""
        self.last: tuple[np.ndarray, np.ndarray] | None = None
        self.moves: list[np.ndarray] = []
        self.changes: list[np.ndarray] = []

    def next_point(self, point: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return where to go from a point and its step; at first that is their sum."""
        if self.last is not None:
            self.moves.append(point - self.last[0])
            self.changes.append(step - self.last[1])
            if len(self.moves) > self.n_kept:
                del self.moves[0], self.changes[0]
        self.last = point.copy(), step.copy()
        after = point + step
        if len(self.moves) < 2:
            return after
        products = np.array([[float((a * b).sum()) for a in self.changes] for b in self.changes])
        scale = 1.0 / np.sqrt(np.maximum(products.diagonal(), np.finfo(float).tiny))
        products *= scale * scale[:, None]
        products[np.diag_indices_from(products)] += RIDGE
        share = scale * np.linalg.solve(products, scale * np.array([float((a * step).sum()) for a in self.changes]))
        for amount, move, change in zip(share, self.moves, self.changes, strict=True):
            after -= amount * (move + change)
        return after
