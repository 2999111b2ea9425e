"""Incidents of status pages and other tables become rows of the outages."""
