"""Parameters of the short-time Fourier transform, shared by training, conversion and the graph on the device."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ModelError


@dataclass(frozen=True, slots=True)
class StftSpec:
    """A short-time Fourier transform without padding, periodic Hann window (as ``scipy.signal.get_window("hann", n)``).

    Args:
        frame_length: samples in a frame; also the DFT length.
        frame_step: samples between the starts of successive frames.
        directions: projections of a bin's phasor whose rectified sum approximates its magnitude, evenly spread over
            half a turn: 2 gives |re| + |im| (scaled), 4 stays within -5.2 to +2.6 % of the true magnitude.

        >>> spec = StftSpec(frame_length=32, frame_step=4)
        >>> spec.bins, spec.frames(128)
        (17, 25)
    """

    frame_length: int = 32
    frame_step: int = 4
    directions: int = 4

    def __post_init__(self) -> None:
        for name in ("frame_length", "frame_step", "directions"):
            if getattr(self, name) < 1:
                raise ModelError(
                    f"stft.{name}",
                    found=getattr(self, name),
                    expected="a positive integer",
                    next_step="correct the contract",
                )

    @property
    def bins(self) -> int:
        """Frequency bins of a real signal, DC to Nyquist."""
        return self.frame_length // 2 + 1

    def frames(self, window_length: int) -> int:
        """Number of complete frames in ``window_length`` samples."""
        return max(0, (window_length - self.frame_length) // self.frame_step + 1)
