"""Everything a person can tell the window to do, in one table.

Menus, toolbar, shortcuts, tooltips and the command palette are built from it and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar, QWidget

from app.ui.icons import icon

When = Literal[
    "always",
    "document",
    "motion",
    "refinable",
    "region",
    "arrow",
    "recovery",
    "recovered",
    "imported",
    "picked",
    "undo",
    "redo",
    "running",
    "video",
    "film",
    "written",
]


@dataclass(frozen=True)
class Action:
    """One thing to do.

    handler  where the method is, seen from the window: "files.open". A checkable action hands over its state.
    when     what must be there for it: a document, a recovery, a selected region, a selected arrow, ...
    group    checkable actions of one group exclude each other; "alone" stands for itself.
    """

    name: str
    text: str
    handler: str
    tooltip: str
    shortcut: str = ""
    icon: str = ""
    when: When = "always"
    group: str = ""


A = Action
ACTIONS: tuple[Action, ...] = (
    A("open", "Open…", "files.open", "Open a photo, a video or a project", "Ctrl+O", "open"),
    A("welcome", "Close", "files.close", "Back to the welcome page", "Ctrl+W", when="document"),
    A("save", "Save", "files.save", "Save the project", "Ctrl+S", "save", "document"),
    A("save_as", "Save as…", "files.save_as", "Save the project under another name", "Ctrl+Shift+S", when="document"),
    A(
        "export",
        "Export…",
        "exporting.export",
        "Export a GIF, a video, frames or motion",
        "Ctrl+E",
        "export",
        "recovery",
    ),
    A(
        "export_middle",
        "Export sharp picture…",
        "exporting.export_middle",
        "Write the sharp instant in the middle of the exposure as a picture",
        "Ctrl+Alt+E",
        "export",
        "recovery",
    ),
    A("paste", "Paste picture", "files.paste", "Open the picture in the clipboard", "Ctrl+V", "picture"),
    A("copy", "Copy picture", "exporting.copy", "Copy what is shown now", "Ctrl+C", "copy", "document"),
    A(
        "copy_as_command",
        "Copy as command",
        "exporting.copy_as_command",
        "Copy the command that recovers the same without a window",
        "Ctrl+Shift+C",
        when="document",
    ),
    A(
        "import_guidance",
        "Import guidance…",
        "guidance_files.import_",
        "Read labels (.png) or motion (.flo, .npz) for this photo",
        "Ctrl+I",
        when="document",
    ),
    A(
        "export_guidance",
        "Export guidance…",
        "guidance_files.export",
        "Write what is painted as labels (.png)",
        "Ctrl+Shift+E",
        when="document",
    ),
    A(
        "export_picked",
        "Export picked trajectories…",
        "exporting.export_picked",
        "Write the trajectories of the picked pixels as a table (.csv)",
        "Ctrl+Shift+T",
        "export",
        "picked",
    ),
    A(
        "film",
        "Film…",
        "filming.start",
        "Make the marked frames a longer, smoother video",
        "Ctrl+Shift+F",
        "film",
        "film",
    ),
    A(
        "film_in",
        "Film from this frame",
        "strip.mark_in",
        "Film from this frame on",
        "Ctrl+Shift+I",
        "mark_in",
        "video",
    ),
    A(
        "film_out",
        "Film up to this frame",
        "strip.mark_out",
        "Film up to this frame",
        "Ctrl+Shift+O",
        "mark_out",
        "video",
    ),
    A(
        "show_file",
        "Show in folder",
        "exporting.show_file",
        "Open the folder of what was exported last",
        when="written",
    ),
    A("quit", "Quit", "close", "Leave Unshutter", "Ctrl+Q"),
    A("undo", "Undo", "desk.undo", "Take the last step back", "Ctrl+Z", "undo", "undo"),
    A("redo", "Redo", "desk.redo", "Do it again", "Ctrl+Shift+Z", "redo", "redo"),
    A("pan", "Pan", "tool_pan", "Move the picture about; hold Space with any tool", "H", "pan", "document", "tool"),
    A("brush", "Brush", "tool_brush", "Paint a region", "B", "brush", "document", "tool"),
    A("eraser", "Eraser", "tool_eraser", "Erase what was painted", "E", "eraser", "document", "tool"),
    A("lasso", "Lasso", "tool_lasso", "Draw round a region", "L", "lasso", "document", "tool"),
    A(
        "arrow",
        "Arrow",
        "tool_arrow",
        "Drag how a region moved; click an arrow to flip it",
        "A",
        "arrow",
        "document",
        "tool",
    ),
    A(
        "pick",
        "Pick pixels",
        "tool_pick",
        "Click pixels to see their trajectories; click one again to let it go",
        "T",
        "pick",
        "document",
        "tool",
    ),
    A(
        "clear_picked",
        "Let picked pixels go",
        "canvas.clear_picked",
        "Let all picked pixels go",
        "Shift+T",
        "close",
        "picked",
    ),
    A("brush_smaller", "Smaller brush", "brush_smaller", "Make the brush smaller", "[", when="document"),
    A("brush_larger", "Larger brush", "brush_larger", "Make the brush larger", "]", when="document"),
    A(
        "suggest",
        "Suggest motion",
        "suggesting.start",
        "Have a network propose what moved and which way, several times over to choose from",
        "Ctrl+G",
        "suggest",
        "motion",
    ),
    A(
        "refine",
        "Refine",
        "refining.start",
        "Fit the selected arrow, or all of them, to the photo, and how far each place goes that they move",
        "Ctrl+R",
        "refine",
        "refinable",
    ),
    A("add_region", "New region", "motion.add_region", "Add an empty region to paint", "N", "add", "document"),
    A("rename_region", "Rename region", "motion.rename_region", "Give the region a new name", "F2", "rename", "region"),
    A(
        "delete_region",
        "Delete",
        "motion.delete",
        "Delete the region, or take the camera's arrow away",
        "Del",
        "delete",
        "arrow",
    ),
    A("flip", "Flip direction", "motion.flip", "Turn the arrow round", "F", "flip", "arrow"),
    A("pin", "Pin", "motion.pin", "Say that it stood still", "P", "pin", "arrow"),
    A(
        "flip_all",
        "Flip everything",
        "motion.flip_all",
        "Turn all arrows and the imported motion round",
        "Shift+F",
        when="document",
    ),
    A(
        "forget_motion",
        "Forget imported motion",
        "motion.forget_motion",
        "Take away the motion that came from a file",
        when="imported",
    ),
    A(
        "raise_region",
        "Bring forward",
        "motion.raise_region",
        "Move the region in front of the next",
        "Ctrl+]",
        "up",
        "region",
    ),
    A(
        "lower_region",
        "Send backward",
        "motion.lower_region",
        "Move the region behind the one before",
        "Ctrl+[",
        "down",
        "region",
    ),
    A("next_region", "Next region", "motion.select_next", "Select the next region", "Ctrl+Down", when="document"),
    A(
        "previous_region",
        "Previous region",
        "motion.select_previous",
        "Select the region before",
        "Ctrl+Up",
        when="document",
    ),
    A(
        "deselect",
        "Select nothing",
        "deselect",
        "Select nothing; the brush then starts a new region. Also takes none of the suggestions, lets picked pixels go",
        "Esc",
        when="document",
    ),
    A(
        "recover",
        "Recover",
        "recovering.start",
        "Find the motion in the photo at full size",
        "Ctrl+Return",
        "recover",
        "motion",
    ),
    A(
        "cancel",
        "Cancel",
        "cancel",
        "Stop what is being recovered, suggested, refined, exported or filmed",
        "Ctrl+.",
        "cancel",
        "running",
    ),
    A(
        "live_preview",
        "Preview while drawing",
        "recovering.set_live",
        "Show the motion while an arrow is changed",
        "Ctrl+L",
        "preview",
        group="alone",
    ),
    A(
        "reverse",
        "Reverse the recovery",
        "recoveries.reverse",
        "Turn time round: the first instant and the last change places",
        "Shift+R",
        "reverse",
        "recovered",
    ),
    A("play", "Play", "player.toggle", "Play or pause", "K", "play", "recovery"),
    A("frame_back", "Frame before", "player.step_back", "Go to the frame before", ",", "step_back", "recovery"),
    A("frame_forward", "Next frame", "player.step_forward", "Go to the next frame", ".", "step_forward", "recovery"),
    A("first", "First instant", "player.to_start", "Go to where the exposure began", "Home", "first", "recovery"),
    A("middle", "Middle instant", "player.to_middle", "Go to the sharp middle of the exposure", "M", when="recovery"),
    A("last", "Last instant", "player.to_end", "Go to where the exposure ended", "End", "last", "recovery"),
    A("loop", "Loop", "player.set_loop", "Play over and over from the start", "Shift+L", "loop", group="mode"),
    A("ping_pong", "Ping-pong", "player.set_ping_pong", "Play to and fro", "Shift+P", "pingpong", group="mode"),
    A("once", "Once", "player.set_once", "Play to the end and stop", "Shift+O", "once", group="mode"),
    A("mark_in", "Set in point", "player.mark_in", "Play from this instant on", "I", "mark_in", "recovery"),
    A("mark_out", "Set out point", "player.mark_out", "Play up to this instant", "O", "mark_out", "recovery"),
    A("clear_marks", "Clear in and out", "player.clear_marks", "Play the whole exposure", "Shift+I", when="recovery"),
    A(
        "compare",
        "Show the photo",
        "look.set_compare",
        "Show the photo instead of the frame",
        "\\",
        "compare",
        "document",
        "alone",
    ),
    A("zoom_in", "Zoom in", "canvas.zoom_in", "Zoom in", "Ctrl++", "zoom_in", "document"),
    A("zoom_out", "Zoom out", "canvas.zoom_out", "Zoom out", "Ctrl+-", "zoom_out", "document"),
    A("zoom_fit", "Fit to window", "canvas.zoom_to_fit", "Show the whole photo", "Ctrl+0", "zoom_fit", "document"),
    A(
        "zoom_actual",
        "Actual size",
        "canvas.zoom_to_actual",
        "One photo pixel per screen pixel",
        "Ctrl+1",
        "zoom_actual",
        "document",
    ),
    A(
        "guidance",
        "Guidance",
        "look.set_guidance",
        "Show the painted regions and arrows",
        "1",
        "guidance",
        "document",
        "alone",
    ),
    A(
        "trajectories",
        "Trajectories",
        "look.set_trajectories",
        "Show the ways of points, coloured by time",
        "2",
        "trajectories",
        "recovery",
        "alone",
    ),
    A(
        "flow",
        "Flow colours",
        "look.set_flow",
        "Show direction as hue and distance as saturation",
        "3",
        "flow",
        "recovery",
        "alone",
    ),
    A("quiver", "Quiver", "look.set_quiver", "Show motion as a field of arrows", "4", "quiver", "recovery", "alone"),
    A("panels", "Side panels", "set_panels_shown", "Show or hide the panels on the right", "F9", group="alone"),
    A("full_screen", "Full screen", "set_full_screen", "Use the whole screen", "F11", group="alone"),
    A("theme_system", "Theme like the system", "theme_system", "Light or dark as the system is", "", group="theme"),
    A("theme_light", "Light theme", "theme_light", "Light window", "", group="theme"),
    A("theme_dark", "Dark theme", "theme_dark", "Dark window", "", group="theme"),
    A("forget_recent", "Clear recent files", "files.forget_recent", "Forget which files were opened"),
    A("palette", "Command palette…", "show_palette", "Find and do anything by its name", "Ctrl+Shift+P", "palette"),
)

MENUS: dict[str, tuple[str, ...]] = {
    "File": (
        "open",
        "paste",
        "forget_recent",
        "-",
        "save",
        "save_as",
        "-",
        "import_guidance",
        "export_guidance",
        "-",
        "export",
        "export_middle",
        "export_picked",
        "copy",
        "copy_as_command",
        "show_file",
        "-",
        "film",
        "film_in",
        "film_out",
        "-",
        "welcome",
        "quit",
    ),
    "Edit": (
        "undo",
        "redo",
        "-",
        "pan",
        "brush",
        "eraser",
        "lasso",
        "arrow",
        "pick",
        "-",
        "brush_smaller",
        "brush_larger",
        "-",
        "clear_picked",
    ),
    "Motion": (
        "suggest",
        "refine",
        "-",
        "add_region",
        "rename_region",
        "delete_region",
        "flip",
        "pin",
        "-",
        "raise_region",
        "lower_region",
        "-",
        "next_region",
        "previous_region",
        "deselect",
        "-",
        "flip_all",
        "forget_motion",
        "-",
        "live_preview",
        "recover",
        "cancel",
    ),
    "Play": (
        "play",
        "frame_back",
        "frame_forward",
        "first",
        "middle",
        "last",
        "-",
        "loop",
        "ping_pong",
        "once",
        "-",
        "mark_in",
        "mark_out",
        "clear_marks",
        "-",
        "reverse",
    ),
    "View": (
        "guidance",
        "trajectories",
        "flow",
        "quiver",
        "compare",
        "-",
        "zoom_in",
        "zoom_out",
        "zoom_fit",
        "zoom_actual",
        "-",
        "panels",
        "full_screen",
        "-",
        "theme_system",
        "theme_light",
        "theme_dark",
    ),
    "Help": ("palette",),
}

TOOLBAR = (
    "open",
    "save",
    "export",
    "-",
    "undo",
    "redo",
    "-",
    "pan",
    "brush",
    "eraser",
    "lasso",
    "arrow",
    "pick",
    "-",
    "suggest",
    "refine",
    "-",
    "zoom_fit",
    "zoom_actual",
    "compare",
)


def build(window: QWidget) -> dict[str, QAction]:
    """A QAction for every entry, connected to the window's parts; shortcuts work anywhere in the window."""
    groups: dict[str, QActionGroup] = {}
    built = {}
    for one in ACTIONS:
        action = QAction(one.text, window, toolTip=described(one), statusTip=one.tooltip)
        action.setObjectName(one.name)
        action.setShortcuts([QKeySequence(one.shortcut)] if one.shortcut else [])
        if one.icon:
            action.setIcon(icon(one.icon))
        if one.group:
            action.setCheckable(True)
        if one.group not in ("", "alone"):
            groups.setdefault(one.group, QActionGroup(window)).addAction(action)
        action.triggered.connect(_connected(window, one))
        window.addAction(action)
        built[one.name] = action
    return built


def _connected(window: QWidget, one: Action) -> Callable[[bool], None]:
    """Looks the handler up when it is needed, so that parts may be made after the actions."""
    find = attrgetter(one.handler)

    def triggered(checked: bool) -> None:
        if one.group == "alone":
            find(window)(checked)
        else:
            find(window)()

    return triggered


def described(one: Action) -> str:
    """The tooltip with the shortcut as this system writes it."""
    keys = QKeySequence(one.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    return f"{one.tooltip}  ({keys})" if keys else one.tooltip


def fill_menus(bar: QMenuBar, actions: dict[str, QAction]) -> dict[str, QMenu]:
    menus = {}
    for title, names in MENUS.items():
        menus[title] = bar.addMenu(title)
        _fill(menus[title], names, actions)
    return menus


def fill_toolbar(bar: QToolBar, actions: dict[str, QAction]) -> None:
    _fill(bar, TOOLBAR, actions)
    for name in TOOLBAR:
        button = bar.widgetForAction(actions[name]) if name != "-" else None
        if button is not None:
            button.setAccessibleName(actions[name].text())


def _fill(place: QMenu | QToolBar, names: tuple[str, ...], actions: dict[str, QAction]) -> None:
    for name in names:
        if name == "-":
            place.addSeparator()
        else:
            place.addAction(actions[name])


def enable(actions: dict[str, QAction], conditions: set[When]) -> None:
    """Enable what the conditions allow; "always" needs not be named."""
    for one in ACTIONS:
        actions[one.name].setEnabled(one.when == "always" or one.when in conditions)
