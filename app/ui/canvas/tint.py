"""The regions' colours over the photo: one buffer that numpy writes and Qt paints from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtGui import QImage

from app.edits import Rect
from app.ui.canvas.colours import tint_table
from app.ui.canvas.raster import Dab, is_empty, stamp, union

ROWS_AT_ONCE = 256


class Tint:
    """Premultiplied words uint32 (H, W) that `image` shares; whatever changes them returns the rectangle to repaint."""

    def __init__(self, height: int, width: int) -> None:
        self.words = np.zeros((height, width), np.uint32)
        self.image = shared_image(self.words)
        self._table = tint_table()

    def refresh(self, areas: np.ndarray, rect: Rect | None = None) -> Rect:
        """Show the region numbers (H, W) within `rect`, by default everywhere."""
        import cv2

        x0, y0, x1, y1 = rect or (0, 0, areas.shape[1], areas.shape[0])
        for top in range(y0, y1, ROWS_AT_ONCE):
            rows = slice(top, min(top + ROWS_AT_ONCE, y1))
            numbers = areas[rows, x0:x1]
            if rect is not None or numbers.any():
                cv2.LUT(numbers, self._table.view(np.int32)[None], self.words[rows, x0:x1].view(np.int32))
        return x0, y0, x1, y1

    def stamp(self, dabs: Iterable[Dab], number: int) -> Rect | None:
        """Show discs in a region's colour, 0: clear. None where nothing of them lies on the photo."""
        touched: Rect | None = None
        for dab in dabs:
            touched = union(touched, stamp(self.words, dab, int(self._table[number])))
        return None if touched is None or is_empty(touched) else touched


def shared_image(words: np.ndarray) -> QImage:
    """A QImage in the memory of contiguous words uint32 (H, W), which must outlive it."""
    height, width = words.shape
    return QImage(words.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
