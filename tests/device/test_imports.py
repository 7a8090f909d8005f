import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("deseptr.device", "tensorflow keras smbus2 ai_edge_litert tflite_runtime deseptr.firmware_harness.simulator"),
        ("deseptr.firmware_harness.simulator", "tensorflow keras smbus2 ai_edge_litert tflite_runtime deseptr.train"),
        ("deseptr.cli.device.group", "tensorflow keras numpy rich smbus2 deseptr.device deseptr.data"),
    ],
)
def test_import_is_light(module, forbidden):
    code = f"import sys, {module}; print(*sorted(set({forbidden.split()!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
