from .cnn2d import Cnn2d as Cnn2d
from .cnn_har import CnnHar as CnnHar
from .deit_septr import DeitSepTr as DeitSepTr
from .deit_vit import DeitViT as DeitViT
from .deseptr import DeSepTr as DeSepTr
from .random_forest import RandomForest as RandomForest
from .resnet18 import ResNet18 as ResNet18, ResNetStem as ResNetStem
from .septr import SepTr as SepTr
from .tinierhar import TinierHar as TinierHar
from .vit import ViT as ViT
