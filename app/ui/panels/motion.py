"""What was said about the motion: the regions, the camera, and the arrow of what is selected."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.document import Change
from app.ui.desk import Desk, touches_motion
from app.ui.made import made
from app.ui.panels.arrow_form import ArrowForm
from app.ui.panels.job_row import JobRow
from app.ui.panels.region_list import RegionList
from app.ui.refining import Refining
from app.ui.suggesting import Suggesting
from models.guidance import NO_REGION, Guidance
from models.motion import Arrow

_BUTTONS = ("add_region", "delete_region", "flip", "pin", "raise_region", "lower_region", "rename_region")


class MotionPanel(QWidget):
    """Shows the document's guidance and edits it.

    selected      number of the region selected here, 0 for the camera, None.
    arrow_edited  an arrow was changed in numbers: worth a preview.
    """

    selected_here = Signal(object)
    arrow_edited = Signal()

    def __init__(self, desk: Desk, suggesting: Suggesting, refining: Refining, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._desk = desk
        self.selected: int | None = None
        self.regions = RegionList()
        self.form = ArrowForm()
        self.suggest_row = JobRow(suggesting, "suggest", actions)
        self.refine_row = JobRow(refining, "refine", actions)
        self._hint = QLabel(wordWrap=True)
        self._hint.setProperty("faint", True)
        layout = QVBoxLayout(self)
        layout.setSpacing(6)
        layout.addWidget(self.regions)
        layout.addLayout(_button_row(actions))
        layout.addWidget(self.form)
        layout.addWidget(self._hint)
        layout.addWidget(self.suggest_row)
        layout.addWidget(self.refine_row)
        self.regions.chosen.connect(self._choose)
        self.regions.renamed.connect(self._rename)
        self.regions.reordered.connect(lambda numbers: self._edit("reorder", numbers))
        self.form.changed.connect(self._set_arrow)
        desk.opened.connect(self._opened)
        desk.changed.connect(self._changed)
        self._opened()

    def arrow(self) -> Arrow | None:
        """The arrow of what is selected."""
        document = self._desk.document
        if document is None or self.selected is None:
            return None
        if self.selected == NO_REGION:
            return document.guidance.camera
        region = document.guidance.region(self.selected)
        return region.arrow if region is not None else None

    def select(self, number: int | None) -> None:
        """Show another selection, made elsewhere."""
        if number != self.selected:
            self.selected = number
            self._refresh()

    # What the actions call

    def add_region(self) -> None:
        document = self._desk.document
        if document is not None and self._desk.attempt(document.add_region):
            self._choose(document.guidance.regions[-1].number)

    def rename_region(self) -> None:
        self.regions.edit_name()

    def delete(self) -> None:
        if self.selected == NO_REGION:
            self._edit("set_camera", None)
        elif self.selected is not None:
            self._edit("remove_region", self.selected)
            self._choose(None)

    def flip(self) -> None:
        if self.selected is not None:
            self._edit("flip_region", self.selected)
            self.arrow_edited.emit()

    def flip_all(self) -> None:
        self._edit("flip_all")

    def forget_motion(self) -> None:
        self._edit("set_motion", None, "Forget motion")

    def pin(self) -> None:
        if self.selected is not None:
            self._edit("set_arrow", self.selected, Arrow(0, 0), text="Pin")
            self.arrow_edited.emit()

    def raise_region(self) -> None:
        self._move(1)

    def lower_region(self) -> None:
        self._move(-1)

    def select_next(self) -> None:
        self._step(1)

    def select_previous(self) -> None:
        self._step(-1)

    def deselect(self) -> None:
        self._choose(None)

    # How

    def _move(self, by: int) -> None:
        document = self._desk.document
        if document is None or not self.selected:
            return
        numbers = [region.number for region in document.guidance.regions]
        place = numbers.index(self.selected)
        if 0 <= place + by < len(numbers):
            numbers.insert(place + by, numbers.pop(place))
            self._edit("reorder", numbers)

    def _step(self, by: int) -> None:
        numbers = self.regions.numbers()
        place = numbers.index(self.selected) + by if self.selected in numbers else 0
        if numbers:
            self._choose(numbers[place % len(numbers)])

    def _choose(self, number: int | None) -> None:
        if number != self.selected:
            self.selected = number
            self._refresh()
            self.selected_here.emit(number)

    def _rename(self, number: int, name: str) -> None:
        self._edit("rename", number, name)

    def _set_arrow(self, arrow: Arrow, joins: bool) -> None:
        if self.selected is not None:
            self._edit("set_arrow", self.selected, arrow, joins)
            self.arrow_edited.emit()

    def _edit(self, name: str, *arguments: object, **named: object) -> None:
        document = self._desk.document
        if document is not None:
            self._desk.attempt(lambda: getattr(document, name)(*arguments, **named))

    def _opened(self) -> None:
        self.selected = None
        document = self._desk.document
        if document is not None:
            height, width = document.photo.pixels.shape[:2]
            self.form.set_longest(float(max(height, width)))
        self._refresh()

    def _changed(self, change: Change) -> None:
        if touches_motion(change) and change.what != "areas":
            self._refresh()

    def _refresh(self) -> None:
        document = self._desk.document
        if document is None:
            self.regions.clear()
            self.form.set_arrow(None)
            self.suggest_row.set_wanted(False)
            self.refine_row.set_wanted(False)
            return
        if self.selected and document.guidance.region(self.selected) is None:
            self.selected = None
            self.selected_here.emit(None)
        self.regions.fill(document.guidance, self.selected)
        self.form.setVisible(self.selected is not None)
        self.form.set_arrow(None if self.selected is None else self.arrow() or Arrow(0, 0))
        self._hint.setText(self._advice())
        self._hint.setVisible(bool(self._hint.text()))
        self.suggest_row.set_wanted(_says_nothing(document.guidance))
        self.refine_row.set_wanted(bool(document.guidance.arrows()))

    def _advice(self) -> str:
        document = self._desk.document
        if document is None:
            return ""
        guidance = document.guidance
        if _says_nothing(guidance):
            return (
                "Paint over something that moved (B), then drag along its motion (A). "
                "Drag outside every region if the camera itself moved. Or begin with a suggestion:"
            )
        if self.selected is not None and self.arrow() is None:
            return "No motion said yet: drag an arrow in the picture, or set a length here."
        if document.guidance.motion is not None:
            return "Motion from a file moves all that is not painted."
        return ""


def _says_nothing(guidance: Guidance) -> bool:
    return not guidance.regions and guidance.camera is None and guidance.motion is None


def _button_row(actions: dict[str, QAction]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2)
    for name in _BUTTONS:
        button = made(QToolButton, iconSize=QSize(17, 17), accessibleName=actions[name].text())
        button.setDefaultAction(actions[name])
        row.addWidget(button)
    row.addStretch(1)
    return row
