"""What the next outage would do: to its rivals, to the service itself, and to those who earn there."""
