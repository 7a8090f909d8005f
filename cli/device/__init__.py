"""The commands of ``deseptr device``."""
