"""Drivers of inertial sensors on I2C, one file for each chip; ``sensors`` lists them and detects a chip."""
