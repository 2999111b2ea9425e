"""How often services fail, how long, and what to expect: counts, lengths, forecasts."""
