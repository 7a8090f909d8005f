"""Where PyTorch is installed: networks exported here and now, with random weights, give PyTorch's logits."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from make_torch_networks import NETWORKS, export  # noqa: E402 # it imports PyTorch
from torch_windows import windows  # noqa: E402

from deseptr.train.torch_program.network import load_torch_program  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_exported_network_gives_its_logits(name: str, tmp_path: Path):
    torch.manual_seed(1)
    network = NETWORKS[name]().eval()
    export(network, tmp_path / "net.pt2")
    model = load_torch_program(tmp_path / "net.pt2")
    given = windows(4, seed=3)[0]
    found = np.concatenate([np.asarray(model(window[None])) for window in given])
    with torch.no_grad():
        expected = torch.cat([network(torch.from_numpy(window[None])) for window in given]).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5, rtol=2e-5)
