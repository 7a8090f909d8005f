"""A synthetic wearer: how one person walks, climbs, jogs, sits and stands, as motion of the thigh.

Habits are drawn once per person; trials vary around them. Differences between people are as large as the difference
between walking and stairs, so that single statistics confuse these, while the shape of a stride distinguishes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .rigid_body import PHONE_FROM_THIGH, Motion, Track, turn_about

LABELS = ("downstairs", "upstairs", "sitting", "standing", "walking", "jogging")
"""The activities, in MotionSense's order."""


@dataclass(frozen=True)
class Gait:
    """Parameters of a gait.

    Args:
        stride_hz: strides (two steps) per second.
        offset: mean flexion of the thigh, radians.
        swing: amplitude of the flexion's first harmonic, radians.
        harmonics: amplitude of the second, third and fourth harmonic as fractions of ``swing``.
        phases: their phases, radians.
        bounce: amplitude of the hip's vertical acceleration at the step rate, m/s^2.
        bounce_phase: its phase, radians.
        impact: peak acceleration of a heel strike, m/s^2.
        strike: phase of the stride at which the heel of the phone's leg strikes, 0 to 1.
    """

    stride_hz: float
    offset: float
    swing: float
    harmonics: tuple[float, ...]
    phases: tuple[float, ...]
    bounce: float
    bounce_phase: float
    impact: float
    strike: float


GAITS = {
    "walking": Gait(0.92, 0.06, 0.36, (0.20, 0.08, 0.04), (0.6, 0.2, 0.0), 2.3, 0.3, 4.0, 0.10),
    "upstairs": Gait(0.82, 0.24, 0.36, (0.28, 0.10, 0.04), (-0.7, 0.9, 0.5), 2.0, 1.3, 3.2, 0.22),
    "downstairs": Gait(0.92, 0.15, 0.29, (0.28, 0.12, 0.06), (1.9, -0.6, 0.8), 2.5, -0.8, 5.0, 0.98),
    "jogging": Gait(1.30, 0.12, 0.48, (0.26, 0.10, 0.05), (0.2, 0.5, 0.3), 6.5, 0.0, 9.0, 0.06),
}


@dataclass(frozen=True)
class Posture:
    """Parameters of a resting posture: usual and occasional flexion in radians, and amount of restlessness."""

    flexion: float
    spread: float
    other_flexion: float
    other_share: float
    sway: float
    fidgets_hz: float


POSTURES = {
    "sitting": Posture(1.35, 0.16, 0.80, 0.22, 0.006, 0.05),
    "standing": Posture(0.02, 0.12, 0.50, 0.15, 0.015, 0.07),
}


@dataclass(frozen=True, eq=False)
class Wearer:
    """Habits of one person.

    Args:
        gaits: gait of each activity.
        lever: ``[3]`` from hip to phone in metres, thigh axes.
        asymmetry: strength of the other leg's heel strike at the phone, as a fraction of the own leg's.
        upright: probability that the phone is upright rather than upside down.
        twist: usual rotation of the phone about the thigh, radians.
    """

    gaits: dict[str, Gait]
    lever: NDArray[np.float64]
    asymmetry: float
    upright: float
    twist: float


def draw_wearer(rng: np.random.Generator) -> Wearer:
    """Draw a random person."""
    tempo, vigour = rng.normal(1, 0.06), rng.lognormal(0, 0.12)
    return Wearer(
        gaits={name: _vary(gait, rng, tempo, vigour) for name, gait in GAITS.items()},
        lever=np.array([0.07, rng.normal(0, 0.02), -rng.uniform(0.12, 0.26)]),
        asymmetry=rng.uniform(0.35, 0.7),
        upright=rng.uniform(0.7, 1.0),
        twist=rng.normal(0, 0.25),
    )


def draw_mount(wearer: Wearer, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the mounting of the phone for one trial: rotation ``[3, 3]`` from thigh to phone axes."""
    upside_down = turn_about(2, 0.0 if rng.random() < wearer.upright else np.pi)
    screen_out = turn_about(1, 0.0 if rng.random() < 0.8 else np.pi)
    slack = turn_about(0, rng.normal(0, 0.12)) @ turn_about(2, rng.normal(0, 0.15))
    twist = turn_about(1, wearer.twist + rng.normal(0, 0.2))
    return np.asarray(slack @ upside_down @ screen_out @ twist @ PHONE_FROM_THIGH, np.float64)


def move(wearer: Wearer, activity: str, count: int, rate_hz: float, rng: np.random.Generator) -> Motion:
    """Motion of the thigh in one trial of ``count`` samples."""
    if activity in POSTURES:
        return _rest(POSTURES[activity], count, rate_hz, rng)
    gait = wearer.gaits[activity]
    if activity in ("upstairs", "downstairs"):
        return _stairs(wearer, gait, count, rate_hz, rng)
    phase = _phase(gait, count, rate_hz, rng)
    return _go(wearer, gait, phase, rate_hz, rng, heading=0.4 * wander(rng, count, rate_hz, 5.0))


def wander(rng: np.random.Generator, count: int, rate_hz: float, period_s: float) -> Track:
    """A smooth random track with about unit variance and a new target every ``period_s``."""
    at = np.arange(count) / (rate_hz * period_s) + rng.random()
    knots = rng.standard_normal(int(at[-1]) + 2 if count else 2)
    index = at.astype(np.int64)
    return np.asarray(knots[index] + _smoothstep(at - index) * (knots[index + 1] - knots[index]), np.float64)


def _smoothstep(x: Track) -> Track:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * x * (10 - 15 * x + 6 * x * x), np.float64)


def _vary(gait: Gait, rng: np.random.Generator, tempo: float, vigour: float) -> Gait:
    """A person's individual version of a gait."""
    return replace(
        gait,
        stride_hz=gait.stride_hz * tempo * rng.normal(1, 0.05),
        offset=gait.offset + rng.normal(0, 0.06),
        swing=gait.swing * vigour * rng.lognormal(0, 0.12),
        harmonics=tuple(share * rng.lognormal(0, 0.3) for share in gait.harmonics),
        phases=tuple(phase + rng.normal(0, 0.3) for phase in gait.phases),
        bounce=gait.bounce * vigour * rng.lognormal(0, 0.15),
        bounce_phase=gait.bounce_phase + rng.normal(0, 0.3),
        impact=gait.impact * vigour * rng.lognormal(0, 0.25),
        strike=gait.strike + rng.normal(0, 0.02),
    )


def _phase(gait: Gait, count: int, rate_hz: float, rng: np.random.Generator) -> Track:
    """Number of strides so far, with a drifting cadence."""
    cadence = gait.stride_hz * (1 + 0.04 * wander(rng, count, rate_hz, 6.0) + 0.02 * wander(rng, count, rate_hz, 1.0))
    return rng.random() + np.cumsum(cadence) / rate_hz


def _go(wearer: Wearer, gait: Gait, phase: Track, rate_hz: float, rng: np.random.Generator, heading: Track) -> Motion:
    count = len(phase)
    strength = 1 + 0.10 * wander(rng, count, rate_hz, 4.0) + 0.04 * wander(rng, count, rate_hz, 0.8)
    angle = 2 * np.pi * phase
    wave = np.cos(angle)
    for order, (share, shift) in enumerate(zip(gait.harmonics, gait.phases, strict=True), 2):
        wave += share * np.cos(order * angle + shift)
    flexion = gait.offset + 0.04 * wander(rng, count, rate_hz, 8.0) + gait.swing * strength * wave
    roll = 0.05 * np.cos(angle + 1.0) + 0.04 * wander(rng, count, rate_hz, 3.0)
    twist = 0.06 * np.cos(angle + 2.2) + heading
    return Motion(flexion, roll, twist, _hip(wearer, gait, phase, strength, rate_hz, rng))


def _hip(
    wearer: Wearer, gait: Gait, phase: Track, strength: Track, rate_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    angle = 2 * np.pi * phase
    up = gait.bounce * strength * np.cos(2 * angle + gait.bounce_phase)
    forward = 0.45 * gait.bounce * strength * np.cos(2 * angle + gait.bounce_phase + 1.4)
    left = 0.30 * gait.bounce * strength * np.cos(angle + 0.5)
    hip = np.column_stack([forward, left, up])
    for shift, share in ((gait.strike, 1.0), (gait.strike + 0.5, wearer.asymmetry)):
        hip += share * _impacts(gait, phase - shift, rng)[:, None] * [-0.45, 0.15 * (-1) ** (shift > 0.4), 1.0]
    cloth = rng.standard_normal((len(phase), 3)) * 0.12 * gait.impact
    cloth[1:] = (cloth[1:] + cloth[:-1]) / 2
    return hip + cloth


def _impacts(gait: Gait, phase: Track, rng: np.random.Generator) -> Track:
    """A decaying oscillation after each strike, with a strength that varies from stride to stride."""
    stride = np.floor(phase).astype(np.int64)
    strengths = rng.lognormal(0, 0.2, int(stride[-1] - stride[0]) + 1)
    since_s = (phase - stride) / gait.stride_hz
    pulse = np.exp(-since_s / 0.05) * np.sin(2 * np.pi * 9.0 * since_s)
    return np.asarray(gait.impact * 1.6 * strengths[stride - stride[0]] * pulse, np.float64)


def _stairs(wearer: Wearer, gait: Gait, count: int, rate_hz: float, rng: np.random.Generator) -> Motion:
    """Flights of stairs with landings between them, where the wearer turns and takes one or two level steps."""
    landing = np.zeros(count)
    at = rng.uniform(4, 12)
    while at * rate_hz < count:
        t = np.arange(count) / rate_hz - at
        landing = np.maximum(landing, _smoothstep(t / 0.6) * _smoothstep((2.2 - t) / 0.6))
        at += rng.uniform(8, 16)
    phase = _phase(gait, count, rate_hz, rng)
    heading = 0.2 * wander(rng, count, rate_hz, 5.0) + rng.choice([-1, 1]) * 1.2 * np.cumsum(landing) / rate_hz
    climb = _go(wearer, gait, phase, rate_hz, rng, heading).stack()
    level = _go(wearer, wearer.gaits["walking"], phase, rate_hz, rng, heading).stack()
    return Motion.unstack(climb + landing[:, None] * (level - climb))


def _rest(posture: Posture, count: int, rate_hz: float, rng: np.random.Generator) -> Motion:
    sway = posture.sway * (wander(rng, count, rate_hz, 1.2) + 0.4 * wander(rng, count, rate_hz, 0.25))
    roll = 0.10 * _held(rng, count, rate_hz, lambda: rng.standard_normal()) + sway
    flexion = _held(rng, count, rate_hz, lambda: _draw_flexion(posture, rng)) + sway
    fidget = _fidgets(posture, count, rate_hz, rng)
    hip = 0.03 * np.column_stack([wander(rng, count, rate_hz, 0.3) for _ in range(3)])
    return Motion(flexion + fidget, roll - 0.4 * fidget, 0.05 * wander(rng, count, rate_hz, 3.0) + 0.3 * fidget, hip)


def _draw_flexion(posture: Posture, rng: np.random.Generator) -> float:
    usual = rng.random() >= posture.other_share
    return rng.normal(posture.flexion if usual else posture.other_flexion, posture.spread)


def _held(rng: np.random.Generator, count: int, rate_hz: float, draw: Callable[[], float]) -> Track:
    """A value that is constant for 10 to 40 s and then moves to another within a second."""
    track = np.full(count, draw())
    at = rng.uniform(5, 40)
    while at * rate_hz < count:
        step = _smoothstep(np.arange(count) / rate_hz - at)
        track += step * (draw() - track[-1])
        at += rng.uniform(10, 40)
    return track


def _fidgets(posture: Posture, count: int, rate_hz: float, rng: np.random.Generator) -> Track:
    """Short movements of the leg at random times."""
    t = np.arange(count) / rate_hz
    track = np.zeros(count)
    for at in rng.uniform(0, count / rate_hz, rng.poisson(posture.fidgets_hz * count / rate_hz)):
        width, wiggle_hz, size = rng.uniform(0.2, 0.9), rng.uniform(0.5, 4.0), rng.lognormal(-2.8, 0.5)
        track += size * np.exp(-(((t - at) / width) ** 2)) * np.cos(2 * np.pi * wiggle_hz * (t - at))
    return track
