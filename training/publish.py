"""Make a run's averaged network a file to ship: `python -m training.publish --run DIR --name motion`.

Writes `models/weights/NAME.safetensors` in half precision and `NAME.json`, the card: what it was trained on, under
which licences, how long, on what, and how it scores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from models.catalog import WEIGHTS
from training.checkpoint import load_checkpoint

LICENCES = {
    "A": "CC0, public domain, free use, CC-BY, Apache-2.0, BSD, MIT",
    "B": "share-alike or GPL pictures",
    "C": "research only, non-commercial, or not stated",
    "?": "not stated",
}


def publish(run: Path, name: str, scores: dict[str, Any], folder: Path = WEIGHTS) -> dict[str, Any]:
    """Write the weights and the card of the run in `run`; `scores` join those of its validation. Returns the card."""
    tensors, said = load_checkpoint(run)
    settings = json.loads((run / "run.json").read_text())
    path = folder / f"{name}.safetensors"
    save_file({key: value.half().contiguous() for key, value in tensors["average"].items()}, str(path))
    own = {key: round(value, 4) for key, value in said["history"][-1].items() if key not in ("step", "seconds")}
    card = {
        "name": name,
        "recipe": settings["recipe"],
        "settings": settings["settings"],
        "steps": said["step"],
        "seconds": round(said["seconds"]),
        "device": "trained on a CPU" if settings["device"] == "cpu" else f"trained on {settings['device']}",
        "data": {
            "what": "exposures rendered from photos by training.world",
            "world": settings.get("world", "layers"),
            "size": settings["size"],
            "licence classes": {one: LICENCES[one] for one in settings["classes"]},
            "photos": settings["photos"],
            "real exposures": settings.get("real", []),
            "share of real exposures": settings.get("share", 0.0),
        },
        "held out": settings.get("held_out"),
        "scores": {"rendered exposures of unseen photos": own, **scores},
        "parameters": sum(value.numel() for value in tensors["average"].values()),
        "precision": "float16",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n")
    return card


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="the folder that the training wrote")
    parser.add_argument("--name", required=True)
    parser.add_argument("--scores", type=Path, help="JSON of further scores for the card")
    parser.add_argument("--folder", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    scores = json.loads(chosen.scores.read_text()) if chosen.scores else {}
    card = publish(chosen.run, chosen.name, scores, chosen.folder)
    print(json.dumps({key: card[key] for key in ("name", "steps", "seconds", "scores", "sha256")}))


if __name__ == "__main__":
    main()
