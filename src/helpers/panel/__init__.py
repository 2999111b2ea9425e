"""Many measured series at once: measured, ranked, and their mean response."""
