"""Input signals of a simulated sensor: recordings, the synthetic wearer, test signals."""
