from .clamped_block import ClampedBlock as ClampedBlock
from .cnn2d import Cnn2d as Cnn2d
from .cnn_har import CnnHar as CnnHar
from .deit_septr import DeitSepTr as DeitSepTr
from .deit_vit import DeitViT as DeitViT
from .deseptr import DeSepTr as DeSepTr
from .random_forest import RandomForest as RandomForest
from .resnet18 import ResNet18 as ResNet18, ResNetStem as ResNetStem
from .septr import SepTr as SepTr
from .spectrum_stem import SpectrumStem as SpectrumStem
from .strided_convolution import StridedConvolution as StridedConvolution
from .tinierhar import TinierHar as TinierHar
from .view_spectrogram import ViewSpectrogram as ViewSpectrogram
from .vit import ViT as ViT
from .wave1d import TemporalBlock as TemporalBlock, Wave1d as Wave1d
from .waveform_deseptr import WaveformDeSepTr as WaveformDeSepTr
from .waveform_trunk import WaveformTrunk as WaveformTrunk
