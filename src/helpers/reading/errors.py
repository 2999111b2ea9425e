"""What goes wrong before there is a table."""


class ReadingError(ValueError):
    """A source that cannot be had, or that is no table this project knows."""
