"""All outages together: what the rule is, and what one outage says against it."""
