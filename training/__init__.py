"""How the weights are made. torch and numpy only; runs from a checkout on any machine."""
