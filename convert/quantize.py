"""From a checkpoint to flatbuffers, in the separate process of :mod:`.isolated`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deseptr.contract import INPUT_STEPS, ConversionError, ModelContract, ModelError
from deseptr.tflite.graph import pack, read_graph, unpack
from deseptr.train.run_folder import CalibrationWindows, RunFolder

from .converter_process import converted_apart
from .float_io import add_float_io
from .name_outputs import with_named_outputs
from .recipe import Recipe
from .rounded_input import round_input
from .steps import begin
from .symmetric import make_operands_symmetric
from .targets import TARGETS
from .user_layers import check_structure

_NOISE_WINDOWS = 2


@dataclass(frozen=True)
class Quantized:
    """Result of a recipe, with the data to verify it.

    Args:
        flatbuffer: the model as the recipe requests it.
        integer: the same with the input and output types of its mode, without float input and output.
        reference: the same graph in float32, for windows divided by the contract's input range.
        scaled: held-out windows as input of the reference, ``[n, window_length, channels]``.
        contract: contract of the run, with the width of the graph's embedding.
        calibration: windows for calibration and verification.
        logits: the checkpoint's logits ``[n, class]`` of the held-out windows.
        layers: class of each layer of a plain Keras model by its name; empty for a network of this package.
    """

    flatbuffer: bytes
    integer: bytes
    reference: bytes
    scaled: NDArray[np.float32]
    contract: ModelContract
    calibration: CalibrationWindows
    logits: NDArray[np.float32]
    layers: dict[str, str] = field(default_factory=dict)


def quantize_run(run: Path, recipe: Recipe, calibration: CalibrationWindows | None = None) -> Quantized:
    """Convert a run's model, calibrated on the run's training windows.

    Args:
        run: run folder, or a ``.keras`` or ``.pt2`` file with its contract beside it.
        recipe: options of the conversion.
        calibration: windows for calibration and verification; those beside the checkpoint by default.

    Raises:
        ModelError: if the run cannot be read.
        ConversionError: if the network cannot be lowered or the converter fails.
    """
    # What is missing or does not fit is reported before TensorFlow is loaded, which takes seconds.
    read_data(run, calibration)
    result: Quantized = converted_apart(quantize_here, run, recipe, calibration)
    return result


class Inputs(NamedTuple):
    """Inputs of a conversion.

    Args:
        classifier: the loaded checkpoint.
        contract: its contract.
        calibration: windows that fit the contract.
    """

    classifier: Any
    contract: ModelContract
    calibration: CalibrationWindows


def load_inputs(run: Path, calibration: CalibrationWindows | None = None) -> Inputs:
    """Load the inputs of a conversion and check that they fit together; cheap checks come first.

    Args:
        run: run folder, or a ``.keras`` or ``.pt2`` file with its contract beside it.
        calibration: windows for calibration and verification; those beside the checkpoint by default.

    Raises:
        ModelError: if a part is missing or unreadable, or contradicts another.
    """
    from deseptr.train.checkpoint import load_run

    calibration = read_data(run, calibration)
    classifier, contract = load_run(run)
    return Inputs(classifier, contract, calibration)


def read_data(run: Path, calibration: CalibrationWindows | None = None) -> CalibrationWindows:
    """The calibration windows of a run, checked against its contract; loads no TensorFlow.

    Args:
        run: as above.
        calibration: as above.

    Raises:
        ModelError: if contract or windows are missing or unreadable, or contradict each other.
        ConversionError: if the model is a random forest.
    """
    from deseptr.train.checkpoint import run_folder_of

    folder = run_folder_of(run)
    _check_network(run, folder)
    contract = ModelContract.load(folder.contract)
    if calibration is None:
        calibration = CalibrationWindows.load(folder.calibration)
    _check_windows(calibration, contract, run)
    _check_truth(calibration, contract, run)
    return calibration


def _check_network(run: Path, folder: RunFolder) -> None:
    from deseptr.train.checkpoint import FOREST_SUFFIXES, check_model_path

    check_model_path(run)
    if run.suffix in FOREST_SUFFIXES if run.is_file() else folder.holds_forest:
        raise ConversionError(
            run,
            found="a random forest, a model that is not a network",
            expected="a checkpoint of a network",
            next_step="train another --model; `deseptr evaluate` measures this one",
        )


def quantize_here(run: Path, recipe: Recipe, calibration: CalibrationWindows | None) -> Quantized:
    """Do the work of :func:`quantize_run` in this process, which loads TensorFlow and lets it print."""
    from deseptr.train.classifier import WindowClassifier

    from .lowering.inference_graph import InferenceGraph

    begin("loading the checkpoint")
    classifier, contract, calibration = load_inputs(run, calibration)
    graph = inference_graph(classifier, contract, run, recipe)
    begin("predicting with the checkpoint")
    held_out = calibration.held_out_windows
    logits = _checkpoint_logits(classifier, held_out)
    _check_logits(logits, run)
    windows = graph.encode(calibration.windows[: recipe.calibration_windows])
    if contract.views is not None:
        windows = with_full_range(windows)
    reference = float_reference(graph, recipe, windows, run)
    if recipe.quantised:
        edits: list[Callable[[Any], None]] = [make_operands_symmetric]
        if recipe.mode == "int16x8" and isinstance(classifier, WindowClassifier) and contract.views is None:
            edits.append(round_input)
        model = unpack(flatbuffer_of(graph, recipe, windows, run))
        for edit in edits:
            edit(model)
        integer = flatbuffer = pack(model)
        if recipe.io == "float32":
            add_float_io(model, contract.input_range if contract.views is None else (1.0,) * contract.graph_channels)
            flatbuffer = pack(model)
    else:
        raw = InferenceGraph(classifier, contract, raw=True, embedding=recipe.embedding)
        flatbuffer = integer = flatbuffer_of(raw, recipe, windows, run)
    scaled = graph.encode(held_out)
    contract = replace(contract, embedding_width=graph.embedding_width)
    return Quantized(flatbuffer, integer, reference, scaled, contract, calibration, logits, dict(graph.layers))


def check_here(run: Path, recipe: Recipe) -> tuple[bytes, bytes, dict[str, str]]:
    """Do the work of :func:`.check.check_run`: flatbuffer and float reference of a checkpoint quantised on noise."""
    from deseptr.train.checkpoint import load_run, run_folder_of

    _check_network(run, run_folder_of(run))
    begin("loading the checkpoint")
    classifier, contract = load_run(run)
    graph = inference_graph(classifier, contract, run, recipe)
    windows = graph.encode(_noise(contract))
    reference = float_reference(graph, recipe, windows, run)
    flatbuffer = reference if recipe.mode == "float32" else flatbuffer_of(graph, recipe, windows, run)
    return flatbuffer, reference, dict(graph.layers)


def _noise(contract: ModelContract) -> NDArray[np.float32]:
    """Windows in SI units that use half of every channel's range."""
    shape = (_NOISE_WINDOWS, contract.input_length, len(contract.channels))
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, shape)
    return (noise * np.asarray(contract.input_range)).astype(np.float32)


def inference_graph(classifier: Any, contract: ModelContract, run: Path, recipe: Recipe) -> Any:
    """The static graph of a checkpoint that a recipe quantises.

    Raises:
        ConversionError: names a layer that cannot be rewritten.
    """
    from .lowering.blocks import stream_norm, unit_norm
    from .lowering.inference_graph import InferenceGraph

    # Neither form of the norm has 16-bit kernels throughout; the one that is a single operation loses least.
    norm = unit_norm if recipe.mode == "int16x8" else stream_norm
    try:
        return InferenceGraph(classifier, contract, norm=norm, embedding=recipe.embedding)
    except ConversionError as error:
        raise ConversionError(
            f"{run}: {error.thing}", found=error.found, expected=error.expected, next_step=error.next_step
        ) from error


def float_reference(graph: Any, recipe: Recipe, windows: NDArray[np.float32], run: Path) -> bytes:
    """The graph in float32, of operations that can be calibrated if the recipe quantises.

    Raises:
        ConversionError: if the converter fails, or if there are loops or TensorFlow's own kernels, of which the
            calibrator dies.
    """
    reference = flatbuffer_of(graph, Recipe("float32"), windows, run)
    if recipe.quantised:
        target = TARGETS[recipe.target]
        # A target without float32 is one that also has all operations of pi.
        known = target if "float32" in target.modes else TARGETS["pi"]
        check_structure(read_graph(reference, run), known, recipe.mode, run, graph.layers)
    return reference


def _checkpoint_logits(classifier: Any, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    from deseptr.train.training_loop import predict_logits

    from .lowering.keras_layers.network import keras_logits
    from .lowering.keras_layers.softmax_head import softmax_head

    head = softmax_head(classifier)
    return predict_logits(classifier, windows) if head is None else keras_logits(classifier, windows, head)


def with_full_range(views: NDArray[np.float32]) -> NDArray[np.float32]:
    """Encoded calibration windows and one more, in which the smallest and the largest view occur.

    The scale of the graph's input then is the contract's, 1/127.5 with zero point 0, whatever the windows are. The two
    values stand at the beginning of the last channel's fine view, which saturates in strong motion anyway.

    Args:
        views: ``[n, window_length, 2 · channels]``, int8 values over 127.5.
    """
    extreme = views[:1].copy()
    extreme[0, :2, -1] = np.array([-128, 127], np.float32) / np.float32(INPUT_STEPS)
    return np.concatenate([views, extreme])


def _check_windows(calibration: CalibrationWindows, contract: ModelContract, run: Path) -> None:
    expected = (contract.input_length, len(contract.channels))
    for windows in (calibration.windows, calibration.held_out_windows):
        if windows.shape[1:] != expected or windows.dtype != np.float32:
            found = f"{windows.dtype} of shape {windows.shape}"
        elif not len(windows) or not np.isfinite(windows).all():
            found = "NaN or infinity among them" if len(windows) else "none"
        else:
            continue
        raise _unfit(run, "calibration windows", found, f"float32 of shape (n, {expected[0]}, {expected[1]}), finite")


def _check_truth(calibration: CalibrationWindows, contract: ModelContract, run: Path) -> None:
    labels, subjects = calibration.held_out_labels, calibration.held_out_subjects
    count, classes = len(calibration.held_out_windows), len(contract.labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise _unfit(
            run, "held-out labels", f"{labels.dtype} of shape {labels.shape}", f"{count} class indices, one a window"
        )
    if not 0 <= labels.min() <= labels.max() < classes:
        raise _unfit(run, "held-out labels", f"{labels.min()} to {labels.max()}", f"0 to {classes - 1}")
    if subjects.shape != (count,) or subjects.dtype.kind != "U":
        raise _unfit(
            run, "held-out subjects", f"{subjects.dtype} of shape {subjects.shape}", f"{count} names, one a window"
        )


def _unfit(run: Path, part: str, found: str, expected: str) -> ModelError:
    return ModelError(
        f"{run}: {part}",
        found=found,
        expected=f"{expected}, to fit the contract and the other arrays",
        next_step="convert with --data RECORDINGS, or train again",
    )


def _check_logits(logits: NDArray[np.float32], run: Path) -> None:
    if not np.isfinite(logits).all():
        raise ModelError(
            f"{run}: logits of the held-out windows",
            found="NaN or infinity",
            expected="finite numbers",
            next_step="train again",
        )


def flatbuffer_of(graph: Any, recipe: Recipe, windows: NDArray[np.float32], thing: object) -> bytes:
    """Flatbuffer of an :class:`InferenceGraph` as TensorFlow's converter makes it, with the mode's input and output.

    Args:
        graph: the static graph.
        recipe: how.
        windows: to calibrate with, as the graph takes them.
        thing: what an error message is about.

    Raises:
        ConversionError: if the converter fails.
    """
    begin(f"{'calibrating and quantising' if recipe.quantised else 'converting'} to {recipe.mode}")
    try:
        made = _quantised(graph, recipe, windows) if recipe.quantised else _floating(graph, recipe)
        return with_named_outputs(made)
    except Exception as error:  # the converter raises its own and MLIR's
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ConversionError(
            thing,
            found=f"the converter failed ({reason[0][:160]})",
            expected="a flatbuffer",
            next_step="report this with the run's config.json, or with your model",
        ) from error


def _floating(graph: Any, recipe: Recipe) -> bytes:
    import tensorflow as tf

    converter = _converter(graph, recipe)
    if recipe.mode != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.mode == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def _quantised(graph: Any, recipe: Recipe, windows: NDArray[np.float32]) -> bytes:
    import tensorflow as tf

    wide = recipe.mode == "int16x8"
    ops = tf.lite.OpsSet
    converter = _converter(graph, recipe)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _representative(windows)
    integer = ops.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8 if wide else ops.TFLITE_BUILTINS_INT8
    # Float kernels stand in where there is none of 16 bits, and for layers kept in float.
    mixed = wide or recipe.float_layers
    converter.target_spec.supported_ops = [integer, ops.TFLITE_BUILTINS] if mixed else [integer]
    converter.inference_input_type = converter.inference_output_type = tf.int16 if wide else tf.int8
    if not recipe.float_layers:
        return bytes(converter.convert())
    return _with_float_layers(converter, recipe)


def _with_float_layers(converter: Any, recipe: Recipe) -> bytes:
    """The converter's result with some layers in float, for which the converter has no public setting."""
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    converter._experimental_calibrate_only = True
    return bytes(
        mlir_quantize(
            with_named_outputs(converter.convert()),
            input_data_type=tf.int8,
            output_data_type=tf.int8,
            denylisted_nodes=list(recipe.float_layers),
            disable_per_channel_for_dense_layers=_dense_has_one_scale(recipe),
        )
    )


def _converter(graph: Any, recipe: Recipe) -> Any:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.function], graph)
    converter._experimental_disable_per_channel_quantization_for_dense_layers = _dense_has_one_scale(recipe)
    return converter


def _dense_has_one_scale(recipe: Recipe) -> bool:
    return not TARGETS[recipe.target].per_channel_dense


def _representative(windows: NDArray[np.float32]) -> Iterator[list[NDArray[np.float32]]]:
    for window in windows:
        yield [window[None]]
