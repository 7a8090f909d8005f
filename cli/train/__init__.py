"""``deseptr train``: options, progress bars, TensorBoard."""
