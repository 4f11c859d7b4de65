"""What splits the Graphical Lasso into parts: pairs whose covariance exceeds their penalty, and who is tied to whom.

The solution is block diagonal over the connected components of the graph of |S_ij| > L_ij (Witten, Friedman and Simon
2011; Mazumder and Hastie 2012), so that each component is solved on its own. One and two variables have closed forms.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit


@njit
def component_labels(covariance, penalty):
    """Return each variable's component, numbered by its first variable, shape (p,).

    The covariance is read row by row and nothing of its size is made.
    """
    p = covariance.shape[0]
    is_matrix = penalty.shape[0] > 1
    label = np.full(p, -1, np.int64)
    left = np.arange(p)  # variables without a component
    n_left, n_components = p, 0
    queue = np.zeros(p, np.int64)
    while n_left > 0:
        queue[0] = left[0]
        label[left[0]] = n_components
        n_left -= 1
        for a in range(n_left):
            left[a] = left[a + 1]
        head, tail = 0, 1
        while head < tail:
            j = queue[head]
            head += 1
            row = covariance[j]
            kept = 0
            for a in range(n_left):
                i = left[a]
                bound = penalty[j, i] if is_matrix else penalty[0, 0]
                if abs(row[i]) > bound:
                    label[i] = n_components
                    queue[tail] = i
                    tail += 1
                else:
                    left[kept] = i
                    kept += 1
            n_left = kept
        n_components += 1
    return label


def members(label: np.ndarray) -> list[np.ndarray]:
    """Return the variables of each component, in increasing order."""
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(np.bincount(label)) if label.size else np.zeros(0, np.int64)
    return np.split(order, ends[:-1])
