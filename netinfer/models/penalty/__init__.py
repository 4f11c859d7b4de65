"""The choice of one penalty for one target."""

from netinfer.models.penalty.choose import PenaltyChoice, choose_penalty

__all__ = ["PenaltyChoice", "choose_penalty"]
