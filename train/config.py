"""All settings of a training run in one frozen dataclass, which is saved with the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from deseptr.contract import ModelError, StftSpec, atomic_write, read_json
from deseptr.contract.limits import Limits

from .full_scale import AUTO, parse_full_scale
from .models.registry import BY_MODEL, DEFAULTS, MODELS, Family

MODEL_NAMES = tuple(MODELS)
DEFAULT_MODEL = "deseptr"
NETWORK_NAMES = tuple(name for name, family in MODELS.items() if family.input != "features")
FEATURE_MODELS = tuple(name for name in MODELS if name not in NETWORK_NAMES)
STEM_MODELS = tuple(name for name, family in MODELS.items() if family.teacher_stem)
DISTILLATION_NAMES = ("none", "soft", "hard")
STEM_NAMES = ("shared-tuned", "shared-frozen", "own")
CLASS_WEIGHTS = ("none", "balanced", "sqrt")
MIRRORS = ("none", "x", "y", "z")
PRECISIONS = ("float32", "bfloat16")
MEMBERS = tuple(name for name, family in MODELS.items() if family.input != "features" and not family.distilled)

_SHARE = Limits(0, 1)
_SHARE_BELOW_1 = Limits(0, 1, below=True)
_WARP = Limits(0, 0.2, below=True)
_EPOCHS = Limits(1, 100_000, whole=True)
_RATE = Limits(0, 100, above=True)
# Far above what is useful, and low enough that a mistyped value fails at once instead of exhausting the machine.
LIMITS: Mapping[str, Limits] = {
    "seed": Limits(0, 2**32 - 1, whole=True),
    "window_s": Limits(0, 3600, above=True),
    "overlap": _SHARE_BELOW_1,
    "frame_s": Limits(0, 3600, above=True),
    "frame_step_s": Limits(0, 3600, above=True),
    "quiet_gain": Limits(0, 1_000_000),
    "teacher_width": Limits(1, 1024, whole=True),
    "teacher_share": _SHARE,
    "teacher_epochs": _EPOCHS,
    "teacher_learning_rate": _RATE,
    "student_epochs": _EPOCHS,
    "student_learning_rate": _RATE,
    "dim": Limits(1, 4096, whole=True),
    "heads": Limits(1, 256, whole=True),
    "depth": Limits(1, 64, whole=True),
    "batch_size": Limits(1, 65_536, whole=True),
    "weight_decay": Limits(0, 100),
    "warmup": _SHARE,
    "clip_norm": Limits(0, 1_000_000),
    "averaging": _SHARE,
    "noise": _SHARE,
    "shift": _SHARE,
    "mixup": _SHARE,
    "shift_samples": Limits(0, 100_000, whole=True),
    "time_warp": _WARP,
    "sensor_rate": _SHARE,
    "rotation_degrees": Limits(0, 180),
    "gain": _SHARE_BELOW_1,
    "rate_jitter": _SHARE_BELOW_1,
    "dropped": _SHARE_BELOW_1,
    "warp": _WARP,
    "mask": _SHARE,
    "cutmix": _SHARE,
    "label_smoothing": _SHARE_BELOW_1,
    "temperature": Limits(0, 1000, above=True),
    "validation": _SHARE_BELOW_1,
    "labelled_subjects": Limits(0, 1_000_000, whole=True),
    "unlabelled_share": _SHARE_BELOW_1,
    "patience": Limits(0, 100_000, whole=True),
}


@dataclass(frozen=True)
class TrainConfig:
    """Settings of ``deseptr train``.

    Models without a teacher are trained with the student's settings; ``resnet18`` with the teacher's. A setting that
    is left out, and whose default here is ``BY_MODEL``, has the value of the model's own recipe in ``models.registry``.

    Args:
        model: name of the model in ``models.registry``, one of :data:`MODEL_NAMES`.
        seed: seed of the split, the initial weights, the order of examples and the augmentation.
        window_s: length of a window, s.
        overlap: fraction of a window that the next window repeats.
        frame_s: length of an STFT frame, s.
        frame_step_s: time between STFT frames, s.
        views: whether the input is a coarse and a fine view of each channel instead of the window.
        quiet_gain: gain of the spectrogram's second level, which resolves slow motion; 0 leaves that level out.
        teacher_width: channels of the first stage of the teacher (64 is ResNet-18), and of the stem of DeSepTr.
        members: models that teach if no teacher is given, each trained first; their probabilities are averaged.
        teacher_share: share of the teacher in the distillation head's target; the rest is the label's.
        teacher_epochs: passes over the data for the teacher.
        teacher_learning_rate: peak learning rate of the teacher.
        student_epochs: passes over the data for the student.
        student_learning_rate: peak learning rate of the student.
        dim: width of a token.
        heads: attention heads.
        depth: number of pairs of encoder blocks.
        batch_size: windows in a step.
        weight_decay: weight decay of AdamW.
        warmup: fraction of the steps during which the learning rate rises.
        clip_norm: largest norm of a step's gradient; 0 does not limit it.
        averaging: horizon of the weights' moving average, as a fraction of the steps done.
        noise: augmentation: largest noise level, as a fraction of each channel's range.
        shift: augmentation: largest circular shift, as a fraction of the window; 0 turns it off, as for all others.
        mirror: augmentation: axis of the sensor that points sideways on the body, along which half of the windows are
            reflected, ``"x"``, ``"y"`` or ``"z"``; or ``"none"``.
        mixup: augmentation: probability that a window is mixed with another one.
        shift_samples: augmentation: largest shift of the window within its recording, in samples.
        time_warp: augmentation: largest displacement along time, as a fraction of the window.
        sensor_rate: augmentation: probability that a window is rotated, and that its sensors' scales are wrong.
        rotation_degrees: augmentation: largest rotation of the sensor's axes.
        gain: augmentation: largest error of a sensor's scale, as a fraction.
        rate_jitter: augmentation: largest error of the sample rate, as a fraction.
        dropped: augmentation: longest run of lost samples, as a fraction of the window.
        warp: augmentation: largest shift of a warp along time and along frequency, as a fraction of that axis.
        mask: augmentation: widest mask along time and along frequency, as a fraction of that axis.
        cutmix: augmentation: probability of CutMix along time, and of CutMix along frequency.
        label_smoothing: fraction of a target that is spread over all classes.
        distillation: target of the distillation head: the teacher's class, ``"hard"``; the teacher's probabilities,
            ``"soft"``; or the labels, ``"none"``.
        temperature: temperature of soft distillation.
        stem: stem of :data:`STEM_MODELS`: the teacher's weights, trained further, ``"shared-tuned"``; the teacher's
            weights, frozen, ``"shared-frozen"``; or random weights, trained, ``"own"``.
        prediction: head used for predictions, ``"class"``, ``"distillation"`` or ``"mean"``.
        validation: fraction of the training subjects whose windows select the best epoch; with 0 all subjects are
            trained on and the last epoch is kept.
        labelled_subjects: number of training subjects whose labels are used, drawn by the seed; 0 uses all. The windows
            of the others are used without labels.
        unlabelled_share: share of windows without labels in a step of a distilled model, if there are any; what they
            are, the teacher alone says. 0 does not use them.
        class_weights: weight of each class in a network's loss, one of :data:`CLASS_WEIGHTS`.
        full_scale: full scales that the contract asks of a sensor: ``"auto"``, or some of
            ``"acc=16g,gyro=2000dps,mag=4900uT"``.
        patience: a stage ends after this many epochs without a higher validation macro-F1; 0 turns this off.
        precision: precision in which a network is trained, one of :data:`PRECISIONS`; weights, loss, front end and the
            saved model are always float32.
    """

    model: str = DEFAULT_MODEL
    seed: int = 0
    window_s: float = 2.56
    overlap: float = 0.5
    frame_s: float = 0.64
    frame_step_s: float = 0.08
    views: bool = BY_MODEL
    quiet_gain: float = 16.0
    teacher_width: int = 32
    members: tuple[str, ...] = BY_MODEL
    teacher_share: float = BY_MODEL
    teacher_epochs: int = BY_MODEL
    teacher_learning_rate: float = BY_MODEL
    student_epochs: int = BY_MODEL
    student_learning_rate: float = BY_MODEL
    dim: int = BY_MODEL
    heads: int = 1
    depth: int = 1
    batch_size: int = 128
    weight_decay: float = 0.02
    warmup: float = 0.05
    clip_norm: float = BY_MODEL
    averaging: float = 0.25
    noise: float = 0.002
    shift: float = 0.0
    mirror: str = "none"
    mixup: float = BY_MODEL
    shift_samples: int = BY_MODEL
    time_warp: float = BY_MODEL
    sensor_rate: float = BY_MODEL
    rotation_degrees: float = 20.0
    gain: float = BY_MODEL
    rate_jitter: float = 0.0
    dropped: float = 0.0
    warp: float = BY_MODEL
    mask: float = BY_MODEL
    cutmix: float = BY_MODEL
    label_smoothing: float = 0.05
    distillation: str = "soft"
    temperature: float = 1.0
    stem: str = "shared-tuned"
    prediction: str = "mean"
    validation: float = 0.15
    labelled_subjects: int = 0
    unlabelled_share: float = 0.5
    class_weights: str = BY_MODEL
    full_scale: str = AUTO
    patience: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        self._require_one_of("model", MODEL_NAMES)
        family = MODELS[self.model]
        for name, value in (DEFAULTS | dict(family.defaults)).items():
            if getattr(self, name) is BY_MODEL:
                object.__setattr__(self, name, value)
        object.__setattr__(self, "members", tuple(self.members))
        self._check_numbers()
        choices = {
            "distillation": DISTILLATION_NAMES,
            "stem": STEM_NAMES,
            "class_weights": CLASS_WEIGHTS,
            "mirror": MIRRORS,
            "precision": PRECISIONS,
        }
        for name, known in choices.items():
            self._require_one_of(name, known)
        self._check_members(family)
        parse_full_scale(self.full_scale)
        if self.views != (family.input == "views") and family.input != "window":
            raise ModelError(
                f"views {self.views}",
                found=f"the model {self.model}, whose input is {family.input}",
                expected="the views that this model needs" if self.views is False else "a model on windows",
                next_step="leave the views out or choose another model",
            )
        if self.model not in STEM_MODELS and self.stem != TrainConfig.stem:
            raise ModelError(
                f"stem {self.stem}",
                found=f"the model {self.model}, which cannot use the teacher's stem",
                expected=f"the model {' or '.join(STEM_MODELS)}",
                next_step="leave the stem out or choose this model",
            )

        if self.patience and not self.validation:
            raise ModelError(
                f"patience {self.patience}",
                found="no validation subjects to measure the macro-F1 on",
                expected="a validation share above 0",
                next_step="leave the patience or the validation out",
            )

    def _require_one_of(self, name: str, known: tuple[str, ...]) -> None:
        found = getattr(self, name)
        if found not in known:
            raise ModelError(name, found=found, expected=f"one of {', '.join(known)}", next_step="choose one of them")

    def _check_numbers(self) -> None:
        for name, limits in LIMITS.items():
            if not limits.allow(getattr(self, name)):
                raise ModelError(
                    f"setting {name}",
                    found=getattr(self, name),
                    expected=limits,
                    next_step="choose a value in this range",
                )

    def _check_members(self, family: Family) -> None:
        spectral = family.input == "spectrogram"
        known = [name for name in MEMBERS if (MODELS[name].input == "spectrogram") == spectral]
        unknown = [name for name in self.members if name not in known]
        if family.distilled and (unknown or not self.members or len(set(self.members)) < len(self.members)):
            raise ModelError(
                f"members of the teacher of {self.model}",
                found=", ".join(unknown or self.members) or "none",
                expected=f"some of {', '.join(known)}, each once",
                next_step="choose among these",
            )

    @property
    def learns_without_labels(self) -> bool:
        """Whether windows without labels are used: by a model with a teacher to say what they are."""
        return MODELS[self.model].distilled and self.distillation != "none" and self.unlabelled_share > 0

    @property
    def levels(self) -> tuple[float, ...]:
        """Gains of the spectrogram's levels."""
        return (1.0, self.quiet_gain) if self.quiet_gain else (1.0,)

    def window_length(self, rate_hz: float) -> int:
        """Samples in a window at a sample rate."""
        return round(self.window_s * rate_hz)

    def hop_length(self, rate_hz: float) -> int:
        """Samples between the starts of successive windows at a sample rate."""
        return max(1, round(self.window_length(rate_hz) * (1 - self.overlap)))

    def stft(self, rate_hz: float) -> StftSpec:
        """The STFT at a sample rate; the frame length is even, so that there is a Nyquist bin.

        A model on views counts in samples: its columns and frames are the same at every rate.
        """
        if self.views:
            return StftSpec(32, 4, 2)
        return StftSpec(
            frame_length=max(2, 2 * round(self.frame_s * rate_hz / 2)),
            frame_step=max(1, round(self.frame_step_s * rate_hz)),
        )

    def save(self, path: Path) -> None:
        """Write the settings as JSON."""
        atomic_write(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read settings that :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing or has other fields.
        """
        try:
            return cls.of_any_version(dict(read_json(path)))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                path,
                found=f"unreadable settings ({error})",
                expected=f"{len(fields(cls))} settings of a training run",
                next_step="train again without --resume",
            ) from error

    @classmethod
    def of_any_version(cls, content: Mapping[str, Any]) -> TrainConfig:
        """Settings as plain JSON values, of this version or an earlier one.

        Raises:
            ModelError: if a value is not allowed.
            TypeError: if there are other fields, or values of another type.
        """
        return cls(**_today(dict(content)))

    @classmethod
    def model_name(cls, path: Path) -> str:
        """The model alone of settings that :meth:`save` wrote, of any version.

        Raises:
            ModelError: if the file is missing or names no known model.
        """
        try:
            content = read_json(path)
            name = _today(content).get("model", cls.model) if isinstance(content, dict) else None
            if not isinstance(name, str) or name not in MODELS:
                raise ValueError("its model is not known")
        except (OSError, ValueError) as error:
            raise ModelError(
                path,
                found=f"unreadable settings ({error})",
                expected=f"the setting model, one of {', '.join(MODEL_NAMES)}",
                next_step="restore the file, or train again",
            ) from error
        return name


def _today(content: dict[str, Any]) -> dict[str, Any]:
    """Settings under the names of today.

    Version 0.1 called the model on spectrograms ``deseptr``; its settings have no ``views``.
    """
    if "views" not in content and content.get("model", DEFAULT_MODEL) == DEFAULT_MODEL:
        return content | {"model": STEM_MODELS[0]}
    return content
