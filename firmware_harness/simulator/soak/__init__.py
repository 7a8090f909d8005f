"""Long runs under drawn faults, with an account of every sample."""
