"""Who gains when a service goes down: evidence, adoption curves and the reports made of them."""

__version__ = "0.1.0"
