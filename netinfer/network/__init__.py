"""Networks that say how sure they are: nodes, ranked candidate edges, and a cut that can be moved without a refit."""

from netinfer.io.columns import EXPECTED_FALSE_EDGES_NOTE
from netinfer.network.joint import JointNetworks
from netinfer.network.network import Network
from netinfer.network.validate import rank_candidates

__all__ = ["EXPECTED_FALSE_EDGES_NOTE", "JointNetworks", "Network", "rank_candidates"]
