"""Drivers of inertial sensors on I2C, one chip a file; ``sensors`` names and finds them."""
