"""The published figures themselves: on one scale, against each other, and by who claims them."""
