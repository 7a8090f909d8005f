from .check import ConversionCheck as ConversionCheck, check_run as check_run
from .conversion import Conversion as Conversion, convert_run as convert_run
from .parity import Gate as Gate
from .recipe import Recipe as Recipe
