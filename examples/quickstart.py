"""From recordings to labels, on the synthetic wearer. Takes a minute or two: python quickstart.py."""

import deseptr

data = deseptr.load("synthetic:subjects=24,seconds=60,seed=1")
run = deseptr.fit(data, "runs/quickstart", if_exists="overwrite", teacher_epochs=8, student_epochs=12)
model = run.convert("quickstart.tflite")
held_out = data.select(subjects=run.test_subjects)
print(data, run, model, sep="\n")
print(f"int8 macro-F1 on held-out subjects: {model.score(held_out).macro_f1:.3f}")
for event in model.simulate(held_out, seconds=20):
    print(event)
