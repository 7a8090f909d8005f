"""What tests of several rooms share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
