"""Everything that decides a training run, in one frozen dataclass that is written beside its result."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from deseptr.contract import ModelError, StftSpec, atomic_write

NETWORK_NAMES = (
    "vit",
    "septr",
    "septr-time-first",
    "cnn2d",
    "resnet18",
    "deit-vit",
    "deit-septr",
    "deseptr",
    "tinierhar",
    "cnn-har",
)
MODEL_NAMES = (*NETWORK_NAMES, "random-forest")
STEM_MODELS = ("deseptr",)
DISTILLATION_NAMES = ("none", "soft", "hard")
STEM_NAMES = ("shared-tuned", "shared-frozen", "own")
CLASS_WEIGHTS = ("none", "balanced", "sqrt")
MIRRORS = ("none", "x", "y", "z")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of ``deseptr train``.

    A model that learns from no teacher is fitted as the student would be; ``resnet18`` as the teacher.

    Args:
        model: which model of ``models.registry`` the run is for, one of :data:`MODEL_NAMES`.
        seed: of the split, the initial weights, the order of examples and the augmentation.
        window_s: length of a window, s.
        overlap: share of a window that the next one repeats.
        frame_s: length of an STFT frame, s.
        frame_step_s: time between STFT frames, s.
        quiet_gain: magnification of the spectrogram's second level, which shows quiet motion; 0 leaves it out.
        teacher_width: channels of the first stage of the teacher (64 is ResNet-18), and of the stem of DeSepTr.
        teacher_epochs: passes over the data for the teacher.
        teacher_learning_rate: peak learning rate of the teacher.
        student_epochs: passes over the data for the student.
        student_learning_rate: peak learning rate of the student.
        dim: width of a token.
        heads: attention heads.
        depth: how often the pair of encoders is applied.
        batch_size: windows in a step.
        weight_decay: of AdamW.
        warmup: share of the steps in which the learning rate rises.
        averaging: horizon of the weights' moving average, as a share of the steps done.
        noise: augmentation's largest noise level, as a share of each channel's range.
        shift: largest circular shift in augmentation, over a window's length; 0 turns it off, as all down to cutmix.
        mirror: axis of the sensor that points sideways on the body, along which augmentation reflects half of the
            windows, ``"x"``, ``"y"`` or ``"z"``; or ``"none"``.
        rotation_degrees: largest rotation of the sensor's axes in augmentation.
        gain: largest error of a sensor's scale in augmentation, as a share.
        rate_jitter: largest error of the sample rate in augmentation, as a share.
        dropped: longest run of lost samples in augmentation, over a window's length.
        warp: largest move of a warp along time and along frequency, over that axis of the spectrogram.
        mask: widest mask along time and along frequency, over that axis of the spectrogram.
        cutmix: probability of CutMix along time, and of that along frequency.
        label_smoothing: share of a target spread over all classes.
        distillation: what the distillation head learns from: the teacher's class, ``"hard"``, its probabilities,
            ``"soft"``, or the labels as the class head does, ``"none"``.
        temperature: of soft distillation.
        stem: of :data:`STEM_MODELS`: the teacher's weights, trained on, ``"shared-tuned"``, or not,
            ``"shared-frozen"``, or random ones, trained, ``"own"``.
        prediction: which head speaks, ``"class"``, ``"distillation"`` or ``"mean"``.
        validation: share of the training subjects whose windows choose the best epoch; with 0 all are trained on, and
            the last epoch is kept.
        class_weights: how much an example of each class counts in a network's loss, one of :data:`CLASS_WEIGHTS`.
        patience: epochs without a rise of the macro-F1 on the validation subjects that end a stage; 0 never does.
        precision: what a network computes in while it is trained, one of :data:`PRECISIONS`; its weights, the loss, the
            front end and the model that is kept are float32 in either.
    """

    model: str = "deseptr"
    seed: int = 0
    window_s: float = 2.56
    overlap: float = 0.5
    frame_s: float = 0.64
    frame_step_s: float = 0.08
    quiet_gain: float = 16.0
    teacher_width: int = 32
    teacher_epochs: int = 12
    teacher_learning_rate: float = 1e-3
    student_epochs: int = 20
    student_learning_rate: float = 2e-3
    dim: int = 48
    heads: int = 1
    depth: int = 1
    batch_size: int = 128
    weight_decay: float = 0.02
    warmup: float = 0.05
    averaging: float = 0.25
    noise: float = 0.002
    shift: float = 0.0
    mirror: str = "none"
    rotation_degrees: float = 20.0
    gain: float = 0.0
    rate_jitter: float = 0.0
    dropped: float = 0.0
    warp: float = 0.1
    mask: float = 0.2
    cutmix: float = 0.1
    label_smoothing: float = 0.05
    distillation: str = "soft"
    temperature: float = 1.0
    stem: str = "shared-tuned"
    prediction: str = "mean"
    validation: float = 0.15
    class_weights: str = "none"
    patience: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        choices = {
            "model": MODEL_NAMES,
            "distillation": DISTILLATION_NAMES,
            "stem": STEM_NAMES,
            "class_weights": CLASS_WEIGHTS,
            "mirror": MIRRORS,
            "precision": PRECISIONS,
        }
        for name, known in choices.items():
            found = getattr(self, name)
            if found not in known:
                raise ModelError(
                    name, found=found, expected=f"one of {', '.join(known)}", next_step="choose one of them"
                )
        if self.model not in STEM_MODELS and self.stem != TrainConfig.stem:
            raise ModelError(
                f"stem {self.stem}",
                found=f"the model {self.model}, which never has the teacher's stem",
                expected=f"the model {' or '.join(STEM_MODELS)}",
                next_step="leave the stem out or choose this model",
            )

        if self.patience and not self.validation:
            raise ModelError(
                f"patience {self.patience}",
                found="no validation subjects to judge by",
                expected="a share of them above 0",
                next_step="leave the patience or the validation out",
            )

    @property
    def levels(self) -> tuple[float, ...]:
        """Magnifications at which the spectrogram is taken."""
        return (1.0, self.quiet_gain) if self.quiet_gain else (1.0,)

    def window_length(self, rate_hz: float) -> int:
        """Samples in a window at a sample rate."""
        return round(self.window_s * rate_hz)

    def hop_length(self, rate_hz: float) -> int:
        """Samples between the starts of successive windows at a sample rate."""
        return max(1, round(self.window_length(rate_hz) * (1 - self.overlap)))

    def stft(self, rate_hz: float) -> StftSpec:
        """The transform at a sample rate; its frame is even, so that there is a Nyquist bin."""
        return StftSpec(
            frame_length=max(2, 2 * round(self.frame_s * rate_hz / 2)),
            frame_step=max(1, round(self.frame_step_s * rate_hz)),
        )

    def save(self, path: Path) -> None:
        """Write the settings as JSON."""
        atomic_write(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> TrainConfig:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: if the file is missing or its fields are not these.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            return cls(**content)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(
                path,
                found=f"unreadable settings ({error})",
                expected=f"{len(fields(cls))} settings of a training run",
                next_step="train again without --resume",
            ) from error
