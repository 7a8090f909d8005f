"""What a simulated sensor feels: recordings, the synthetic wearer, test signals."""
