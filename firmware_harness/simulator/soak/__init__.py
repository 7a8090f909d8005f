"""Soak tests: long runs under random faults that account for every sample."""
