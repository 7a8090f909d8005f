"""A wearable without hardware: simulated sensors on a virtual bus in virtual time, fed from recordings or test signals.

>>> from deseptr.firmware_harness.simulator import load_scenario, run_scenario
>>> from deseptr.device import default_model
>>> from deseptr.tflite import load_engine
>>> events = run_scenario(load_engine(default_model()), load_scenario("loose-wire"), seconds=10)
>>> type(next(events)).__name__
'WindowEvent'
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
