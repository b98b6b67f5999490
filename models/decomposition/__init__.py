"""The frames inside an exposure: the photo aligned along its motion, then restored by a network."""
