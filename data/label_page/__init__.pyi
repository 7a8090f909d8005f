from .labelling import Labelling as Labelling
from .server import LabelServer as LabelServer
from .store import LabelStore as LabelStore, labelled_path as labelled_path
