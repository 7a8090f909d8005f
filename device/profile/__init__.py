"""A profile of a model on this machine: where the time goes, what it costs, and what the figures are worth.

Nothing is imported here: :mod:`.cold_start` measures how long imports take, in a process that begins in this package.
"""
