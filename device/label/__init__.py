"""From logits to the label that is shown: class, confidence, smoothing."""
