"""Choose an engine and its options, recover, watch it work, look at what came of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.devices import NAMES, Device
from app.ui.estimate import duration
from app.ui.job_button import JobButton
from app.ui.made import made
from app.ui.panels.option_form import LABELS, OptionForm, height_of
from app.ui.recovering import Recovering
from app.ui.settings import remembered, settings
from models import catalog

_DEVICES = {"auto": "Automatic", "cpu": "Processor", "cuda": "NVIDIA graphics", "mps": "Apple graphics"}
_BESIDE_THE_FORM = ("limit",)
"""Options that the window sets by itself."""


class RecoverPanel(QWidget):
    """Hands what is chosen here to `recovering`."""

    def __init__(self, recovering: Recovering, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._recovering = recovering
        self._engine = made(QComboBox, accessibleName="Engine")
        for one in catalog.ENGINES:
            self._engine.addItem(one.title, one.name)
            self._engine.setItemData(self._engine.count() - 1, one.summary, Qt.ItemDataRole.ToolTipRole)
        self._summary = QLabel(wordWrap=True)
        self._summary.setProperty("faint", True)
        self._device = made(QComboBox, accessibleName="Device", toolTip="What the engine runs on")
        self.set_devices(())
        self.form = OptionForm()
        self._button = JobButton(recovering, "recover", actions, primary=True)
        self._button.setMinimumHeight(32)
        self._progress = _ProgressRow()
        self._lay_out(actions)
        self._engine.currentIndexChanged.connect(self._engine_chosen)
        self.form.changed.connect(self._remember)
        self._device.currentIndexChanged.connect(self._device_chosen)
        recovering.progressed.connect(self._progress.show_progress)
        recovering.running_changed.connect(self._running_changed)
        self._engine_chosen()
        self._running_changed(False)

    def _lay_out(self, actions: dict[str, QAction]) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(10)
        form.setVerticalSpacing(5)
        for title, box in (("Engine", self._engine), ("Device", self._device)):
            form.addRow(title, box)
            form.labelForField(box).setMinimumSize(LABELS, height_of(box))
        live = made(QToolButton, accessibleName=actions["live_preview"].text())
        live.setDefaultAction(actions["live_preview"])
        row = QHBoxLayout()
        row.addWidget(self._button, 1)
        row.addWidget(live)
        layout = QVBoxLayout(self)
        layout.setSpacing(7)
        layout.addLayout(form)
        layout.addWidget(self._summary)
        layout.addWidget(self.form)
        layout.addLayout(row)
        layout.addWidget(self._progress)

    def set_devices(self, devices: Iterable[Device]) -> None:
        """What the machine turned out to have; before that, what it might."""
        titles = {device.name: device.title for device in devices}
        best = next(iter(titles), "")
        self._device.blockSignals(True)
        self._device.clear()
        for name in NAMES:
            if name in ("auto", "cpu") or name in titles:
                chosen = f": {_DEVICES[best]}" if name == "auto" and best else ""
                self._device.addItem(f"{_DEVICES[name]}{chosen}", name)
                exact = titles.get(best if name == "auto" else name, "")
                self._device.setItemData(self._device.count() - 1, exact, Qt.ItemDataRole.ToolTipRole)
        self._device.blockSignals(False)

    def _engine_chosen(self) -> None:
        name = self._engine.currentData()
        engine = catalog.engine(name)
        missing = engine.missing_weights()
        lack = f"Its weights are missing: {', '.join(missing)}." if missing else ""
        self._summary.setText(" ".join(filter(None, (engine.summary, lack))))
        stored = remembered(f"options/{name}", {})
        options = [option for option in catalog.options(name) if option.name not in _BESIDE_THE_FORM]
        self.form.set_options(options, stored)
        self._recovering.engine = name
        self._recovering.options = self.form.values()

    def _remember(self) -> None:
        self._recovering.options = self.form.values()
        settings().setValue(f"options/{self._engine.currentData()}", self.form.values())

    def _device_chosen(self) -> None:
        self._recovering.device = self._device.currentData() or "auto"

    def _running_changed(self, running: bool) -> None:
        self._progress.setVisible(running)
        self._progress.begin()


class _ProgressRow(QWidget):
    """How far it is, what it does, how long it will take, what it looks like by now."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = made(QProgressBar, textVisible=False, maximum=1000, accessibleName="Progress")
        self._step, self._left, self._picture = QLabel(), QLabel(), QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self._step, self._left):
            label.setProperty("faint", True)
        words = QHBoxLayout()
        words.addWidget(self._step, 1)
        words.addWidget(self._left)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._bar)
        layout.addLayout(words)
        layout.addWidget(self._picture)

    def begin(self) -> None:
        self._bar.setValue(0)
        self._step.setText("starting")
        self._left.clear()
        self._picture.clear()
        self._picture.hide()

    def show_progress(self, fraction: float, step: str, left: float | None, preview: object) -> None:
        self._bar.setValue(round(fraction * 1000))
        self._step.setText(step or "finishing")
        self._left.setText(duration(left) if left is not None else "")
        if isinstance(preview, np.ndarray):
            self._picture.setPixmap(thumbnail(preview, 240, 135))
            self._picture.show()


def thumbnail(picture: np.ndarray, width: int, height: int) -> QPixmap:
    """An 8-bit or 16-bit picture (H, W, 3) made to fit, from every n-th pixel."""
    step = max(1, min(picture.shape[1] // width, picture.shape[0] // height))
    small = picture[::step, ::step]
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    small = np.ascontiguousarray(small)
    image = QImage(small.data, small.shape[1], small.shape[0], small.shape[1] * 3, QImage.Format.Format_RGB888)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image.copy()).scaled(width, height, keep, smooth)
