"""What motion blur leaves of itself in whole areas of a photo, and the motion it speaks of."""
