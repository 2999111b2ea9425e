"""Figures: their look, their parts, and each kind of them; every one returns a `Picture`."""
