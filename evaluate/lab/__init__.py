"""What each part of the method is worth: a grid of variants, trained on the same folds."""
