"""The wearable on the desk: simulated sensors on a virtual bus in virtual time, and recordings played through them."""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
