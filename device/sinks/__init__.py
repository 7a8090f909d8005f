"""Outputs for events: JSON lines, CSV files, an MQTT broker; and their common handling of a medium that fails.

The MQTT sink is imported from its own module, since it alone needs `paho-mqtt`.
"""

from .background import BackgroundSink as BackgroundSink, Worker as Worker
from .csv_file import CsvFile as CsvFile
from .json_lines import JsonLines as JsonLines
from .line_stream import LineStream as LineStream
from .losses import Losses as Losses, Warn as Warn
from .sink import Sink as Sink
