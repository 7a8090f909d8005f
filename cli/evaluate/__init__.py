"""The commands that measure: ``crossval``, ``lab``, ``evaluate``, ``compare`` and ``report``."""
