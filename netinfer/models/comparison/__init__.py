"""Undirected networks of several conditions at once, and what differs between them."""

from netinfer.models.comparison.infer import infer_joint_precision

__all__ = ["infer_joint_precision"]
