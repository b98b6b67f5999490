"""Contact sheets: pictures and motion side by side, to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch


def picture(x: torch.Tensor) -> np.ndarray:
    """(3, H, W) in 0 to 1 on the sRGB curve -> uint8 (H, W, 3)."""
    return (x.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def flow_colours(flow: torch.Tensor, longest: float) -> np.ndarray:
    """(2, H, W) px -> uint8 (H, W, 3): hue is the direction, strength the length, white stands still."""
    x, y = flow.detach().float().cpu().numpy()
    hue = (np.degrees(np.arctan2(-y, x)) % 360) / 2
    strength = np.clip(np.hypot(x, y) / max(longest, 1e-6), 0, 1) * 255
    hsv = np.stack((hue, strength, np.full_like(hue, 255)), -1).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def write_sheet(path: Path, rows: list[list[np.ndarray]], gap: int = 4) -> None:
    """Write rows of equally tall uint8 pictures as one PNG."""
    lines = []
    for row in rows:
        spaced = [part for one in row for part in (one, np.full((one.shape[0], gap, 3), 40, np.uint8))]
        lines.append(np.concatenate(spaced, 1))
    width = max(line.shape[1] for line in lines)
    lines = [np.pad(line, ((0, gap), (0, width - line.shape[1]), (0, 0)), constant_values=40) for line in lines]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(np.concatenate(lines), cv2.COLOR_RGB2BGR))
