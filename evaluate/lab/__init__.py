"""The effect of each part of the method: a grid of variants, trained on the same fold."""
