"""PySide takes properties as keywords when a widget is made; its type stubs do not know that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

W = TypeVar("W")


def made(kind: Callable[..., W], *arguments: object, **properties: object) -> W:
    """`kind` with these Qt properties: `made(QLabel, "Speed", wordWrap=True)`."""
    return kind(*arguments, **properties)
