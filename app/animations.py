"""Animations from a reel: GIF and MP4 by PyAV, WebP and APNG by Pillow. Each writes to a path that nobody else sees."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from app.reel import Options, Reel

FASTEST_GIF = 50
"""Pictures a second; what is shorter than 2/100 s browsers show for a tenth of a second."""
_PALETTE_PICTURES, _PALETTE_PIXELS = 8, 1 << 20
"""What the palette is chosen from; more takes long and changes little."""
_APNG_BYTES = 1 << 30
"""Of all pictures; Pillow wants them all at once."""


def write_gif(path: Path, reel: Reel, options: Options) -> None:
    """One palette for all pictures, found over them all, so that nothing flickers; loops for ever."""
    import av

    if options.fps > FASTEST_GIF:
        raise ValueError(f"a GIF shows at most {FASTEST_GIF} pictures a second, got {options.fps:g}")
    palette = _palette(reel)
    starts, final = _ticks(reel.seconds, 100)
    with av.open(str(path), "w", format="gif", options={"loop": "0", "final_delay": str(final)}) as file:
        stream = file.add_stream("gif", rate=100)
        stream.width, stream.height, stream.pix_fmt = reel.width, reel.height, "pal8"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
        for start, frame in zip(starts, _in_palette(reel, palette), strict=True):
            frame.pts, frame.time_base = start, Fraction(1, 100)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _palette(reel: Reel):
    """The 256 colours that serve all pictures best, as a frame."""
    import av
    from av.filter import Graph

    step = max(1, math.ceil((reel.width * reel.height * _PALETTE_PICTURES / _PALETTE_PIXELS) ** 0.5))
    width, height = -(-reel.width // step), -(-reel.height // step)
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 100))
    chosen = graph.add("palettegen", "stats_mode=full:reserve_transparent=1")
    sink = graph.add("buffersink")
    source.link_to(chosen)
    chosen.link_to(sink)
    graph.configure()
    for number, picture in enumerate(reel.sample(_PALETTE_PICTURES)):
        source.push(_frame(av.VideoFrame, np.ascontiguousarray(picture[::step, ::step]), number))
    source.push(None)
    return sink.pull()


def _in_palette(reel: Reel, palette) -> Iterator:
    """The reel's pictures as frames in the palette's colours.

    Ordered dither: error diffusion looks alike in a still, but makes unmoved background flicker beside what moves.
    """
    import av
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=reel.width, height=reel.height, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 100)
    )
    colours = graph.add_buffer(width=16, height=16, format=av.VideoFormat("bgra"), time_base=Fraction(1, 100))
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=3")
    sink = graph.add("buffersink")
    source.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette.pts = 0
    colours.push(palette)
    colours.push(None)
    for number, picture in enumerate(reel):
        source.push(_frame(av.VideoFrame, picture, number))
        yield from _pulled(sink)
    source.push(None)
    yield from _pulled(sink)


def _pulled(sink) -> Iterator:
    from av.error import BlockingIOError as Empty
    from av.error import EOFError as Ended

    while True:
        try:
            yield sink.pull()
        except (Empty, Ended):
            return


def _frame(kind, picture: np.ndarray, number: int):
    frame = kind.from_ndarray(picture, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, 100)
    return frame


def write_mp4(path: Path, reel: Reel, options: Options) -> None:
    """The ends are held by repeating them."""
    times = [max(1, round(seconds * options.fps)) for seconds in reel.seconds]
    pictures = (picture for picture, count in zip(reel, times, strict=True) for _ in range(count))
    encode_mp4(path, pictures, (reel.width, reel.height), options.fps, options.quality)


def encode_mp4(path: Path, pictures: Iterable[np.ndarray], size: tuple[int, int], fps: float, quality: int) -> None:
    """H.264 that every player shows: 4:2:0, one steady rate. `size` is (width, height) px, both even."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    rate = Fraction(fps).limit_denominator(1001)
    settings = {"crf": str(round(34 - quality * 0.2)), "preset": "medium"}
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=rate, options=settings)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / rate
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = 1
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.pts, frame.time_base = number, 1 / rate
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def write_webp(path: Path, reel: Reel, options: Options, profile: bytes | None) -> None:
    from PIL import Image

    if max(reel.width, reel.height) > 16383:
        raise ValueError("a WebP has at most 16383 px a side; make it narrower")
    pictures = (Image.fromarray(picture) for picture in reel)
    first = next(pictures)
    first.save(
        path,
        "WEBP",
        save_all=True,
        append_images=pictures,
        duration=_durations(reel.seconds),
        loop=0,
        quality=options.quality,
        method=3,
        icc_profile=profile or b"",
    )


def write_apng(path: Path, reel: Reel, profile: bytes | None) -> None:
    from PIL import Image

    if len(reel) * reel.width * reel.height * 3 > _APNG_BYTES:
        raise ValueError("this is too large for an animated PNG; make it narrower or take fewer frames")
    first, *others = [Image.fromarray(picture) for picture in reel]
    durations = _durations(reel.seconds)
    first.save(path, "PNG", save_all=True, append_images=others, duration=durations, loop=0, icc_profile=profile)


def _ticks(seconds: list[float], rate: int) -> tuple[list[int], int]:
    """When each picture starts and how long the last one stands, in whole ticks that do not drift."""
    places = [round(place * rate) for place in np.cumsum([0.0, *seconds])]
    return places[:-1], places[-1] - places[-2]


def _durations(seconds: list[float]) -> list[int]:
    """How long each picture stands in whole ms, without drift."""
    starts, final = _ticks(seconds, 1000)
    return [*np.diff(starts).tolist(), final]
