"""Pieces of C++ text that the firmware's files have in common."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from deseptr.contract import ConversionError
from deseptr.tflite.graph import Graph, Tensor

from .runtime import Arena

# In the first line of every file.
AUTHOR = "written by `deseptr convert --target micro`"

# Method names of built-in operators in tensorflow/lite/micro/micro_mutable_op_resolver.h, without the prefix Add.
_KERNELS = """
    Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo
    CallOnce Cast Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div DynamicUpdateSlice
    Elu EmbeddingLookup Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather GatherNd Greater
    GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd LogicalNot LogicalOr
    Logistic LogSoftmax Maximum MaxPool2D Mean Minimum MirrorPad Mul Neg NotEqual Pack Pad PadV2 Prelu Quantize
    ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round
    Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt Square SquaredDifference
    Squeeze StridedSlice Sub Sum Svdf Tanh Transpose TransposeConv UnidirectionalSequenceLSTM Unpack VarHandle While
    ZerosLike
"""
_METHODS = {name.upper(): f"Add{name}" for name in _KERNELS.split()}
_ROW = 20


def resolver_ops(graph: Graph) -> tuple[str, ...]:
    """Methods of ``tflite::MicroMutableOpResolver`` that register a graph's operations, each once, in order of name.

    Raises:
        ConversionError: names the operations without a kernel in the library.
    """
    missing = [op for op in graph.ops if op.replace("_", "") not in _METHODS]
    if missing:
        raise ConversionError(
            "TensorFlow Lite Micro",
            found=f"no kernel for {', '.join(missing)}",
            expected="operations that the resolver can add",
            next_step="lower these layers, or convert without --target micro",
        )
    return tuple(sorted(_METHODS[op.replace("_", "")] for op in graph.ops))


def add_ops(name: str, constant: str, graph: Graph) -> str:
    """The constant and the function template that register a graph's operations.

    Args:
        name: of the function.
        constant: name of the number of operations.
        graph: whose operations they are.

    Raises:
        ConversionError: if the library lacks a kernel.
    """
    methods = resolver_ops(graph)
    calls = " &&\n         ".join(f"added(resolver.{method}())" for method in methods)
    return _ADD_OPS.substitute(name=name, constant=constant, ops=len(methods), calls=calls)


_ADD_OPS = Template("""\
constexpr unsigned int $constant = $ops;

template <template <unsigned int> class Resolver, unsigned int N>
bool $name(Resolver<N>& resolver) {
  static_assert(N >= $constant, "the resolver has too little room");
  // kTfLiteOk is 0.
  const auto added = [](auto status) { return static_cast<int>(status) == 0; };
  return $calls;
}""")


def arena_room(arena: Arena) -> int:
    """Bytes for an arena: an eighth more than measured, in whole KiB.

    The optimised kernels of CMSIS-NN need scratch memory that the reference kernels do not, for a convolution four
    columns of its im2col matrix.
    """
    return -(-arena.bytes * 9 // 8 // 1024) * 1024


def check_int8(tensor: Tensor, end: str, shape: tuple[int, ...]) -> None:
    """Refuse an end of a graph that is not int8, of this shape and with one scale.

    Raises:
        ConversionError: names the end.
    """
    if (tensor.type, tensor.shape, len(tensor.scales)) != ("INT8", shape, 1):
        raise ConversionError(
            f"graph's {end}",
            found=f"{tensor.type} of shape {list(tensor.shape)} with {len(tensor.scales)} scales",
            expected=f"INT8 of shape {list(shape)} with one scale, as in its contract",
            next_step="convert its checkpoint again with `deseptr convert RUN`",
        )


def strings(texts: Sequence[str]) -> str:
    """Texts as C++ string literals."""
    return ", ".join(f'"{escaped(text)}"' for text in texts)


def escaped(text: str) -> str:
    """Text for a C++ string literal or comment: bytes other than plain ASCII as octal escapes."""
    plain = {ord(c) for c in map(chr, range(32, 127)) if c not in '"\\?'}
    return "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode())


def byte_rows(content: bytes) -> str:
    """Bytes as elements of an array."""
    values = [f"0x{byte:02x}" for byte in content]
    rows = (", ".join(values[start : start + _ROW]) for start in range(0, len(values), _ROW))
    return ",\n    ".join(rows)
