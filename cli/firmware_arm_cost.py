"""``deseptr firmware arm-cost``, where the other firmware commands are."""

from __future__ import annotations

from deseptr.firmware_harness.arm.command import arm_cost

__all__ = ["arm_cost"]
