"""The synthetic world: photos in layers, moved along known trajectories, exposed."""

from training.world.flow_maps import FlowMaps
from training.world.mixture import Mixture
from training.world.photos import Photos, load_photos
from training.world.scene import Exposures, World

__all__ = ["Exposures", "FlowMaps", "Mixture", "Photos", "World", "load_photos"]
