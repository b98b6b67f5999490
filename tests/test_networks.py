"""The networks' shapes and promises, without any weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from models.areas.network import AreaNetwork
from models.decomposition.alignment import aligned, base, crispness
from models.decomposition.network import RestorationNetwork
from models.decomposition.published import PublishedDecomposer
from models.decomposition.restoring import Restorer, in_tiles
from models.guidance import Guidance, Region
from models.loading import load_weights
from models.motion import Arrow
from models.trajectory.deblurring import MotionAwareConvolution, MotionAwareDeblurring
from models.trajectory.estimation import Ends, Networks, as_tensor, estimate, read_guidance
from models.trajectory.evidence import LAGS, evidence
from models.trajectory.network import HINTS, MotionNetwork, straight
from models.trajectory.published import PublishedOffsetNetwork
from models.trajectory.published_predictor import PublishedPredictor
from models.trajectory.sharpening import sharpened
from models.trajectory.suggestion import one_direction


def parameters(network: nn.Module) -> int:
    return sum(one.numel() for one in network.parameters())


def small_restoration(seed: int = 0) -> RestorationNetwork:
    torch.manual_seed(seed)
    network = RestorationNetwork((8, 8, 8), (1, 1, 1)).eval()
    nn.init.normal_(network.head.weight, std=0.1)
    return network


def untrained() -> Networks:
    return Networks(MotionNetwork((8, 8, 8, 8), 1).eval(), AreaNetwork(16, 1).eval())


def photo(height: int = 40, width: int = 56) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def moving_right(height: int, width: int, length: float, share: float = 1.0) -> Ends:
    """`length` px to the right over the exposure, in the left `share` of the picture."""
    fields = torch.zeros(1, 4, 2, height, width)
    edge = round(width * share)
    for field, sign in enumerate((1, -1, -1, 1)):
        fields[:, field, 0, :, :edge] = sign * length / 2
    return Ends(fields)


def test_published_configurations_have_the_published_sizes() -> None:
    with torch.device("meta"):
        assert round(parameters(PublishedOffsetNetwork()) / 1e6, 2) == 1.13
        assert round(parameters(PublishedDecomposer()) / 1e6, 2) == 129.34
        assert round(parameters(MotionAwareDeblurring()) / 1e6, 2) == 5.42
        parts = PublishedPredictor().children()
        assert [round(parameters(part) / 1e6, 2) for part in parts] == [2.59, 54.62, 3.46]


def test_published_configurations_run() -> None:
    offsets = PublishedOffsetNetwork(8)(torch.rand(1, 3, 16, 24))
    drawn, refined = PublishedDecomposer((8, 8, 8), 1)(torch.rand(1, 3, 16, 16), torch.zeros(1, 2, 16, 16))
    assert offsets.shape == (1, 2, 2, 16, 24)
    assert refined.shape == (1, 7, 3, 16, 16)
    assert torch.equal(drawn[:, 0], drawn[:, 6])


def test_the_published_predictor_draws_another_guidance_for_another_z() -> None:
    torch.manual_seed(0)
    network, photo = PublishedPredictor(8, 3), torch.rand(2, 3, 32, 40)
    one, other = (network.generator(photo, z) for z in torch.randn(2, 2, 4))
    assert one.shape == (2, 5, 32, 40)
    assert float((one - other).detach().abs().mean()) > 1e-2
    mean, log_variance = network.encoder(one.softmax(1))
    assert mean.shape == log_variance.shape == (2, 4)


def test_only_looking_discriminators_see_the_photo() -> None:
    torch.manual_seed(0)
    guidance, photos = torch.rand(1, 5, 64, 64), torch.rand(2, 1, 3, 64, 64)
    for looking in (False, True):
        judges = PublishedPredictor(8, 3, looking).discriminators
        one, other = (judges(guidance, photo) for photo in photos)
        assert [score.shape[1] for score in one] == [1, 1]
        assert one[0].shape[2] > one[1].shape[2]
        assert torch.equal(one[0], other[0]) == (not looking)


def test_where_nothing_moves_a_motion_aware_convolution_is_an_ordinary_one() -> None:
    torch.manual_seed(0)
    convolution, x = MotionAwareConvolution(5), torch.randn(2, 5, 7, 9)
    ordinary = nn.functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
    assert torch.allclose(convolution(x, torch.zeros(2, 9, 7, 9, 2)), ordinary, atol=1e-5)
    assert torch.allclose(convolution(x), ordinary, atol=1e-5)


def test_a_motion_aware_convolution_reaches_along_the_trajectory() -> None:
    # Only the last tap counts; it stands one px right and below, and is pushed two px to the left.
    convolution = MotionAwareConvolution(1)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[..., 2, 2] = 1
        nn.init.zeros_(convolution.bias)
    x = torch.rand(1, 1, 8, 8)
    pushes = torch.zeros(1, 9, 8, 8, 2)
    pushes[:, 8, ..., 0] = -2
    pushed = convolution(x, pushes).detach()
    assert torch.allclose(pushed[..., :-1, 1:], x[..., 1:, :-1], atol=1e-5)
    assert float(pushed[..., -1, :].abs().max()) < 1e-5


def test_motion_aware_deblurring_is_its_backbone_where_nothing_moves() -> None:
    torch.manual_seed(0)
    network = MotionAwareDeblurring(4).eval()
    picture, still = torch.rand(1, 3, 24, 40), torch.zeros(1, 9, 2, 24, 40)
    plain = network(picture)
    assert plain.shape == picture.shape
    assert torch.allclose(network(picture, still), plain, atol=1e-5)
    assert not torch.allclose(network(picture, still + 9), plain, atol=1e-3)
    further = MotionAwareDeblurring(4, alpha=0.9).eval()
    further.load_state_dict(network.state_dict())
    assert torch.allclose(further(picture, still + 1), network(picture, still + 9), atol=1e-5)
    with pytest.raises(ValueError, match="multiples of 8"):
        network(picture[..., :20, :])
    with pytest.raises(ValueError, match="expected offsets of shape"):
        network(picture, still[:, :7])


@pytest.mark.parametrize("length", [3, 5, 9, 13, 21])
def test_evidence_has_its_trough_at_the_length_of_the_path(length: int) -> None:
    torch.manual_seed(0)
    sharp = torch.rand(1, 3, 128, 128 + length - 1)
    blurred = torch.nn.functional.avg_pool2d(sharp, (1, length), 1)
    found = evidence(blurred)[0].mean((1, 2))
    assert abs(_deepest(found) - length) <= max(1, length // 6)


def _deepest(found: torch.Tensor) -> int:
    lags = [(lag << octave, 72 * octave + place + 1) for octave in range(3) for place, lag in enumerate(LAGS[octave])]
    return min(lags, key=lambda one: float(found[one[1]]))[0]


def test_evidence_is_blind_to_the_direction_of_time_and_sees_the_axis() -> None:
    torch.manual_seed(0)
    blurred = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 64, 72), (1, 9), 1)
    there, back = (evidence(one).mean((2, 3)) for one in (blurred, blurred.flip(-1)))
    along, across = there[0, 0], there[0, 36]
    assert float(along) < -0.3 < 0.3 < float(across)
    assert torch.allclose(there[0, :6], back[0, :6], atol=0.02)


def test_the_motion_network_reads_hints_and_their_absence() -> None:
    torch.manual_seed(0)
    network = MotionNetwork((8, 8, 8, 8), 1)
    picture = torch.rand(2, 3, 32, 48)
    hints = torch.zeros(2, HINTS, 32, 48)
    assert network(picture).shape == (2, 4, 2, 16, 24)
    assert torch.equal(network(picture), network(picture, hints))
    assert not torch.equal(network(picture), network(picture, hints + 1))
    with pytest.raises(ValueError, match="multiples of 16"):
        network(torch.rand(1, 3, 30, 32))


def test_a_proposal_is_an_even_straight_motion() -> None:
    hints = torch.zeros(1, HINTS, 4, 4)
    hints[:, 5], hints[:, 6], hints[:, 9] = 1.0, -0.5, 2.0
    start, end = moving_right(4, 4, 16).fields[0, ::2, 0, 0, 0].tolist()
    area, window = straight(hints)[0, ..., 0, 0]
    assert area[0].tolist() == [start, -start / 2]
    assert area[2].tolist() == [end, -end / 2]
    assert torch.equal(area[1::2], -area[::2])
    assert window[:, 0].tolist() == [2 * start, -2 * start, 2 * end, -2 * end]


def test_the_motion_network_follows_a_proposal_as_far_as_it_thinks_right() -> None:
    network, hints = MotionNetwork((8, 8, 8, 8), 1), torch.zeros(1, HINTS, 32, 32)
    hints[:, 5] = 1.0
    with torch.no_grad():
        network.head.weight.zero_()
        for follows, length in ((-30.0, 0.0), (0.0, 8.0), (30.0, 16.0)):
            network.head.bias.zero_()[8] = follows
            fields = network(torch.rand(1, 3, 32, 32), hints)
            assert float((fields[:, 3] - fields[:, 2])[0, 0].mean()) == pytest.approx(length, abs=1e-3)


def test_aligned_along_the_true_motion_a_blurred_edge_lines_up() -> None:
    # A bright column that moves 6 px right leaves a ramp; seen from the moment it stood there each view shows it.
    picture = torch.zeros(1, 3, 8, 32)
    picture[..., 16] = 1
    fields = moving_right(8, 32, 6).fields
    stack, length = aligned(picture, picture, fields, torch.tensor([0.0]))
    assert torch.allclose(length, torch.full_like(length, 6.0), atol=1e-4)
    views = stack[:, :21].unflatten(1, (7, 3))[0, :, 0, 4]  # (7, 32)
    assert views.argmax(1).tolist() == [16, 15, 14, 13, 12, 11, 10]
    assert torch.equal(base(stack)[0, 0, 4], views[3])
    assert float(crispness(stack).abs().max()) < 1e-3  # 3 px are whole ones: the same by either kind of sampling


def test_the_network_adds_the_share_of_the_deconvolved_that_it_believes() -> None:
    network = RestorationNetwork((8, 8, 8), (1, 1, 1)).eval()
    picture, crisp = torch.rand(2, 1, 3, 16, 32)
    stack, length = aligned(picture, crisp, moving_right(16, 32, 4).fields, torch.tensor([0.0]))
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()[12:] = 30
        assert torch.allclose(network(stack, length), stack[:, -3:], atol=1e-5)
        network.head.bias[12:] = -30
        assert torch.allclose(network(stack, length), base(stack), atol=1e-5)


def test_deconvolved_along_its_motion_a_photo_is_sharper_and_played_backwards_the_same() -> None:
    picture = np.random.default_rng(3).integers(40, 216, (10, 14, 3), np.uint8)
    sharp = cv2.resize(picture, (56, 40), interpolation=cv2.INTER_CUBIC)
    ends = moving_right(20, 28, 6.0)
    blurred = np.mean([np.roll(sharp.astype(np.float32), shift, 1) for shift in range(-3, 4)], 0).astype(np.uint8)
    middle = sharpened(blurred, ends, torch.device("cpu"))
    inside = (slice(4, -4), slice(10, -10))
    off = [np.square(one[inside].astype(float) - sharp[inside]).mean() for one in (blurred, middle)]
    assert off[1] < off[0] / 2
    back = sharpened(blurred, ends.reversed(), torch.device("cpu"))
    assert np.abs(back.astype(int) - middle).max() <= 5  # rounding, raised by every round
    assert np.array_equal(sharpened(blurred, Ends(ends.fields * 0), torch.device("cpu")), blurred)


@pytest.mark.parametrize(("length", "rounds"), [(6.0, 15), (14.0, 15), (18.0, 28), (22.0, 40), (30.0, 40)])
def test_long_blur_takes_more_rounds(length: float, rounds: int) -> None:
    blurred = cv2.GaussianBlur(np.random.default_rng(4).integers(0, 255, (24, 48, 3), np.uint8), (9, 1), 3)
    ends, cpu = moving_right(12, 24, length), torch.device("cpu")
    made = sharpened(blurred, ends, cpu)
    assert np.array_equal(made, sharpened(blurred, ends, cpu, rounds=rounds))
    assert not np.array_equal(made, sharpened(blurred, ends, cpu, rounds=rounds - 5))


def test_where_nothing_moves_the_frame_is_the_photo_to_the_bit() -> None:
    pixels = photo()
    ends = moving_right(20, 28, 8.0, share=0.3)
    frame = Restorer(pixels, ends, small_restoration(), torch.device("cpu")).frame(0.0)
    assert np.array_equal(frame[:, 36:], pixels[:, 36:])
    assert not np.array_equal(frame[:, :10], pixels[:, :10])
    still = Restorer(pixels, moving_right(20, 28, 0.0), small_restoration(), torch.device("cpu")).frame(0.0)
    assert np.array_equal(still, pixels)


def test_sixteen_bits_and_any_size_come_back() -> None:
    pixels = photo(37, 53).astype(np.uint16) * 257
    frame = Restorer(pixels, moving_right(10, 10, 60.0), small_restoration(), torch.device("cpu")).frame(1.0)
    assert frame.shape == pixels.shape
    assert frame.dtype == np.uint16


def test_tiles_leave_no_seams() -> None:
    network = RestorationNetwork((8, 8, 8), (1, 2, 3)).eval()
    nn.init.normal_(network.head.weight, std=0.3)
    stack = torch.randn(1, network.stem.in_channels // 4, 32, 344)
    with torch.no_grad():
        whole, tiled = in_tiles(network, stack, 1024), in_tiles(network, stack, 64)
    assert float(whole.abs().max()) > 0.1
    assert torch.allclose(whole, tiled, atol=1e-4)


def about_the_middle(height: int, width: int, turning: bool) -> Ends:
    """What turns or grows by a tenth; on the average nothing moves."""
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    way = torch.stack((-y, x) if turning else (x, y)) / 10
    return Ends(torch.stack((way, -way, -way, way))[None])


MOTIONS = {
    "right": moving_right(20, 28, 6.0),
    "down": Ends(moving_right(20, 28, 6.0).fields.flip(2)),
    "left in a part": Ends(-moving_right(20, 28, 6.0, share=0.3).fields),
    "turning": about_the_middle(20, 28, turning=True),
    "growing": about_the_middle(20, 28, turning=False),
}


@pytest.mark.parametrize("network", [None, small_restoration()], ids=["moved", "restored"])
@pytest.mark.parametrize("motion", MOTIONS)
def test_reversed_motion_gives_the_frames_in_reverse(network: RestorationNetwork | None, motion: str) -> None:
    ends = MOTIONS[motion]
    back = ends.reversed()
    for t in (0.0, 0.25, 0.5):
        one = Restorer(photo(), ends, network, torch.device("cpu")).frame(t)
        other = Restorer(photo(), back, network, torch.device("cpu")).frame(1 - t)
        assert np.abs(one.astype(int) - other).max() <= 1


def test_guidance_is_read_at_any_size() -> None:
    flow = np.full((8, 8, 2), np.nan, np.float32)
    flow[:, :4] = (6, -8)
    flow[0, 7] = 0
    arrows = read_guidance(flow, "arrows", 4, 4)[0]
    assert arrows[:, 0, 0].tolist() == pytest.approx([0.6, -0.8, 1, 5 / 16, 1])
    assert arrows[:, 3, 3].tolist() == [0, 0, 0, 0, 0]
    assert read_guidance(flow, "quadrants", 8, 8)[0][:, 0, 0].tolist() == [1, -1, 1, 0, 0]
    assert read_guidance(flow, "directions", 8, 8)[0][:, 0, 7].tolist() == [0, 0, 1, 0, 0]


def test_motion_is_found_in_px_of_the_photo_whatever_its_size() -> None:
    torch.manual_seed(0)
    network = untrained()
    pixels = photo(50, 90)
    with torch.no_grad():
        ends = estimate(network, as_tensor(pixels, torch.device("cpu")))
        still = estimate(network, as_tensor(pixels, torch.device("cpu")), np.zeros((50, 90, 2), np.float32))
    motion = ends.motion(np.linspace(0, 1, 5, dtype=np.float32))
    assert motion.trajectories.shape[1:] == (*ends.fields.shape[-2:], 2)
    assert np.abs(motion.trajectories[2]).max() == 0
    assert float(still.fields[:, 2:].abs().max()) == 0


def test_flipped_guidance_gives_exactly_the_reverse() -> None:
    torch.manual_seed(0)
    network = untrained()
    pixels, flow = photo(32, 48), np.random.default_rng(1).normal(0, 5, (32, 48, 2)).astype(np.float32)
    with torch.no_grad():
        ends = estimate(network, as_tensor(pixels, torch.device("cpu")), flow).fields
        flipped = estimate(network, as_tensor(pixels, torch.device("cpu")), -flow).fields
    assert torch.allclose(flipped[:, [1, 0, 3, 2]], ends, atol=1e-4)


def test_without_guidance_time_runs_one_way_throughout() -> None:
    fields = moving_right(8, 8, 6.0).fields
    fields[..., 4:] = fields[:, [1, 0, 3, 2]][..., 4:]
    flow = one_direction(Ends(fields)).fields
    assert (flow[:, 3, 0] - flow[:, 2, 0]).unique().tolist() in ([6.0], [-6.0])


def test_a_zoom_found_as_a_whole_is_not_cut_in_halves() -> None:
    x = torch.linspace(-12, 12, 24).expand(16, -1)
    half = torch.stack((x, torch.linspace(-8, 8, 16)[:, None].expand(-1, 24))) / 2
    zoom = Ends(torch.stack((half, -half, -half, half))[None])
    assert torch.equal(one_direction(zoom).fields, zoom.fields)


@pytest.mark.parametrize("arrow", [Arrow(30, 8, bend=0.4), Arrow(200, 5, bend=-0.2, ease_in=0.7)])
def test_a_bent_arrow_bends_the_way_that_is_found(arrow: Arrow) -> None:
    areas = np.zeros((16, 24), np.uint8)
    areas[:, 8:16], areas[:, 16:] = 1, 2
    guidance = Guidance(areas, (Region(1, "bent", arrow), Region(2, "straight", Arrow(0, 9))))
    found = torch.rand(1, 4, 2, 8, 12, generator=torch.Generator().manual_seed(0)) * 9
    bends = guidance.bends()
    assert bends is not None
    fields = Ends(found).bent(bends).fields
    assert torch.equal(fields[..., :4], found[..., :4])
    assert torch.equal(fields[..., 8:], found[..., 8:])
    assert torch.allclose(fields[:, 1::2] - fields[:, ::2], found[:, 1::2] - found[:, ::2], atol=1e-5)
    start, end = (complex(*fields[0, field, :, 3, 5].tolist()) for field in (2, 3))
    first, last = (complex(*arrow.displacement(t)) for t in (0, 1))
    assert start / (end - start) == pytest.approx(first / (last - first), abs=1e-4)
    assert Guidance(areas, (Region(1, "straight", Arrow(0, 9)),)).bends() is None


def test_weights_are_what_their_card_says(tmp_path: Path) -> None:
    network = PublishedOffsetNetwork(8)
    path = tmp_path / "tiny.safetensors"
    save_file({key: value.half() for key, value in network.state_dict().items()}, str(path))
    (tmp_path / "tiny.json").write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))
    loaded = load_weights(PublishedOffsetNetwork(8), "tiny", torch.device("cpu"), tmp_path)
    assert torch.allclose(loaded.head.weight, network.head.weight, atol=1e-3)
    with pytest.raises(ValueError, match="cannot be read"):
        load_weights(PublishedOffsetNetwork(16), "tiny", torch.device("cpu"), tmp_path)
    (tmp_path / "tiny.json").write_text(json.dumps({"sha256": "0"}))
    with pytest.raises(ValueError, match="not the ones"):
        load_weights(PublishedOffsetNetwork(8), "tiny", torch.device("cpu"), tmp_path)
