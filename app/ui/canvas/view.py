"""Where the photo lies in the widget: the transform between the two, and how zooming and panning change it.

Photo coordinates are px with (0, 0) at the outer corner of the first pixel, so that pixel (i, j) covers i to i + 1
and its centre is at i + 1/2. View coordinates are Qt's logical px. Zoom is screen (device) px per photo px: at 1 every
photo pixel is one pixel of the screen, whatever the screen's scaling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor

from app.edits import Rect

MAX_ZOOM = 64.0
FIT_MAX_ZOOM = 4.0
FIT_MARGIN = 16.0
KEPT_IN_SIGHT = 48.0


@dataclass(frozen=True)
class View:
    """A photo seen in a widget.

    photo_width, photo_height  px of the photo.
    width, height              of the widget, logical px.
    ratio                      device px per logical px.
    zoom                       device px per photo px.
    x, y                       the photo's point in the middle of the widget.
    fits                       whether the photo follows the widget's size.
    """

    photo_width: int
    photo_height: int
    width: float
    height: float
    ratio: float = 1.0
    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    fits: bool = False

    @property
    def scale(self) -> float:
        """Logical px per photo px."""
        return self.zoom / self.ratio

    def origin(self) -> tuple[float, float]:
        """Where the photo's corner lies in the view: on a whole device px, so that 100 % is sharp."""
        left, top = self.width / 2 - self.x * self.scale, self.height / 2 - self.y * self.scale
        return round(left * self.ratio) / self.ratio, round(top * self.ratio) / self.ratio

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        left, top = self.origin()
        return left + x * self.scale, top + y * self.scale

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        left, top = self.origin()
        return (x - left) / self.scale, (y - top) / self.scale

    def fitted(self) -> View:
        """The whole photo, centred, with a margin."""
        room_x, room_y = max(self.width - 2 * FIT_MARGIN, 1), max(self.height - 2 * FIT_MARGIN, 1)
        zoom = min(room_x / self.photo_width, room_y / self.photo_height) * self.ratio
        middle = replace(self, x=self.photo_width / 2, y=self.photo_height / 2, fits=True)
        return replace(middle, zoom=min(zoom, FIT_MAX_ZOOM))

    def zoomed(self, zoom: float, at: tuple[float, float] | None = None) -> View:
        """At another zoom; the photo's point under `at` (view px, the middle by default) stays there."""
        smallest = min(self.fitted().zoom / 4, 1.0)
        at = at or (self.width / 2, self.height / 2)
        x, y = self.to_photo(*at)
        new = replace(self, zoom=min(max(zoom, smallest), MAX_ZOOM), fits=False)
        moved_x, moved_y = (self.width / 2 - at[0]) / new.scale, (self.height / 2 - at[1]) / new.scale
        return replace(new, x=x + moved_x, y=y + moved_y)._clamped()

    def moved(self, x: float, y: float) -> View:
        """Pushed by (x, y) view px."""
        return replace(self, x=self.x - x / self.scale, y=self.y - y / self.scale, fits=False)._clamped()

    def resized(self, width: float, height: float, ratio: float) -> View:
        """In a widget of another size: fitted if it was, else with the same middle and zoom."""
        new = replace(self, width=width, height=height, ratio=ratio)
        return new.fitted() if self.fits else new._clamped()

    def photo_pixels(self, x: float, y: float, width: float, height: float) -> Rect:
        """The photo's pixels that a rectangle of the view touches; empty (x1 <= x0) where it misses the photo."""
        x0, y0 = self.to_photo(x, y)
        x1, y1 = self.to_photo(x + width, y + height)
        left, top = max(floor(x0), 0), max(floor(y0), 0)
        return left, top, min(ceil(x1), self.photo_width), min(ceil(y1), self.photo_height)

    def view_rect(self, rect: Rect) -> tuple[float, float, float, float]:
        """Where pixels of the photo lie: x, y, width, height in view px."""
        x0, y0 = self.to_view(rect[0], rect[1])
        return x0, y0, (rect[2] - rect[0]) * self.scale, (rect[3] - rect[1]) * self.scale

    def _clamped(self) -> View:
        """Pushed back so far that a strip of the photo stays in sight."""
        reach_x = max(self.width / 2 - KEPT_IN_SIGHT, 0) / self.scale
        reach_y = max(self.height / 2 - KEPT_IN_SIGHT, 0) / self.scale
        x = min(max(self.x, -reach_x), self.photo_width + reach_x)
        y = min(max(self.y, -reach_y), self.photo_height + reach_y)
        return replace(self, x=x, y=y)
