"""One smooth motion for an area that is seen in parts.

A camera that turns or moves forward, and a thing that turns, move no two places alike: judged as a whole such an area
agrees on nothing. Judged in windows each agrees on its own motion; here the affine field is found for which the
windows' hypotheses speak together. A window alone is often wrong, by an edge or a repeated pattern: it may be counted
out, but no sum of such mistakes is smooth. Put right by what is seen along it, the field may bend a little, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from models.areas.correction import Correction, CorrectionNetwork, seen
from models.areas.network import ANGLES, LENGTHS, LONGEST, SHORTEST, TURN, hypotheses

POWERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))
"""Of the place from the area's centre in `SPAN`, x and y: what a field's coefficients, motions, are times of."""
COEFFICIENTS, AFFINE = len(POWERS), 3
SPAN = 100.0
"""Px."""
_MISTAKEN = 0.7
"""How likely it is that a window's evidence means nothing."""
_RIDGE = 0.02
"""How unlikely change is: the weight of its square, px^2 a `SPAN`."""
_BEGUN, _TURNS = 8.0, (1, 1j)
"""Px a `SPAN` of the zooms and turns that the search begins with."""
_HEED = 4.0
"""What a window that moves against what it is told counts."""
ALONG_AXIS = 0.3
"""The sine of the angle to an axis up to which a motion may be told in the quadrant across it."""
_RIDGES = (1e-6, 0.1, 10.0, 30.0)
"""The same for coefficients of each degree; that of the motion at the centre is as good as free."""
APART, FEWEST, LOOKS, FIRST_LOOKS = 52, 3, 5, 2
"""How far apart windows are in which a field is put right, px; how many there must be; how often it is done; and how
often before it is told which of several beginnings leads anywhere."""
BEYOND_DOUBT = 0.15
"""The doubt below which no other beginning is tried."""
FURTHEST = 0.07
"""The mean length, as a share of the picture's longer side, up to which motion counts that is looked for farther than
the windows' hypotheses are."""
NEAREST_LOOK = 3.0
"""Px: shorter motion is looked at as if it were so long."""
_CALLED, _TRULY = (2.7, 3.8), (1.4, 3.5)
"""What is shorter than windows are looked at along is called longer than it is: mean lengths, px."""
_CURVED, _MOST_CURVED = (0.02, 0.045), 0.4
"""How many px a motion has to change for each px from place to place for windows to begin to follow that, to follow it
fully, and the most that they follow: of a pan that is nearly the same everywhere they rather see that it is not."""
SUREST = 0.04
"""The least that what a window says is taken to be off, as a share of the motion."""
_ROUNDS = 8
_STEPS, _RATE, _LAST = 80, 0.5, 0.02
"""Steps of the search, and the first and last of their sizes, px."""


@torch.enable_grad()
def fitted(
    posteriors: torch.Tensor, places: torch.Tensor, owner: torch.Tensor, count: int, told: torch.Tensor | None = None
) -> torch.Tensor:
    """The likeliest affine fields, (count, AFFINE, 2) px.

    posteriors  logarithms (N, LENGTHS, TURN) of how likely the hypotheses are in each of N windows.
    places      (N, 2) px: where the windows' middles lie from the centre of their area.
    owner       (N,) which of `count` areas each window shows; every area has at least one.
    told        (N, 2) the mean of the quadrants, (+-1, +-1), that each window is told, which the field is to keep to;
                None: nothing beyond what is in the posteriors.

    Searched from a motion that is the same everywhere, from a zoom and from a turn: windows that move against each
    other on opposite sides speak for no motion of the whole.
    """
    likely = posteriors.exp()
    log, terms = _trusted(likely), _terms(places)[:, :AFFINE]
    together = log.new_zeros(count, LENGTHS * TURN).index_add_(0, owner, log.flatten(1))
    fields = log.new_zeros(1 + 2 * len(_TURNS), count, AFFINE, 2)
    fields[0, :, 0] = torch.view_as_real(hypotheses(log).flatten())[together.argmax(1)]
    for n, turn in enumerate((*_TURNS, *(-turn for turn in _TURNS))):
        fields[n + 1, :, 1:] = torch.view_as_real(_BEGUN * turn * torch.tensor((1, 1j))).to(log)
    fields.requires_grad_(True)

    def likelihood() -> torch.Tensor:
        motion = torch.einsum("nk,snkc->snc", terms, fields[:, owner])
        speaks = torch.stack([_trusted(_read(likely, each)) for each in motion])
        if told is not None:
            speaks = speaks - _HEED * _against(motion, told)
        summed = log.new_zeros(fields.shape[:2]).index_add_(1, owner, speaks)
        return summed - _RIDGE * fields[:, :, 1:].square().sum((2, 3))

    search = torch.optim.Adam([fields])
    for step in range(_STEPS):
        for group in search.param_groups:
            group["lr"] = _RATE * (1 - step / _STEPS) + _LAST
        search.zero_grad()
        (-likelihood().sum()).backward()
        search.step()
    best = likelihood().argmax(0)
    return fields.detach()[best, torch.arange(count, device=best.device)]


def as_told(places: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The affine field (AFFINE, 2) px, of no length in particular, that runs as windows at `places` (N, 2) px are told
    quadrants (N, 2)."""
    terms = _terms(places)[:, :AFFINE]
    ridge = terms.new_tensor([_RIDGES[i + j] for i, j in POWERS[:AFFINE]]).diag()
    return torch.linalg.solve(terms.T @ terms + ridge, terms.T @ (told * (_BEGUN / math.sqrt(2))))


@torch.no_grad()
def corrected(
    network: CorrectionNetwork,
    grey: torch.Tensor,
    mask: torch.Tensor,
    centre: torch.Tensor,
    field: torch.Tensor,
    looks: int = LOOKS,
) -> tuple[torch.Tensor, float]:
    """A field (COEFFICIENTS, 2) px, put right by what is seen along it in windows all over its area, and the
    doubt: how far, as a share of its length, the windows' answers are off by their own account; infinite where there
    are too few.

    grey, mask  (H, W): the picture, and where the area is. centre (2,) px, of the field.

    Each window says how far its motion is off and how sure that is; the field is fitted to all of them, those that
    contradict the rest counting less (Cauchy), and looked along again, `looks` times in all.
    """
    places, doubt = _places(mask), math.inf
    if len(places) < FEWEST:
        return field, doubt
    ways = _terms(places - centre)
    for _ in range(looks):
        motion = ways @ field
        length = motion.norm(dim=1, keepdim=True)
        factor = length.clamp_min(NEAREST_LOOK) / length.clamp_min(1e-3)
        supposed = motion * factor
        factor = torch.where(supposed[:, :1] < 0, -factor, factor)  # to the right: the same, played backwards
        along = motion * factor, _change(field, factor)
        said = network(seen(grey[None], mask[None, None], places[None], *(one[None] for one in along))[0])
        field, doubt = _agreed(ways, supposed, said), float(said.spreads.mean())
    return field, doubt


def likeliest(
    network: CorrectionNetwork,
    grey: torch.Tensor,
    mask: torch.Tensor,
    centre: torch.Tensor,
    fields: Sequence[torch.Tensor],
) -> tuple[torch.Tensor, float]:
    """The field (COEFFICIENTS, 2) px and its doubt of `corrected`, begun with the one of several fields, each
    (COEFFICIENTS, 2) px, that leaves least doubt; the rest as there. What is begun much too short ends
    where some windows agree by chance. All fields but the first only count where they do not end too far: few windows
    show motion so long, and they agree by chance, too."""
    ways, far = _terms(_places(mask) - centre), FURTHEST * max(grey.shape)
    best, least = fields[0], math.inf
    for n, begun in enumerate(fields):
        field, doubt = corrected(network, grey, mask, centre, begun, FIRST_LOOKS)
        if doubt < least and (n == 0 or float((ways @ field).norm(dim=1).mean()) < far):
            best, least = field, doubt
        if least < BEYOND_DOUBT:
            break
    return corrected(network, grey, mask, centre, best, LOOKS - FIRST_LOOKS)


def shortened(called: float) -> float:
    """How long motion truly is that is put right to a mean length of `called` px, as far as it is slight."""
    return float(np.interp(called, _CALLED, _TRULY)) if called < _CALLED[1] else called


def _change(field: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """How motions `factor` (N, 1) times those of a field change for each px to the right, and down, (N, 2, 2), as far
    as windows are to follow that; not at all where they are longer than the field's, near what stands still."""
    change = field[1:AFFINE] / SPAN
    strength = float(change.norm()) / math.sqrt(2)
    low, high = _CURVED
    share = min(1.0, max(0.0, (strength - low) / (high - low)), _MOST_CURVED / max(strength, 1e-6))
    return share * change * torch.where(factor.abs() > 1, 0.0, factor)[..., None]


def _places(mask: torch.Tensor) -> torch.Tensor:
    """Where windows are looked at, (N, 2) px: an even grid, as far as it lies in the area (H, W)."""
    y, x = (torch.arange(APART // 2, length, APART, device=mask.device) for length in mask.shape)
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).flatten(0, 1)
    return places[mask[places[:, 1], places[:, 0]] > 0.5].to(mask.dtype)


def _agreed(ways: torch.Tensor, supposed: torch.Tensor, said: Correction) -> torch.Tensor:
    """The field (COEFFICIENTS, 2) px whose motions, `ways` (N, COEFFICIENTS) times it, are nearest to `supposed` ones
    (N, 2) px put right as is `said`, each window weighed by how sure it is along and across its motion."""
    length = supposed.norm(dim=1, keepdim=True)
    along = supposed / length
    axes = torch.stack((along, torch.stack((-along[:, 1], along[:, 0]), 1)), 1)  # (N, 2 axes, 2)
    aims = torch.einsum("nac,nc->na", axes, said.of(supposed))
    sure = 1 / (said.spreads.clamp_min(SUREST) * length)
    rows = torch.einsum("nk,nac->nakc", ways, axes).flatten(2)  # (N, 2, K * 2)
    ridge = rows.new_tensor([_RIDGES[i + j] for i, j in POWERS])[:, None].expand(-1, 2)
    moves = said.moves.sigmoid()
    share, found = moves, rows.new_zeros(2 * COEFFICIENTS)
    for _ in range(_ROUNDS):
        weights = sure.square() * share[:, None]
        left = torch.einsum("nai,na,naj->ij", rows, weights, rows) + ridge.flatten().diag()
        found = torch.linalg.solve(left, torch.einsum("nai,na,na->i", rows, weights, aims))
        off = ((torch.einsum("nai,i->na", rows, found) - aims) * sure).square().sum(1)
        share = moves / (1 + off / 2)
    return found.view(COEFFICIENTS, 2)


def doubts(posteriors: torch.Tensor, places: torch.Tensor, owner: torch.Tensor, fields: torch.Tensor) -> torch.Tensor:
    """How little the windows speak for the fields (count, K, 2), (count,): how far on the average hypotheses
    lie from the field's motion, in the better direction of time, as a share of its mean length: it may turn about a
    point that stands still. The rest as for `fitted`.

    Around what stands still, or moves in many ways, it is mostly above 1, as windows there agree on nothing.
    """
    motion = _at(places, fields[owner])
    each = torch.view_as_real(hypotheses(posteriors).flatten())
    off = torch.minimum(torch.cdist(motion, each), torch.cdist(-motion, each))
    off = (posteriors.flatten(1).exp() * off).sum(1)
    sums = torch.zeros(len(fields), 2, device=motion.device)
    sums.index_add_(0, owner, torch.stack((off, motion.norm(dim=1).clamp_min(1)), 1))
    return sums[:, 0] / sums[:, 1]


def spread(fields: torch.Tensor, centres: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Fields (N, K, 2), the first K coefficients, about `centres` (N, 2), x then y, on every pixel: (N, 2, height,
    width) px."""
    x = (torch.arange(width, device=fields.device) - centres[:, :1]) / SPAN
    y = (torch.arange(height, device=fields.device) - centres[:, 1:]) / SPAN
    motion = fields.new_zeros(len(fields), 2, height, width)
    for (i, j), part in zip(POWERS, fields.unbind(1), strict=False):
        motion += part[:, :, None, None] * (x**i)[:, None, None, :] * (y**j)[:, None, :, None]
    return motion


def enlarged(field: torch.Tensor, factor: float) -> torch.Tensor:
    """The same field (COEFFICIENTS, 2) on a picture `factor` times as large."""
    return field * field.new_tensor([factor ** (1 - i - j) for i, j in POWERS])[:, None]


def _at(places: torch.Tensor, fields: torch.Tensor) -> torch.Tensor:
    """The motion (N, 2) px of fields (N, K, 2), each at its own place (N, 2) px from the centre."""
    return (_terms(places)[:, : fields.shape[1], None] * fields).sum(1)


def _terms(places: torch.Tensor) -> torch.Tensor:
    """What the coefficients are times of at places (N, 2) px from the centre, (N, COEFFICIENTS)."""
    x, y = (places / SPAN).unbind(1)
    return torch.stack([x**i * y**j for i, j in POWERS], 1)


def _against(motion: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """How far motions (S, N, 2) px run against told quadrants (N, 2), as a share of their length: (S, N)."""
    length = motion.norm(dim=2, keepdim=True)
    return ((-motion * told - ALONG_AXIS * told.abs() * length).clamp_min(0) / length.clamp_min(1)).sum(2)


def _trusted(likely: torch.Tensor) -> torch.Tensor:
    """The logarithm of how likely a window's evidence is, given how likely it would be were it not mistaken."""
    return ((1 - _MISTAKEN) * likely + _MISTAKEN / (LENGTHS * TURN)).log()


def _read(likely: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Of hypotheses (N, LENGTHS, TURN) the value (N,) at motions (N, 2) px: a quadratic spline through the nine around,
    whose peaks may lie between them."""
    steps = (LENGTHS - 1) / math.log(LONGEST / SHORTEST)
    length = (motion.norm(dim=1).clamp(SHORTEST, LONGEST) / SHORTEST).log() * steps
    angle = torch.atan2(motion[:, 1], motion[:, 0]) * (ANGLES / math.pi)
    row, column = (value.detach().round().long() for value in (length, angle))
    rows = (row[:, None] + torch.arange(-1, 2, device=row.device)).clamp(0, LENGTHS - 1)
    columns = (column[:, None] + torch.arange(-1, 2, device=row.device)) % TURN
    each = torch.arange(len(likely), device=row.device)[:, None, None]
    around = likely[each, rows[:, :, None], columns[:, None, :]]
    return torch.einsum("nij,ni,nj->n", around, _spline(length - row), _spline(angle - column))


def _spline(off: torch.Tensor) -> torch.Tensor:
    """Weights (N, 3) of the values before, at and after the nearest one, `off` (N,) from it."""
    return torch.stack(((0.5 - off).square() / 2, 0.75 - off.square(), (0.5 + off).square() / 2), 1)
