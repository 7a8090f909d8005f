"""Simulated chips: register memory, FIFO, start-up times; they share no table with the drivers."""
