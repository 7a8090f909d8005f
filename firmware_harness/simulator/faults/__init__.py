"""Faults of bus and chip as declared data, and their injection."""
