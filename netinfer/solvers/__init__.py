"""The numerical core: arrays in, arrays and a certificate out. It knows no genes."""

from netinfer.solvers.path import LassoPath, lasso_path

__all__ = ["LassoPath", "lasso_path"]
