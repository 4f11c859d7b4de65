"""The sparse operator of one step of a linear process on nodes, from the signals before and after it."""

from netinfer.models.diffusion.infer import infer_diffusion
from netinfer.models.diffusion.model import DiffusionModel

__all__ = ["DiffusionModel", "infer_diffusion"]
