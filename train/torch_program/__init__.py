"""Networks of PyTorch: a program of ``torch.export.save`` as a Keras model, without PyTorch and its pickles."""
