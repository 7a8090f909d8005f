"""A profile of a model on this machine: durations, resources, and caveats of the figures.

Nothing is imported here: :mod:`.cold_start` measures how long imports take, in a process that begins in this package.
"""
