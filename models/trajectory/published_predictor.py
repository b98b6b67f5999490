"""The predictor of guidance as published (Animation from Blur, section 3.3; layers as in its code): a cVAE-GAN.

An encoder puts the true guidance into four numbers z, a U-Net draws the guidance from the photo and z, discriminators
tell drawn guidance from true. A configuration to train and to compare with; no weights are shipped.

Our own choices: groups are normalised instead of single channels, which would take z out again, as it is the same
everywhere; there is no dropout; the generator also reads the photo's local contrast, without which nothing is learned.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from models.trajectory.network import local_contrast

CLASSES, LATENT = 5, 4
"""Static and the quadrants; the numbers of z."""
WIDEST = 8


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(8, width // 2), width)


def _smaller(inner: int, outer: int) -> nn.Conv2d:
    return nn.Conv2d(inner, outer, 4, 2, 1)


class _Pooled(nn.Module):
    """A pre-activation block that halves the sides."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        first, second = nn.Conv2d(inner, inner, 3, padding=1), nn.Conv2d(inner, outer, 3, padding=1)
        self.body = nn.Sequential(
            _norm(inner), nn.LeakyReLU(0.2), first, _norm(inner), nn.LeakyReLU(0.2), second, nn.AvgPool2d(2)
        )
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inner, outer, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.short(x)


class GuidanceEncoder(nn.Module):
    """Guidance (B, 5, H, W), one class a pixel as 0 and 1, to the mean and the log variance of z, (B, 4) each."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        widths = [width * factor for factor in (1, 2, 3, 4, 4)]
        self.body = nn.Sequential(_smaller(CLASSES, width), *(_Pooled(a, b) for a, b in pairwise(widths)))
        self.head = nn.Linear(widths[-1], 2 * LATENT)

    def forward(self, guidance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pooled = F.leaky_relu(self.body(guidance), 0.2).mean((2, 3))
        mean, log_variance = self.head(pooled).float().chunk(2, 1)
        return mean, log_variance


class Generator(nn.Module):
    """Photos (B, 3, H, W), 0 to 1 on the sRGB curve, and z (B, 4) to the classes' logits (B, 5, H, W).

    A U-Net that halves the sides `depth` times, which are multiples of `stride`; z stands beside the features at every
    level on the way down.
    """

    def __init__(self, width: int = 64, depth: int = 8) -> None:
        super().__init__()
        self.stride = 2**depth
        widths = [4, *(width * min(WIDEST, 2**level) for level in range(depth))]
        self.down = nn.ModuleList(_smaller(a + LATENT, b) for a, b in pairwise(widths))
        inner = [*(2 * one for one in widths[1:-1]), widths[-1]]
        outer = [CLASSES, *widths[1:-1]]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(inner, outer, strict=True))
        self.down_norms = nn.ModuleList(_norm(one) for one in widths[2:-1])
        self.up_norms = nn.ModuleList(_norm(one) for one in widths[1:-1])

    def forward(self, photo: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        with torch.autocast(photo.device.type, enabled=False):
            x = torch.cat((photo - 0.5, local_contrast(photo) / 2), 1)
        skips = []
        for level, down in enumerate(self.down):
            x = F.leaky_relu(x, 0.2) if level else x
            x = down(torch.cat((x, z[:, :, None, None].expand(-1, -1, *x.shape[-2:]).to(x.dtype)), 1))
            x = self.down_norms[level - 1](x) if 0 < level < len(self.down) - 1 else x
            skips.append(x)
        x = self.up[-1](F.relu(skips.pop()))
        for level in range(len(self.up) - 2, -1, -1):
            x = self.up[level](F.relu(torch.cat((self.up_norms[level](x), skips.pop()), 1)))
        return x.float()


class Discriminators(nn.Module):
    """Guidance (B, 5, H, W), where `looking` beside its photo (B, 3, H, W), to how true each patch looks: two maps, of
    the picture as it is and of half its size. Sides are at least 48 px."""

    def __init__(self, width: int = 64, looking: bool = False) -> None:
        super().__init__()
        self.looking = looking
        self.judges = nn.ModuleList(_judge(CLASSES + 3 * looking, one) for one in (width, width // 2))

    def forward(self, guidance: torch.Tensor, photo: torch.Tensor) -> list[torch.Tensor]:
        whole = torch.cat((guidance, photo - 0.5), 1) if self.looking else guidance
        half = F.avg_pool2d(whole, 3, 2, 1, count_include_pad=False)
        return [judge(seen).float() for judge, seen in zip(self.judges, (whole, half), strict=True)]


def _judge(inner: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = [_smaller(inner, width), nn.LeakyReLU(0.2)]
    for level, stride in enumerate((2, 2, 1)):
        a, b = width * 2**level, width * 2 ** (level + 1)
        layers += [nn.Conv2d(a, b, 4, stride, 1), _norm(b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(WIDEST * width, 1, 4, 1, 1))


class PublishedPredictor(nn.Module):
    """All parts; `width` is that of the first layer of each. Guidance is drawn with `generator` and any z of N(0, 1);
    the others only teach it."""

    def __init__(self, width: int = 64, depth: int = 8, looking: bool = False) -> None:
        super().__init__()
        self.encoder = GuidanceEncoder(width)
        self.generator = Generator(width, depth)
        self.discriminators = Discriminators(width, looking)
