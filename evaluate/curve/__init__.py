"""Macro-F1 against the number of labelled wearers, for several ways to learn from them."""
