"""Which frames of a video are made into a film, and how: one line under them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QToolButton, QWidget

from app.film import FEWEST, MOST, USUAL_RATE, WORDS, Cut, checked, length
from app.ui.made import made
from app.ui.settings import remembered, settings
from app.video import Video

PLAYS = ("Slow motion", "At its own speed")


class FilmRow(QWidget):
    """Speaks the words of the command `film`; the shutter's field is the strip's.

    changed  another stretch of frames is to be filmed.
    """

    changed = Signal()

    def __init__(self, shutter: QSpinBox, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._shutter = shutter
        self._video: Video | None = None
        self._note = QLabel()
        self._note.setProperty("faint", True)
        self.first = made(QSpinBox, accessibleName="From", toolTip=_said("first"), keyboardTracking=False)
        self.last = made(QSpinBox, accessibleName="To", toolTip=_said("last"), keyboardTracking=False)
        self.steps = made(QSpinBox, accessibleName="Frames", toolTip=_said("steps"), minimum=FEWEST, maximum=MOST)
        self.steps.setValue(remembered("film/steps", Cut().steps))
        self.plays = made(QComboBox, accessibleName="Plays", toolTip="Whether the film takes longer than the video")
        self.plays.addItems(PLAYS)
        self.plays.setCurrentText(remembered("film/plays", PLAYS[0]))
        self._lay_out(actions)
        self._connect()

    def _lay_out(self, actions: dict[str, QAction]) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._note, 1)
        for words, field, action in (("From", self.first, "film_in"), ("To", self.last, "film_out")):
            mark = made(QToolButton, accessibleName=actions[action].text(), focusPolicy=Qt.FocusPolicy.TabFocus)
            mark.setDefaultAction(actions[action])
            row.addWidget(mark)
            row.addWidget(QLabel(words))
            row.addWidget(field)
        for words, field in (("Frames", self.steps), ("Plays", self.plays)):
            row.addWidget(QLabel(words))
            row.addWidget(field)
        film = actions["film"]
        self.go = made(QPushButton, film.icon(), film.text(), toolTip=film.toolTip(), enabled=film.isEnabled())
        self.go.clicked.connect(film.trigger)
        film.enabledChanged.connect(self.go.setEnabled)
        row.addWidget(self.go)

    def _connect(self) -> None:
        self.first.valueChanged.connect(lambda value: self.set_stretch(value, max(value, self.last.value())))
        self.last.valueChanged.connect(lambda value: self.set_stretch(min(value, self.first.value()), value))
        self.steps.valueChanged.connect(lambda value: settings().setValue("film/steps", value))
        self.plays.currentTextChanged.connect(lambda text: settings().setValue("film/plays", text))
        for changed in (self.steps.valueChanged, self.plays.currentTextChanged, self._shutter.valueChanged):
            changed.connect(self._describe)

    def show_video(self, video: Video | None) -> None:
        """Another video, or none: all of it is filmed until something else is said."""
        self._video = video
        if video is not None:
            for field in (self.first, self.last):
                with QSignalBlocker(field):
                    field.setRange(0, video.frames - 1)
            self.set_stretch(0, video.frames - 1)

    @property
    def stretch(self) -> tuple[int, int]:
        """The first and the last frame."""
        return self.first.value(), self.last.value()

    def set_stretch(self, first: int, last: int) -> None:
        for field, value in ((self.first, first), (self.last, last)):
            with QSignalBlocker(field):
                field.setValue(value)
        self._describe()
        self.changed.emit()

    def cut(self) -> Cut:
        """What is said here, for the engine and device that are usual."""
        steps, fps = self.steps.value(), None
        if self._video is not None and self.plays.currentText() != PLAYS[0]:
            fps = steps * (self._video.rate or USUAL_RATE)
        return Cut(steps, self._shutter.value() / 100, *self.stretch, fps)

    def _describe(self) -> None:
        if self._video is None:
            return
        cut = self.cut()
        try:
            count, (_, fps) = length(cut, self._video), checked(cut, self._video)
        except ValueError as error:
            self._note.setText(f"{error}.")
            return
        first, last = self.stretch
        frames = f"frame {first} becomes" if first == last else f"frames {first} to {last} become"
        self._note.setText(f"As a film, {frames} {count}: {count / fps:.1f} s at {fps:.4g} a second.")


def _said(field: str) -> str:
    return WORDS[field][0].upper() + WORDS[field][1:]
