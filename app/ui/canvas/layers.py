"""What lies on the canvas under the user's arrows: picture, flow, error, tint, trajectories, from back to front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from app.ui.canvas import paint_motion
from app.ui.canvas.colours import error_picture
from app.ui.canvas.paint_picture import paint_background, paint_picture, paint_words, picture_zoom
from app.ui.canvas.pyramid import Pyramid
from app.ui.canvas.tint import Tint, shared_image
from app.ui.canvas.view import View
from models.motion import Motion


@dataclass(frozen=True)
class Overlays:
    """What is shown over the photo; `opacity` 0 to 1 is that of all of them but the arrows in the user's hand.

    paint  how much there is of the regions' colours, 0 to 1.
    """

    guidance: bool = True
    trajectories: bool = False
    flow: bool = False
    quiver: bool = False
    error: bool = False
    opacity: float = 1.0
    paint: float = 1.0


class Layers:
    """The pictures to paint, and which of them are wanted."""

    def __init__(self, photo: np.ndarray, areas: np.ndarray) -> None:
        self.overlays = Overlays()
        self.tint = Tint(*areas.shape)
        self.tint.refresh(areas)
        self.t = 0.5
        self._photo = Pyramid(photo)
        self._picture = self._photo
        self._motion: Motion | None = None
        self._flow: paint_motion.FlowPicture | None = None
        self._error: np.ndarray | None = None
        self._lines = MotionLines()

    def show_picture(self, picture: np.ndarray | None) -> None:
        """A frame in the photo's place; None: the photo."""
        self._picture = self._photo if picture is None else Pyramid(picture)

    def is_ready(self, view: View) -> bool:
        """Whether the picture looks as it should; a large one takes a while."""
        return self._picture.is_ready(self._level(view))

    def prepare(self, view: View, seconds: float) -> bool:
        """Work on that for so long. Returns whether it is ready now."""
        return self._picture.prepare(self._level(view), seconds)

    def _level(self, view: View) -> int:
        return self._picture.level(picture_zoom(self._picture, view))

    def set_motion(self, motion: Motion | None, t: float) -> None:
        self.t = t
        if motion is not self._motion:
            self._motion, self._flow = motion, None
            self._lines.forget()

    def set_error(self, error: np.ndarray | None) -> None:
        """How far the recovery is from the photo, (h, w) 0 to 1; None: not known."""
        self._error = None if error is None else np.ascontiguousarray(error_picture(error))

    def paint(self, painter: QPainter, view: View, exposed: QRectF, dark: bool, settled: bool) -> None:
        """Paint `exposed` (view px). Not `settled`: the view is moving, so that lines may lag behind a little."""
        paint_background(painter, exposed, dark)
        paint_picture(painter, self._picture, view, exposed)
        shown = self.overlays
        if shown.flow and self._motion:
            self._flow = self._flow or paint_motion.FlowPicture(self._motion)
            self._flow.paint(painter, view, exposed, shown.opacity)
        if shown.error and self._error is not None:
            paint_words(painter, shared_image(self._error), view, exposed, shown.opacity, smooth=True)
        if shown.guidance:
            strength = shown.opacity * shown.paint
            paint_words(painter, self.tint.image, view, exposed, strength, smooth=view.zoom < 1)
        if self._motion and (shown.trajectories or shown.quiver):
            self._lines.paint(painter, self._motion, self.t, shown, view, settled)


class MotionLines:
    """Trajectories and quiver of one view, painted once into a picture of the widget's size."""

    def __init__(self) -> None:
        self._image = QImage()
        self._key: tuple[View, bool, bool] | None = None

    def forget(self) -> None:
        self._key = None

    def paint(self, painter: QPainter, motion: Motion, t: float, shown: Overlays, view: View, settled: bool) -> None:
        key = (view, shown.trajectories, shown.quiver)
        if self._key is None or self._key[1:] != key[1:] or (settled and self._key != key):
            self._render(motion, shown, view)
            self._key = key
        painter.save()
        painter.setOpacity(shown.opacity)
        self._follow(painter, self._key[0], view)
        painter.drawImage(QPointF(0, 0), self._image)
        painter.restore()
        if shown.trajectories and self._key == key:
            painter.setOpacity(shown.opacity)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            paint_motion.paint_moment(painter, motion, t, view, painter.clipBoundingRect())
            painter.setOpacity(1)

    def _render(self, motion: Motion, shown: Overlays, view: View) -> None:
        size = QRectF(0, 0, view.width, view.height)
        width, height = round(view.width * view.ratio), round(view.height * view.ratio)
        self._image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.setDevicePixelRatio(view.ratio)
        self._image.fill(0)
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if shown.quiver:
            paint_motion.paint_quiver(painter, motion, view, size)
        if shown.trajectories:
            paint_motion.paint_trajectories(painter, motion, view, size)
        painter.end()

    @staticmethod
    def _follow(painter: QPainter, rendered: View, view: View) -> None:
        """Where the view has moved on since the lines were rendered, move them along."""
        if rendered == view:
            return
        (x0, y0), (x1, y1) = rendered.origin(), view.origin()
        scale = view.scale / rendered.scale
        painter.translate(x1, y1)
        painter.scale(scale, scale)
        painter.translate(-x0, -y0)
