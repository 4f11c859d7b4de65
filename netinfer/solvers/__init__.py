"""The numerical core: arrays in, arrays and a certificate out. It knows no genes."""

from netinfer.solvers.elastic_net import elastic_net_path
from netinfer.solvers.graphical_lasso import graphical_lasso
from netinfer.solvers.graphical_path import graphical_lasso_path, graphical_lasso_steps, largest_penalty
from netinfer.solvers.graphical_result import GraphicalLassoResult
from netinfer.solvers.group import GroupLassoPath, group_lasso_path, group_lasso_paths
from netinfer.solvers.grouping import group_labels
from netinfer.solvers.joint_graphical import joint_graphical_lasso
from netinfer.solvers.joint_graphical_result import JointGraphicalResult
from netinfer.solvers.logistic import LogisticPath, logistic_path
from netinfer.solvers.losses import LeastSquaresLoss, LogisticLoss
from netinfer.solvers.many import elastic_net_paths, lasso_paths
from netinfer.solvers.nonnegative import NonnegativePath, nonnegative_lasso_path
from netinfer.solvers.path import lasso_path
from netinfer.solvers.proximal import ProximalResult, fista, group_soft_threshold, ista, soft_threshold
from netinfer.solvers.result import Certificate, LassoPath
from netinfer.solvers.weighted import adaptive_lasso_path
from netinfer.solvers.wide_path import lasso_path_wide

__all__ = [
    "Certificate",
    "GraphicalLassoResult",
    "GroupLassoPath",
    "JointGraphicalResult",
    "LassoPath",
    "LeastSquaresLoss",
    "LogisticLoss",
    "LogisticPath",
    "NonnegativePath",
    "ProximalResult",
    "adaptive_lasso_path",
    "elastic_net_path",
    "elastic_net_paths",
    "fista",
    "graphical_lasso",
    "graphical_lasso_path",
    "graphical_lasso_steps",
    "group_labels",
    "group_lasso_path",
    "group_lasso_paths",
    "group_soft_threshold",
    "ista",
    "joint_graphical_lasso",
    "largest_penalty",
    "lasso_path",
    "lasso_path_wide",
    "lasso_paths",
    "logistic_path",
    "nonnegative_lasso_path",
    "soft_threshold",
]
