from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import trial_engines
from PIL import Image, ImageCms
from tiny_pan import panned, pixels

from app import cli
from app.motion_files import read_flo, read_motion, write_flo, write_npz
from app.photo import read_photo
from app.session import Session
from app.stills import png_bytes
from models import catalog
from models.guidance import Guidance, Region
from models.motion import Arrow

ROOT = Path(__file__).parents[1]
HEIGHT, WIDTH = 48, 64


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test stands in a folder of its own, without a display."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    return folder


@pytest.fixture
def photo(here: Path) -> str:
    """A photo of vertical bars, blurred sideways."""
    x = np.arange(WIDTH) + np.zeros((HEIGHT, 1))
    bars = np.mean([127 + 100 * np.sin((x - k) / 3) for k in range(9)], 0)
    Image.fromarray(np.repeat(bars[..., None], 3, 2).astype(np.uint8)).save("photo.png")
    return "photo.png"


def run(*arguments: str) -> int:
    try:
        return cli.main(arguments)
    except SystemExit as end:
        return int(str(end.code))


def left(here: Path) -> set[str]:
    return {path.name for path in here.iterdir()}


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What stood on stderr, where nothing stood on stdout."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.strip().splitlines()[-1]


def frames_of(path: str) -> int:
    with Image.open(path) as picture:
        return getattr(picture, "n_frames", 1)


@pytest.mark.parametrize("name", ["out.gif", "out.webp", "out.png", "out.mp4"])
def test_animate_writes_a_moving_picture(photo: str, capsys: pytest.CaptureFixture[str], name: str, here: Path) -> None:
    assert run("animate", photo, "--toward", "0", "--strength", "8", "-n", "5", "--loop", "loop", "-o", name) == 0
    assert capsys.readouterr().out == ""
    assert left(here) == {photo, name}
    if name != "out.mp4":
        assert frames_of(name) == 5


def test_animate_writes_a_folder_of_frames(photo: str) -> None:
    assert run("animate", photo, "--toward", "0", "--strength", "8", "-n", "3", "-o", "frames/") == 0
    frames = [read_photo(path).pixels.astype(int) for path in sorted(Path("frames").iterdir())]
    assert [path.name for path in sorted(Path("frames").iterdir())] == [f"frame_00{k}.png" for k in range(3)]
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    moved = np.abs(frames[2][:, 16:-16] - np.roll(frames[0], 8, 1)[:, 16:-16]).mean()
    assert moved < 0.5 * np.abs(frames[2] - frames[0])[:, 16:-16].mean()


def test_numbers_come_as_json_when_asked_for(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("animate", photo, "--toward", "0", "--strength", "8", "-n", "3", "-o", "a.gif", "--json") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["frames"] == 3
    assert numbers["engine"] == "drawn"
    assert numbers["device"] == "cpu"


@pytest.mark.parametrize("engine", ["drawn", "trajectory", "decomposition"])
def test_the_middle_instant_is_as_deep_as_the_photo_and_sharper(
    photo: str, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    given = read_photo(photo).pixels.astype(np.uint16) * 257
    Path("deep.png").write_bytes(png_bytes(given, profile))
    arguments = ("--toward", "0", "--strength", "9", "-e", engine, "-o", "sharp.png", "--json")
    assert run("deblur", "deep.png", *arguments) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert (numbers["engine"], numbers["frames"]) == (engine, 1)
    assert numbers["scores"]["moved"] > 1
    sharp = read_photo("sharp.png")
    assert (sharp.pixels.dtype, sharp.pixels.shape, sharp.profile) == (np.uint16, given.shape, profile)
    middle = (slice(8, -8), slice(16, -16))
    assert sharp.pixels[middle].std() > (1.1 if engine == "drawn" else 1.0) * given[middle].std()


def test_a_direction_without_a_length_is_no_length(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.full((HEIGHT, WIDTH), 1, np.uint8)).save("labels.png")
    told = {}
    for said_ in (("-g", "labels.png"), ("--toward", "30"), ("--toward", "30", "--strength", "8"), ()):
        assert run("deblur", photo, *said_, "-o", "sharp.png", "--json") == 0
        captured = capsys.readouterr()
        numbers = json.loads(captured.out)
        told[said_] = numbers["options"]["told"]
        assert (numbers["engine"], numbers["options"]["by"]) == ("decomposition", "both")
        assert "No --strength" not in captured.err
    assert list(told.values()) == ["quadrants", "directions", "arrows", "arrows"]


def test_told_the_motion_itself_deblur_follows_it(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 9
    write_flo("motion.flo", flow)
    engines = []
    for choice in ((), ("--by", "both"), ("-e", "trajectory")):
        assert run("deblur", photo, "-g", "motion.flo", *choice, "-o", "sharp.png", "--json") == 0
        engines.append(json.loads(capsys.readouterr().out)["engine"])
    assert engines == ["drawn", "decomposition", "trajectory"]


def test_guidance_may_be_labels_flow_or_trajectories(photo: str) -> None:
    Image.fromarray(np.full((HEIGHT, WIDTH), 1, np.uint8)).save("labels.png")
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 6
    write_flo("motion.flo", flow)
    write_npz("motion.npz", {"flow": flow})
    for guidance in ("labels.png", "motion.flo", "motion.npz"):
        assert run("flow", photo, "-g", guidance, "--strength", "6", "-o", "out.flo") == 0
        mean = read_flo("out.flo").mean((0, 1))
        assert np.hypot(*mean) == pytest.approx(6, abs=0.3)


def test_trajectories_can_be_given_back_as_guidance(photo: str) -> None:
    assert run("trajectories", photo, "--toward", "90", "--strength", "6", "-o", "motion.npz") == 0
    assert read_motion("motion.npz").flow()[20, 20] == pytest.approx([0, -6], abs=0.1)
    assert run("trajectories", photo, "-g", "motion.npz", "-o", "again.npz") == 0
    assert read_motion("again.npz").flow()[20, 20] == pytest.approx([0, -6], abs=0.1)


def test_the_trajectories_of_single_pixels_come_as_a_table(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    said_ = ("trajectories", photo, "--toward", "90", "--strength", "6")
    assert run(*said_, "--at", "20,30", "--at", "0,0", "-o", "picked.csv") == 0
    rows = Path("picked.csv").read_text().splitlines()
    assert rows[0] == "point,t,x,y,dx,dy,speed"
    assert rows[1].split(",")[:3] == ["1", "0.0000", "20.0000"]
    assert float(rows[1].split(",")[3]) == pytest.approx(33, abs=0.1)
    assert rows[-1].startswith("2,1.0000,")
    capsys.readouterr()
    for wrong in (
        ("-o", "a.csv"),
        ("--at", "1,1", "-o", "a.npz"),
        ("--at", "64,1", "-o", "a.csv"),
        ("--at", "x", "-o", "a.csv"),
    ):
        assert run(*said_, *wrong) == 2
    assert "two whole numbers" in said(capsys)


@pytest.mark.parametrize("name", ["flow.flo", "flow.npz", "flow.png"])
def test_flow_is_written_at_the_photos_size(photo: str, name: str) -> None:
    assert run("flow", photo, "--toward", "180", "--strength", "10", "-o", name) == 0
    if name.endswith(".png"):
        with Image.open(name) as picture:
            assert picture.size == (WIDTH, HEIGHT)
    else:
        flow = read_flo(name) if name.endswith(".flo") else np.load(name, allow_pickle=False)["flow"]
        assert flow.shape == (HEIGHT, WIDTH, 2)
        assert flow[20, 30] == pytest.approx([-10, 0], abs=0.1)


def test_a_project_brings_its_own_guidance(photo: str) -> None:
    from app.jobs import Open
    from app.project import write_project
    from app.store import Contents
    from models.guidance import Guidance
    from models.motion import Arrow

    contents = Open(photo).run(lambda progress: None, lambda: False)
    guidance = Guidance(contents.guidance.areas, camera=Arrow(0, 9))
    write_project("p.unshutter", Contents(contents.photo, guidance, stamp="first"))
    assert run("flow", "p.unshutter", "-o", "flow.flo") == 0
    assert read_flo("flow.flo")[20, 30] == pytest.approx([9, 0], abs=0.1)


def test_frames_average_back(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("frames").mkdir()
    for number in range(3):
        Path(f"frames/frame_00{number}.png").write_bytes(Path(photo).read_bytes())
    assert run("reblur", "frames", photo) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["reblur"] == pytest.approx(100, abs=1)
    assert scores["moved"] == pytest.approx(0, abs=0.1)
    assert (scores["sharpness"], scores["frames"]) == (1, 3)


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "ENGINES", trial_engines.ENGINES)


@pytest.mark.usefixtures("trial")
def test_a_suggestion_is_written_and_can_be_given_back(
    photo: str, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("suggest", photo, "-o", "found/", "--json") == 0
    found = json.loads(capsys.readouterr().out)["suggestions"][0]
    assert found["camera"] == {"degrees": 0, "length": 4}
    assert found["regions"] == [{"name": "thing 1", "arrow": {"degrees": 90, "length": 6}, "share": 0.25}]
    stem = Path("found/suggestion_1")
    kinds = (".unshutter", ".png", "_preview.png")
    assert left(Path("found")) == {f"suggestion_{n}{kind}" for n in range(1, 6) for kind in kinds}
    assert read_photo(f"{stem}_preview.png").pixels.shape == (HEIGHT, WIDTH, 3)
    monkeypatch.undo()
    monkeypatch.chdir(here)
    for said in ((f"{stem}.unshutter",), (photo, "-g", f"{stem}.png", "--strength", "6")):
        assert run("flow", *said, "-o", "out.flo") == 0
        assert read_flo("out.flo")[10, 10, 1] < -3
    with Session.open(f"{stem}.unshutter") as session:
        assert session.document.guidance.camera == Arrow(0, 4)


@pytest.mark.usefixtures("trial")
def test_no_suggestion_leaves_no_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save("black.png")
    assert run("suggest", "black.png", "-o", "found/") == 2
    assert said(capsys) == "unshutter: nothing that moves was found in black.png"
    assert run("suggest", "black.png", "-o", "found.png") == 2
    assert run("suggest", "black.png", "-o", "found/", "--count", "0") == 2
    assert left(here) == {"black.png"}


def test_engines_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("engines") == 0
    table = capsys.readouterr().out
    assert "drawn" in table
    assert "Processor" in table
    assert run("engines", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["engines"][0]["name"] == "drawn"
    assert listed["devices"][-1]["name"] == "cpu"


def test_the_demo_runs_without_a_display_and_says_so(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert run("demo") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no display" in captured.err
    assert left(here) == {"demo.gif"}
    assert frames_of("demo.gif") > 10


def test_the_demo_opens_the_window_where_one_can_open(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    opened = []
    monkeypatch.setattr("app.display.problem", lambda: "")
    monkeypatch.setattr("app.cli.open_window", lambda path, demo=False: opened.append((path, demo)) or 0)
    assert run("demo") == 0
    assert run() == 0
    assert run(str(ROOT / "main.py")) == 0
    assert opened == [(None, True), (None, False), (str(ROOT / "main.py"), False)]
    assert not left(here)


@pytest.mark.parametrize("arguments", [(), ("photo.png",)])
def test_the_window_says_why_it_cannot_open(photo: str, capsys: pytest.CaptureFixture[str], arguments) -> None:
    assert run(*arguments) == 2
    assert "There is no display" in said(capsys)


GOOD = ("--toward", "0", "--strength", "8")
BAD_INPUT = [
    (("animate", "missing.png", *GOOD, "-o", "a.gif"), "missing.png does not exist"),
    (("animate", "empty.png", *GOOD, "-o", "a.gif"), "empty.png is empty"),
    (("animate", "text.png", *GOOD, "-o", "a.gif"), "text.png"),
    (("animate", "short.png", *GOOD, "-o", "a.gif"), "short.png"),
    (("animate", ".", *GOOD, "-o", "a.gif"), "is a folder"),
    (("animate", "text.unshutter", *GOOD, "-o", "a.gif"), "text.unshutter"),
    (("animate", "photo.png", "-o", "a.gif"), "nothing is said to move"),
    (("animate", "photo.png", *GOOD, "-o", "a.jpeg"), "expected .gif"),
    (("animate", "photo.png", *GOOD, "-o", "photo.png"), "photo itself"),
    (("animate", "photo.png", *GOOD, "-o", "no/such/a.gif"), "no folder"),
    (("animate", "photo.png", *GOOD, "-o", "full/"), "not an empty folder"),
    (("animate", "photo.png", *GOOD, "-o", "full.gif"), "is a folder"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "-e", "magic"), "no engine called magic"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "-n", "0"), "between 1 and 240"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "-n", "1000"), "between 1 and 240"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--iterations", "-1"), "iterations lies between"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--fps", "0"), "fps"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--fps", "nan"), "fps"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--width", "-3"), "width"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--hold", "-1"), "hold"),
    (("animate", "photo.png", "--toward", "nan", "-o", "a.gif"), "angle"),
    (("animate", "photo.png", "--toward", "0", "--strength", "-4", "-o", "a.gif"), "strength"),
    (("animate", "photo.png", "--toward", "0", "--strength", "inf", "-o", "a.gif"), "strength"),
    (("animate", "photo.png", "--toward", "left", "-o", "a.gif"), "invalid float value"),
    (("animate", "photo.png", *GOOD, "-g", "small.png", "-o", "a.gif"), "not allowed with"),
    (("animate", "photo.png", "-g", "small.png", "-o", "a.gif"), "has 20 x 20 px"),
    (("animate", "photo.png", "-g", "photo.png", "-o", "a.gif"), "no guidance"),
    (("animate", "photo.png", "-g", "small.flo", "-o", "a.gif"), "has 20 x 20 px"),
    (("animate", "photo.png", "-g", "cut.flo", "-o", "a.gif"), "damaged"),
    (("animate", "photo.png", "-g", "text.npz", "-o", "a.gif"), "text.npz"),
    (("animate", "photo.png", "-g", "missing.flo", "-o", "a.gif"), "missing.flo does not exist"),
    (("animate", "photo.png", *GOOD), "required: -o"),
    (("animate",), "required"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--speed", "3"), "unrecognized"),
    (("animate", "photo.png", *GOOD, "-o", "a.gif", "--device", "abacus"), "invalid choice"),
    (("deblur", "photo.png", *GOOD, "-o", "a.gif"), "expected .png"),
    (("deblur", "photo.png", *GOOD, "-o", "photo.png"), "photo itself"),
    (("deblur", "photo.png", *GOOD, "--limit", "32", "-o", "a.png"), "limit is for previews"),
    (("deblur", "photo.png", *GOOD, "-n", "3", "-o", "a.png"), "unrecognized"),
    (("deblur", "photo.png", "-e", "drawn", "-o", "a.png"), "nothing is said to move"),
    (("deblur", "photo.png", *GOOD, "--by", "magic", "-o", "a.png"), "invalid choice"),
    (("deblur", "photo.png", *GOOD, "--iterations", "3", "-o", "a.png"), "no option iterations"),
    (("trajectories", "photo.png", *GOOD, "-o", "a.flo"), "expected .npz"),
    (("flow", "photo.png", *GOOD, "-o", "a.txt"), "expected .flo"),
    (("flow", "photo.png", *GOOD, "--limit", "32", "-o", "a.flo"), "limit is for previews"),
    (("reblur", "nowhere", "photo.png"), "no folder of frames"),
    (("reblur", "full", "photo.png"), "holds no frames"),
    (("reblur", "others", "photo.png"), "has 20 x 20 px"),
    (("engines", "--all"), "unrecognized"),
    (("recover", "photo.png"), "unrecognized"),
    (("recover",), "neither a command nor a file"),
    (("--colour",), "unrecognized"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT, ids=[sentence for _, sentence in BAD_INPUT])
def test_bad_input_is_one_sentence_and_leaves_nothing(
    photo: str, here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    Path("empty.png").touch()
    for name in ("text.png", "text.npz", "text.unshutter"):
        Path(name).write_text("not what it says")
    Path("short.png").write_bytes(Path(photo).read_bytes()[:200])
    Path("full").mkdir()
    Path("full/something").touch()
    Path("full.gif").mkdir()
    Path("others").mkdir()
    Image.new("L", (20, 20)).save("small.png")
    Image.new("RGB", (20, 20)).save("others/frame_000.png")
    write_flo("small.flo", np.zeros((20, 20, 2), np.float32))
    Path("cut.flo").write_bytes(Path("small.flo").read_bytes()[:99])
    before = left(here)
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err.strip().splitlines()[-1]
    assert "Traceback" not in captured.err
    assert left(here) == before


def test_a_failed_run_leaves_the_old_result(photo: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.gif").write_bytes(b"the old one")
    assert run("animate", photo, *GOOD, "-n", "3", "--fps", "0", "-o", "a.gif") == 2
    assert Path("a.gif").read_bytes() == b"the old one"


def test_a_mistake_inside_is_one_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(self: object, *_: object) -> None:
        raise KeyError("oh")

    monkeypatch.setattr("app.jobs.ListDevices.run", fail)
    assert run("engines") == 1
    assert "Something went wrong inside (KeyError" in said(capsys)


PROGRAM = """
import sys
sys.argv = ["unshutter", *sys.argv[1:]]
from app.cli import main
code = main()
loaded = [name for name in ("PySide6", "pyqtgraph", "qtawesome") if name in sys.modules]
sys.exit(code or (f"{loaded} was imported" if loaded else 0))
"""


def started(*arguments: str, program: str = PROGRAM) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_no_command_imports_qt(photo: str) -> None:
    process = started("animate", photo, *GOOD, "-n", "2", "-o", "a.gif")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, ""), err


@pytest.mark.parametrize("arguments", [("--help",), ("animate", "--help"), ("--version",)])
def test_help_imports_neither_torch_nor_pictures(arguments: tuple[str, ...]) -> None:
    heavy = '[name for name in ("torch", "cv2", "PIL", "av", "PySide6") if name in sys.modules]'
    program = f"import sys, atexit\natexit.register(lambda: print({heavy}, file=sys.stderr))\n{PROGRAM}"
    process = started(*arguments, program=program)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "unshutter" in out
    assert err.strip() == "[]"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_cleanly(photo: str, here: Path) -> None:
    with Image.open(photo) as small:  # large enough to be at work still when the signal comes, however slowly
        small.resize((1200, 900)).save(photo)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background are started deaf to it
    process = started("animate", photo, *GOOD, "-n", "60", "--iterations", "40", "-o", "a.gif")
    signal.signal(signal.SIGINT, before)
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert left(here) == {photo}


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = started("engines", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_arrows_are_refined_into_a_project(photo: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("refine", photo, "--toward", "20", "--strength", "1", "-o", "out.unshutter", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["refined"] == report["drawn"] == {"camera": {"degrees": 20, "length": 1}, "regions": []}
    with Session.open("out.unshutter") as session:
        assert session.document.guidance.camera == Arrow(20, 1)


def test_only_what_is_named_is_refined(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels(panned(24, 240, 480, octaves=(2, 4, 8, 16, 32)))).save("pan.png")
    areas = np.zeros((240, 480), np.uint8)
    areas[:, :240] = 7
    with Session.new(read_photo("pan.png")) as session:
        document = session.document
        document.set_guidance(Guidance(areas, (Region(7, "left", Arrow(20, 30)),), Arrow(20, 30)))
        session.save(Path("pan.unshutter"))
    assert run("refine", "pan.unshutter", "--only", "left", "-o", "out.unshutter", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["refined"]["camera"] == report["drawn"]["camera"]
    assert report["refined"]["regions"] != report["drawn"]["regions"]
    assert run("refine", "pan.unshutter", "--only", "right", "-o", "other.unshutter") == 2
    assert "no region called right" in said(capsys)


def test_nothing_to_refine_leaves_no_file(photo: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("refine", photo, "-o", "out.unshutter") == 2
    assert "no arrow to refine" in said(capsys)
    assert run("refine", photo, "--toward", "20", "-o", "out.png") == 2
    assert left(here) == {photo}
