"""Subjects remembered without their names."""

from hypothesis import given, settings, strategies as st

from deseptr.contract import HeldOut

SALT = bytes(range(16))
names = st.text(min_size=1, max_size=8)


@settings(max_examples=25)
@given(st.lists(names, min_size=1, max_size=3), st.lists(names, max_size=3))
def test_those_hashed_are_found_among_others_in_their_order(held_out: list[str], others: list[str]):
    everybody = [*others, *held_out]
    found = HeldOut.of(held_out, SALT).among(everybody)
    assert found == tuple(name for name in everybody if name in held_out)


def test_another_salt_gives_other_hashes():
    first, second = (HeldOut.of(["Ada", "Grace"], salt) for salt in (SALT, SALT[::-1]))
    assert not set(first.hashes) & set(second.hashes)
    assert first == HeldOut.of(["Grace", "Ada", "Ada"], SALT)
    assert len(first) == 2


def test_the_hash_is_the_one_that_published_models_have():
    """PBKDF2-HMAC-SHA-256, 2,000 rounds: another one would not know the subjects of earlier models."""
    assert HeldOut.of(["Zoë"], SALT).hashes == ("00172c269ccf2b1c",)
