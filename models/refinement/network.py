"""The network that reads a stroke's true length and direction off the evidence around it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from models.refinement.agreement import ABOUT, ANGLES, CHANNELS, LAGS, lags, turns

FIRST, LAST = 6, 22
SIDE = 5
"""The answer is sought among these distances and up to `SIDE` directions to either side: .45 to 1.95 times the stroke's
length, 37.5 degrees."""
ROWS, COLUMNS = LAST - FIRST, 2 * SIDE + 1


class RefinementNetwork(nn.Module):
    """How likely each length and direction around a stroke is: a perceptron over the whole evidence at once."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.first = nn.Linear(CHANNELS * LAGS * ANGLES + ABOUT, width)
        self.second = nn.Linear(width, width)
        self.last = nn.Linear(width, ROWS * COLUMNS)
        self.normals = nn.ModuleList((nn.LayerNorm(width), nn.LayerNorm(width)))
        self.dropout = nn.Dropout(0.1)

    def forward(self, evidence: torch.Tensor, about: torch.Tensor) -> torch.Tensor:
        """Logarithms of the probabilities (B, ROWS, COLUMNS) of evidence (B, CHANNELS, LAGS, ANGLES).

        about  (B, ABOUT): what the evidence is worth.
        """
        x = self.first(torch.cat((self.dropout(evidence.flatten(1)), about), 1))
        x = F.gelu(self.normals[0](x))
        x = x + F.gelu(self.normals[1](self.second(self.dropout(x))))
        logits = self.last(self.dropout(x)).float()
        return logits.log_softmax(1).unflatten(1, (ROWS, COLUMNS))


def hypotheses(like: torch.Tensor) -> torch.Tensor:
    """The strokes that are judged, as complex factors of the drawn one, (ROWS, COLUMNS)."""
    low = ANGLES // 2 - SIDE
    length, turn = lags(like)[FIRST:LAST], turns(like)[low : low + COLUMNS]
    return torch.polar(length[:, None].expand(ROWS, COLUMNS).contiguous(), turn.expand(ROWS, COLUMNS).contiguous())


def expected(found: torch.Tensor) -> torch.Tensor:
    """The mean hypothesis of logarithms of probabilities (B, ROWS, COLUMNS), complex factors (B,): near 1 where nothing
    is known, as rough strokes lie evenly around the truth."""
    return (found.exp() * hypotheses(found)).sum((1, 2))
