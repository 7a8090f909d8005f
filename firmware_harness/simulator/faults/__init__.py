"""Faults of bus and chip as declared data, and what injects them."""
