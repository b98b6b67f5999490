"""The published predictor of guidance (Animation from Blur, section 3.3): a cVAE-GAN, all its parts in one network.

One backward pass teaches both sides: what the generator is told goes through discriminators whose parameters are held,
and what the discriminators are told comes from drawn guidance that is cut off from the generator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from models.guidance import QUADRANTS, STATIC, encode, quantise
from models.symmetry import WAYS, turned, turned_vectors
from models.trajectory.published_predictor import CLASSES, LATENT, PublishedPredictor
from training.coverage import average, coverage, things
from training.recipes import Batch
from training.sheets import flow_colours, picture
from training.world import Exposures
from training.world.dice import Dice

STILL = 0.5
"""Px: less motion is static, as in the published code."""
ANSWERS = 5
DRAWS = 4_711
"""The seed of the answers that are scored."""


@dataclass(frozen=True)
class Predictor:
    """The recipe; weights as in the paper: GAN .1, cross-entropy 10, divergence .1. The published code has 1, 10, .01.

    looking  whether the discriminators see the photo; as published they do not.
    """

    batch: int = 8
    rate: float = 1e-3
    clip: float = 20.0
    reuse: int = 8
    kept: int = 4
    reach: tuple[float, float] = (0.015, 0.25)
    score: str = "wrong5"
    adversary: float = 0.1
    likeness: float = 10.0
    divergence: float = 0.1
    width: int = 64
    depth: int = 8
    looking: bool = False

    def network(self) -> nn.Module:
        return PublishedPredictor(self.width, self.depth, self.looking)

    def material(self, exposures: Exposures, dice: Dice) -> Batch:
        return {"photo": exposures.photo, "code": code(exposures.flow())}

    def of_crops(self, crops: Batch) -> Batch:
        """Material of crops of real exposures (`training.real`)."""
        flow = F.interpolate(crops["motion"][:, 3] - crops["motion"][:, 2], scale_factor=2)
        return {"photo": crops["photo"], "code": code(flow)}

    def turned(self, batch: Batch, dice: Dice) -> Batch:
        """Also played backwards, half of them: which way time ran is in no photo."""
        way = int(dice.whole(WAYS))
        back = dice.chance(0.5, len(batch["photo"]))[:, None, None, None]
        laid = turned_vectors(batch["code"], way)
        return {"photo": turned(batch["photo"], way), "code": torch.where(back, -laid, laid)}

    def loss(self, network: nn.Module, batch: Batch, dice: Dice) -> torch.Tensor:
        """What the generator and the encoder are taught by, and what the discriminators are, added up."""
        parts = cast("PublishedPredictor", network)
        photo, labels = batch["photo"], classes(batch["code"])
        true = one_hot(labels)
        mean, log_variance = parts.encoder(true)
        noise, prior = dice.normal(2 * len(photo), LATENT).chunk(2)
        z = mean + noise * (log_variance / 2).exp()
        both = photo.repeat(2, 1, 1, 1)
        logits = parts.generator(both, torch.cat((z, prior)))
        drawn = hard(logits, dice)
        judges = parts.discriminators
        held = {name: value.detach() for name, value in judges.named_parameters()}
        fooled = away(functional_call(judges, held, (drawn, both)), 1)
        caught, trusted = away(judges(drawn.detach(), both), 0), away(judges(true, photo), 1)
        unlike = F.cross_entropy(logits[: len(photo)], labels)
        taught = self.likeness * unlike + self.divergence * from_normal(mean, log_variance)
        return taught + self.adversary * (2 * fooled + 2 * caught + trusted)

    def validate(self, network: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Cross-entropy and share of right pixels where z is the encoder's; how well five answers with z of N(0, 1)
        cover the truth (`Coverage`), and how well five random quadrants for each true thing do."""
        told, answers, lots = [], [], []
        for batch in batches:
            told.append(self._told(network, batch))
            labels = classes(batch["code"]).cpu().numpy().astype(np.uint8)
            for truth, drawn in zip(labels, self.answers(network, batch["photo"]), strict=True):
                moving = truth != STATIC
                answers.append(coverage(truth, moving, ~moving, list(drawn)))
                lots.append(coverage(truth, moving, ~moving, random_quadrants(truth, len(lots))))
        entropy, right, apart = np.mean(told, 0)
        scores = {"entropy": float(entropy), "right": float(right), "apart": float(apart), **average(answers)}
        random = {f"random_{name}": value for name, value in average(lots).items() if name[-1].isdigit()}
        return {**scores, **random, "wrong5": 1 - scores["agreed5"]}

    def _told(self, network: nn.Module, batch: Batch) -> tuple[float, float, float]:
        parts, labels = cast("PublishedPredictor", network), classes(batch["code"])
        mean, log_variance = parts.encoder(one_hot(labels))
        logits = parts.generator(batch["photo"], mean)
        right = (logits.argmax(1) == labels).float().mean()
        return float(F.cross_entropy(logits, labels)), float(right), float(from_normal(mean, log_variance))

    def answers(self, network: nn.Module, photo: torch.Tensor) -> np.ndarray:
        """Labels uint8 (B, 5, H, W) of photos (B, 3, H, W) of any size, the same every time."""
        generator, dice = cast("PublishedPredictor", network).generator, Dice(DRAWS, photo.device)
        height, width = photo.shape[-2:]
        padded = F.pad(photo, (0, -width % generator.stride, 0, -height % generator.stride), mode="replicate")
        drawn = [generator(padded, dice.normal(len(photo), LATENT)).argmax(1) for _ in range(ANSWERS)]
        return torch.stack(drawn, 1)[..., :height, :width].byte().cpu().numpy()

    def sheet(self, network: nn.Module, batch: Batch) -> list[list]:
        """The photo, the truth, what is made of the truth's z, and five answers."""
        parts, labels = cast("PublishedPredictor", network), classes(batch["code"])
        mean, _ = parts.encoder(one_hot(labels))
        again = parts.generator(batch["photo"], mean).argmax(1)
        told = torch.stack((labels, again), 1).byte().cpu().numpy()
        shown = np.concatenate((told, self.answers(network, batch["photo"])), 1)
        return [[picture(photo), *map(coloured, row)] for photo, row in zip(batch["photo"], shown, strict=True)]


def coloured(labels: np.ndarray) -> np.ndarray:
    """Labels (H, W) as a picture."""
    return flow_colours(torch.from_numpy(encode(labels)).movedim(-1, 0), 1.5)


def code(flow: torch.Tensor) -> torch.Tensor:
    """The published code (B, 2, H, W), signs of x and y, of a flow (B, 2, H, W) px; (0, 0) is static."""
    codes = [encode(quantise(one, STILL)) for one in flow.permute(0, 2, 3, 1).cpu().numpy()]
    return torch.from_numpy(np.stack(codes)).movedim(-1, 1).to(flow.device)


def classes(codes: torch.Tensor) -> torch.Tensor:
    """The class 0 to 4, (B, H, W), of codes (B, 2, H, W)."""
    x, y = codes.unbind(1)
    quadrant = torch.where(y < 0, torch.where(x > 0, 1, 2), torch.where(x > 0, 4, 3))
    return torch.where((x == 0) & (y == 0), STATIC, quadrant)


def one_hot(labels: torch.Tensor) -> torch.Tensor:
    """Classes (B, H, W) as 0 and 1, (B, 5, H, W)."""
    return F.one_hot(labels, CLASSES).movedim(-1, 1).float()


def away(scores: list[torch.Tensor], wanted: float) -> torch.Tensor:
    """How far discriminators' scores are from what is wanted, least squares (Mao et al. 2017)."""
    return torch.stack([(score - wanted).square().mean() for score in scores]).sum()


def from_normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """The Kullback-Leibler divergence of z, (B, 4) each, from N(0, 1), nats, the mean over the batch."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2


def hard(logits: torch.Tensor, dice: Dice) -> torch.Tensor:
    """One class a pixel, (B, 5, H, W) as 0 and 1, drawn by the logits; gradients are those of the soft draw, straight
    through (Jang et al. 2016)."""
    gumbel = -(-dice.uniform(*logits.shape, low=1e-6, high=1 - 1e-6).log()).log()
    soft = (logits + gumbel).softmax(1)
    drawn = torch.zeros_like(soft).scatter_(1, soft.argmax(1, keepdim=True), 1.0)
    return drawn + soft - soft.detach()


def random_quadrants(truth: np.ndarray, seed: int) -> list[np.ndarray]:
    """Five answers that know what is a thing and draw a quadrant for each."""
    dice, parts, answers = np.random.default_rng(seed), things(truth), []
    for _ in range(ANSWERS):
        answer = np.zeros_like(truth)
        for part in parts:
            answer[part] = dice.choice(QUADRANTS)
        answers.append(answer)
    return answers


RECIPE = Predictor()
