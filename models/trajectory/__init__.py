"""Every pixel's motion during the exposure, found by a network that may be told the direction."""
