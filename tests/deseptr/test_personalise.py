import numpy as np

import deseptr


def test_a_model_is_personalised_saved_and_loaded(tmp_path):
    model = deseptr.load_model()
    eve = model.personalise("sample", "eve")
    eve.wearer.save(tmp_path / "eve.deseptr")
    again = deseptr.load_model(wearer=tmp_path / "eve.deseptr")
    windows = model.windows("sample").signals[:5]
    np.testing.assert_array_equal(eve.predict(windows), again.predict(windows))
    assert not np.allclose(eve.predict(windows), model.predict(windows))
    events = list(again.simulate("sample", seconds=4))
    assert events[0].event.wearer == "eve"
    stream = deseptr.stream(again)
    assert [each.wearer for each in stream.push(np.zeros((150, 6))) if hasattr(each, "probabilities")] == ["eve"]
    assert len(again.personalise("sample").wearer.sessions) == 2
