"""Random numbers that are the same on every device: drawn on the CPU from one seed, then moved."""

from __future__ import annotations

import torch


class Dice:
    """A seeded source of random tensors on `device`."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._generator = torch.Generator().manual_seed(seed)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return (torch.rand(shape, generator=self._generator) * (high - low) + low).to(self.device)

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self._generator).to(self.device)

    def whole(self, high: int, *shape: int) -> torch.Tensor:
        """Whole numbers 0 to high - 1."""
        return torch.randint(high, shape, generator=self._generator).to(self.device)

    def chance(self, share: float, *shape: int) -> torch.Tensor:
        return self.uniform(*shape) < share

    def choice(self, weights: tuple[float, ...], *shape: int) -> torch.Tensor:
        """Indices drawn with these weights."""
        count = int(torch.tensor(shape).prod()) if shape else 1
        drawn = torch.multinomial(torch.tensor(weights), count, replacement=True, generator=self._generator)
        return drawn.reshape(shape).to(self.device)
