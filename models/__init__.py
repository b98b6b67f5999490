"""What a motion-blurred photo is and how its motion is found. Knows no window."""
