"""The machine that the loop runs on: board, processor, service manager, power meter."""
