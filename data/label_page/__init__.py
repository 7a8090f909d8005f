"""The page behind ``deseptr data label``: signals in a browser, and the labels that a person gives them.

:mod:`.labelling` has the segments, :mod:`.store` keeps them in a file, :mod:`.server` answers the browser, ``page/`` is
what runs there. Everything is served to this machine alone.

Importing it loads nothing: the page of a run has its colours from here.
"""

from deseptr.contract.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
