"""A measured series of sign-ups: what was expected without the outage, and what came on top of it."""
