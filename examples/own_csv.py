"""Your own CSV: read it, look at it, train on it, convert it.

    python own_csv.py mine.csv [EPOCHS]

Without a file it writes one of four synthetic wearers first, so that you see the columns that are read:
t in seconds, acc_x to acc_z in m/s^2 (or acc_x_g …), gyro_x to gyro_z in rad/s (or gyro_x_dps …), label, subject.
"""

import sys
from pathlib import Path

import deseptr
from deseptr.data import describe, save_csv

path = Path(sys.argv[1] if len(sys.argv) > 1 else "mine.csv")
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
if not path.exists():
    save_csv(deseptr.load("synthetic:subjects=4,seconds=20"), path)

data = deseptr.load(path)
print(data)
print("minutes by label:", {name: round(minutes, 1) for name, minutes in describe(data).label_minutes.items()})

# Subjects are held out whole: a classifier is worth what it does on people it has not seen.
last = data.subjects[-1]
settings = {"teacher_epochs": epochs, "student_epochs": epochs}
run = deseptr.fit(data, path.with_suffix(".run"), test_subjects=[last], if_exists="overwrite", **settings)
scores = run.score(data.select(subjects=[last]))
print(scores)
print("F1 by class:", {name: f1 and round(f1, 2) for name, f1 in scores.per_class_f1.items()})

try:
    print(run.convert(path.with_suffix(".tflite")).conversion)
except deseptr.DeseptrError as error:
    # A model that has learned little changes its mind easily: the gate says so, and what to do.
    print(error)
