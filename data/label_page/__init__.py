"""The page behind ``deseptr data label``: signals in a browser, and the labels that a person gives them.

:mod:`.labelling` has the segments, :mod:`.store` keeps them in a file, :mod:`.server` answers the browser, ``page/`` is
what runs there. Everything is served to this machine alone.
"""

from .labelling import Labelling as Labelling
from .server import LabelServer as LabelServer
from .store import LabelStore as LabelStore, labelled_path as labelled_path
