"""Where events go: JSON lines, CSV files, an MQTT broker; and what they have in common when a medium fails.

The MQTT sink is imported from its own module, for it alone needs `paho-mqtt`.
"""

from .background import BackgroundSink as BackgroundSink, Worker as Worker
from .csv_file import CsvFile as CsvFile
from .json_lines import JsonLines as JsonLines
from .losses import Losses as Losses, Warn as Warn
from .sink import Sink as Sink
