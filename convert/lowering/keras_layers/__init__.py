"""Keras models of any layers rewritten, exactly, into operations that have int8 kernels."""
