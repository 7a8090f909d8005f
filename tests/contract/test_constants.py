from deseptr.contract import INPUT_STEPS, STANDARD_GRAVITY


def test_one_g_is_that_of_the_cgpm():
    assert STANDARD_GRAVITY == 9.80665


def test_an_int8_range_has_256_values_from_minus_one_to_one():
    assert INPUT_STEPS == 255 / 2
