"""The mounting of the sensor against that of the training: the correction of samples."""
