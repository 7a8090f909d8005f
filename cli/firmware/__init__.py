"""The commands of ``deseptr firmware``."""
