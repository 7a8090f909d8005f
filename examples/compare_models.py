"""Which model, on evidence: the same folds for each, then their latency on this machine.

python compare_models.py [EPOCHS]
"""

import sys

import deseptr

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
data = deseptr.load("synthetic:subjects=4,seconds=20")

# A fold a subject. The same call again keeps the folds that are finished.
results = {
    model: deseptr.crossval(
        data, f"runs/{model}", model=model, protocol="loso", teacher_epochs=epochs, student_epochs=epochs
    )
    for model in ("deseptr", "cnn-har", "random-forest")
}
for model, result in results.items():
    print(f"{model:14} macro-F1 {result.macro_f1:.3f}  {result.parameters or 0:,} parameters")

# The int8 models of the first fold, timed interleaved: other work on the machine meets both alike.
print(deseptr.compare("runs/deseptr/fold-1/model.tflite", "runs/cnn-har/fold-1/model.tflite", rounds=200))
