"""Adjusting drawn or found motion to what the photo itself shows of it."""
