"""The one table of actions, and the palette that finds them."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenuBar, QToolBar

from app.ui import actions
from app.ui.command_palette import CommandPalette, match, ranked


@pytest.fixture
def window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    return window


def test_no_shortcut_means_two_things():
    keys = Counter(QKeySequence(one.shortcut).toString() for one in actions.ACTIONS if one.shortcut)
    assert [key for key, count in keys.items() if count > 1] == []
    assert all(keys)


def test_every_action_is_named_and_described():
    names = [one.name for one in actions.ACTIONS]
    assert len(set(names)) == len(names)
    assert all(one.text and one.tooltip and one.handler for one in actions.ACTIONS)


def test_every_action_stands_in_just_one_menu():
    listed = Counter(name for names in actions.MENUS.values() for name in names if name != "-")
    assert set(listed) == {one.name for one in actions.ACTIONS}
    assert set(listed.values()) == {1}


def test_tooltips_tell_the_shortcut(window):
    built = actions.build(window)
    assert "Ctrl+O" in built["open"].toolTip()
    assert all(action.toolTip() for action in built.values())


def test_menus_and_toolbar_hold_the_very_same_actions(window):
    built = actions.build(window)
    bar, tools = QMenuBar(window), QToolBar(window)
    menus = actions.fill_menus(bar, built)
    actions.fill_toolbar(tools, built)
    assert built["undo"] in menus["Edit"].actions()
    assert built["undo"] in tools.actions()


def test_tools_exclude_each_other(window):
    built = actions.build(window)
    built["brush"].setChecked(True)
    built["lasso"].setChecked(True)
    assert not built["brush"].isChecked()


def test_actions_are_enabled_by_their_conditions(window):
    built = actions.build(window)
    actions.enable(built, {"document"})
    assert built["open"].isEnabled()
    assert built["save"].isEnabled()
    assert not built["play"].isEnabled()


def test_the_palette_offers_every_action_and_runs_the_chosen_one(window, qtbot):
    built = actions.build(window)
    palette = CommandPalette(built.values(), window)
    window.resize(800, 600)
    window.show()
    palette.open()
    assert len(palette.texts()) == len(actions.ACTIONS)
    done = []
    built["flip"].triggered.disconnect()
    built["flip"].triggered.connect(lambda: done.append("flip"))
    qtbot.keyClicks(palette._query, "flidir")
    assert palette.texts()[0] == "Flip direction"
    qtbot.keyClick(palette._query, "\r")
    assert done == ["flip"]
    assert palette.isHidden()


def test_every_handler_exists(shell):
    assert all(callable(attrgetter(one.handler)(shell)) for one in actions.ACTIONS)


def test_letters_in_order_match_and_beginnings_of_words_come_first():
    assert match("zf", "Zoom to fit") is not None
    assert match("fz", "Zoom to fit") is None
    assert ranked("si", ["Basic", "Select it"])[0] == "Select it"


@given(st.text(st.characters(categories=["L"]), max_size=12))
def test_a_name_always_finds_itself(text):
    assert match(text, text) is not None
