"""The models, one family per file; ``registry`` maps names to families. Keras is imported when a model is used."""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
