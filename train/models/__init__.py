"""The networks, one family a file; ``registry`` names them."""

from .cnn2d import Cnn2d
from .cnn_har import CnnHar
from .deit_septr import DeitSepTr
from .deit_vit import DeitViT
from .deseptr import DeSepTr
from .resnet18 import ResNet18, ResNetStem
from .septr import SepTr
from .tinierhar import TinierHar
from .vit import ViT

__all__ = [
    "Cnn2d",
    "CnnHar",
    "DeSepTr",
    "DeitSepTr",
    "DeitViT",
    "ResNet18",
    "ResNetStem",
    "SepTr",
    "TinierHar",
    "ViT",
]
