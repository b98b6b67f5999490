"""The one document that the window shows, for all parts of it that want to know when it becomes different."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.document import Change, Document


class Desk(QObject):
    """Holds the document and passes on its changes as signals.

    opened   another document is here, or none.
    changed  the document is different; carries the `Change`.
    failed   one sentence for the error bar, and buttons by their text.
    withdrawn  what a sentence in the error bar said no longer holds.
    told     one sentence for the status bar.
    written  a file or folder for other programs is whole: its path.
    """

    opened = Signal()
    changed = Signal(object)
    failed = Signal(str, object)
    withdrawn = Signal(str)
    told = Signal(str)
    written = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self._unsubscribe: Callable[[], object] | None = None

    def set_document(self, document: Document | None) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        self.document = document
        self._unsubscribe = document.subscribe(self.changed.emit) if document is not None else None
        self.opened.emit()

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do it; a ValueError or OSError becomes a sentence in the error bar. Returns whether it worked."""
        try:
            do()
        except ValueError as error:
            self.fail(str(error))
            return False
        except OSError as error:
            self.fail(f"{error.filename or 'The file'}: {error.strerror or error}")
            return False
        return True

    def fail(self, sentence: str, actions: dict[str, Callable[[], object]] | None = None) -> None:
        self.failed.emit(sentence, actions)

    def wrote(self, path: Path, note: str = "") -> None:
        """Say where something was exported to, and what is to be known of it."""
        self.told.emit(f"Exported {path}. {note}" if note else f"Exported {path}")
        self.written.emit(path)

    def undo(self) -> None:
        if self.document is not None:
            self.document.undo()

    def redo(self) -> None:
        if self.document is not None:
            self.document.redo()


def touches_motion(change: Change) -> bool:
    """Whether a change says something else about how things moved."""
    return change.what in ("areas", "regions", "camera", "motion")
