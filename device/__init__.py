"""The wearable: bus, sensor drivers, windows, engines, the runtime and its profiler.

Importing it loads nothing: every name is imported when it is first used, engines with the first model and the bus
library with the first bus.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
