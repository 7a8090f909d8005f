"""What each target can run: operations with versions, element types and ranks.

This table says only whether a target has the kernels, not how fast or how accurate they are.

``pi``
    Both ai-edge-litert 2.3.0 and tflite-runtime 2.14.0, default resolvers. Measured: for every code of the schema's
    ``BuiltinOperator`` and every version up to 16, a flatbuffer with that operation was opened with each runtime; the
    smaller of the two largest versions is listed. Everything in 2.14 is also in 2.3. (``BUILTIN_REF`` of 2.14 supports
    fewer versions: no ``TILE`` 3.) Types that a kernel rejects were measured with both on x86-64: one operation per
    graph, rank 4, allocated and invoked. Operations not tested in this way (CONV_2D, FULLY_CONNECTED, the recurrent
    ones, …) are assumed to support all types. FULLY_CONNECTED with one scale per channel is excluded because it crashed
    2.14 on aarch64.
``micro``
    The resolver of the ``tflite-micro`` wheel 0.dev20261023, measured in the same two ways. It ignores versions: those
    of ``pi`` are listed, assuming that they mean the same. A dense layer with one scale per channel gave correct
    numbers.
``coral``
    "Supported operations" of coral.ai/docs/edgetpu/models-intro, compiler 16; never compiled here, and the rows after
    ResizeBilinear were written from memory, not compared with the page. Operations not on the list run on the CPU,
    which is that of a ``pi``: the graph must pass that list, and :mod:`.edgetpu` estimates the Edge TPU's share.

Rank 4 is this project's own limit for all targets, stricter than the kernels: above it, XNNPACK and most accelerators
split a graph into pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_RANK = 4

_FLOAT = frozenset({"FLOAT32", "INT32", "INT64", "BOOL"})
_TYPES = {
    "int8": frozenset({"INT8"}),
    "int16x8": frozenset({"INT16"}),
    "float16": _FLOAT,
    "dynamic": _FLOAT,
    "float32": _FLOAT,
}


@dataclass(frozen=True)
class Target:
    """Capabilities of one kind of machine.

    Args:
        name: name on the command line.
        ops: largest supported version of each operation.
        types: allowed element types of activations by mode of conversion; the keys are the supported modes.
        lacks: operations without a kernel, by element type.
        max_rank: largest rank of an activation.
        per_channel_dense: whether FULLY_CONNECTED supports weights with one scale per channel.
        accelerated: operations that run on an accelerator instead of the CPU; empty without an accelerator.
    """

    name: str
    ops: Mapping[str, int]
    types: Mapping[str, frozenset[str]]
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    max_rank: int = MAX_RANK
    per_channel_dense: bool = False
    accelerated: frozenset[str] = frozenset()

    @property
    def modes(self) -> tuple[str, ...]:
        """Supported modes of conversion."""
        return tuple(self.types)


def _versions(by_version: Mapping[int, str]) -> dict[str, int]:
    return {op: version for version, ops in by_version.items() for op in ops.split()}


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _lacking(**by_type: str) -> dict[str, frozenset[str]]:
    return {name: _names(ops) for name, ops in by_type.items()}


_PI_OPS = _versions(
    {
        1: """
        ADD_N ASSIGN_VARIABLE ATAN2 BITCAST BITWISE_XOR BROADCAST_ARGS BUCKETIZE CALL_ONCE CEIL COMPLEX_ABS CONV_3D
        CONV_3D_TRANSPOSE COS CUMSUM DENSIFY DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP_SPARSE EXPAND_DIMS FLOOR
        HARD_SWISH HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_LOOKUP HASHTABLE_SIZE IF IMAG L2_POOL_2D
        LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LSH_PROJECTION MATRIX_DIAG MATRIX_SET_DIAG
        MULTINOMIAL NEG NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 ONE_HOT POW PRELU RANDOM_STANDARD_NORMAL
        RANDOM_UNIFORM RANK READ_VARIABLE REAL REDUCE_ALL REDUCE_ANY RELU_0_TO_1 RELU_N1_TO_1 RESHAPE REVERSE_SEQUENCE
        RFFT2D RIGHT_SHIFT ROUND SCATTER_ND SEGMENT_SUM SHAPE SIN SKIP_GRAM SQRT SQUARE UNIQUE UNSORTED_SEGMENT_MAX
        UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM VAR_HANDLE WHILE ZEROS_LIKE""",
        2: """
        DEPTH_TO_SPACE DIV EXP FAKE_QUANT FLOOR_MOD GELU GREATER L2_NORMALIZATION LEAKY_RELU LESS_EQUAL LOG_SOFTMAX
        RANGE REDUCE_PROD RSQRT SELECT_V2 SIGN SPACE_TO_DEPTH SPLIT_V SQUARED_DIFFERENCE SQUEEZE SUM WHERE""",
        3: """
        ARG_MAX ARG_MIN AVERAGE_POOL_2D BIDIRECTIONAL_SEQUENCE_LSTM BIDIRECTIONAL_SEQUENCE_RNN BROADCAST_TO
        EMBEDDING_LOOKUP FLOOR_DIV GREATER_EQUAL LESS LOGISTIC MAX_POOL_2D MEAN MIRROR_PAD NOT_EQUAL QUANTIZE
        REDUCE_MAX REDUCE_MIN RELU RELU6 REVERSE_V2 RNN SOFTMAX SPARSE_TO_DENSE TANH TILE TOPK_V2
        UNIDIRECTIONAL_SEQUENCE_RNN""",
        4: """
        BATCH_MATMUL BATCH_TO_SPACE_ND CONCATENATION EQUAL FILL GATHER_ND LSTM MAXIMUM MINIMUM PACK PAD PADV2
        RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR SELECT SPACE_TO_BATCH_ND SPLIT SVDF TRANSPOSE_CONV
        UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK""",
        5: "ABS ADD CAST DEQUANTIZE SUB",
        6: "GATHER SLICE TRANSPOSE",
        7: "CONV_2D DEPTHWISE_CONV_2D MUL",
        8: "STRIDED_SLICE",
        10: "FULLY_CONNECTED",
    }
)

_MICRO_OPS = _names("""
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND BROADCAST_ARGS
    BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV
    DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD FULLY_CONNECTED
    GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG
    LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG
    NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE
    TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
""")

_PI_LACKS = _lacking(
    INT8="CEIL COS CUMSUM FLOOR LOG NEG POW ROUND SIGN SIN SQRT SQUARE",
    INT16="""
    ARG_MAX CEIL COS CUMSUM DEPTH_TO_SPACE ELU FLOOR GELU GREATER HARD_SWISH L2_NORMALIZATION LOG LOG_SOFTMAX NEG POW
    ROUND RSQRT SIGN SIN SPACE_TO_DEPTH SQRT SQUARE SQUARED_DIFFERENCE TILE""",
)

_MICRO_LACKS = _lacking(
    INT8="CEIL COS EXP FLOOR FLOOR_DIV LOG NEG ROUND SIN SQRT SQUARE",
    INT16="""
    ARG_MAX BATCH_TO_SPACE_ND CEIL COS CUMSUM DEPTH_TO_SPACE ELU EQUAL EXP FLOOR FLOOR_DIV GATHER HARD_SWISH
    L2_NORMALIZATION LOG LOG_SOFTMAX MIRROR_PAD NEG REDUCE_MAX REDUCE_MIN RESIZE_BILINEAR ROUND SIN SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SQRT SQUARE""",
)

_EDGE_TPU_OPS = _names(
    """
    ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D EXPAND_DIMS FULLY_CONNECTED L2_NORMALIZATION LOGISTIC
    MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PACK PAD PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU RELU6 RELU_N1_TO_1 RESHAPE
    RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQUARED_DIFFERENCE SQUEEZE
    STRIDED_SLICE SUB SUM TANH TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM
    """
)

_MICRO_MODES = ("int8", "int16x8", "float32")

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("pi", _PI_OPS, _TYPES, _PI_LACKS),
        Target(
            "micro",
            {op: _PI_OPS[op] for op in _MICRO_OPS},
            {mode: _TYPES[mode] for mode in _MICRO_MODES},
            _MICRO_LACKS,
            per_channel_dense=True,
        ),
        Target("coral", _PI_OPS, {"int8": _TYPES["int8"]}, _PI_LACKS, accelerated=_EDGE_TPU_OPS),
    )
}
