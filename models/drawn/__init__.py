"""The motion as the user drew it: no network, deconvolution along it."""
