"""Where events go: JSON lines, CSV files, an MQTT broker; and what they have in common when a medium fails.

The MQTT sink is imported from its own module, for it alone needs `paho-mqtt`.
"""

from .background import BackgroundSink, Worker
from .csv_file import CsvFile
from .json_lines import JsonLines
from .losses import Losses, Warn

__all__ = ["BackgroundSink", "CsvFile", "JsonLines", "Losses", "Warn", "Worker"]
