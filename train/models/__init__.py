"""The networks, one family a file."""

from .deseptr import DeSepTr
from .resnet18 import ResNet18, ResNetStem

__all__ = ["DeSepTr", "ResNet18", "ResNetStem"]
