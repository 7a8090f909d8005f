"""Alarms in a program of your own: what raises one, what cancels it, and what you do then.

    python alarms.py

The packaged model knows no falls, so that jogging stands for one here; a model of `deseptr train --preset falls` brings
its rule along, and `events` can be left out.
"""

import deseptr
from deseptr.device import AlarmEvent

# Raised after 2 s to settle and 3 s without motion; whoever goes on moving cancels it.
rule = deseptr.EventRule("jogging", threshold=0.8, confirm_s=3.0)
data = deseptr.load("sample")
signals = {data.label_names[each.labels[0]]: each.signals for each in data.recordings}

for after in ("sitting", "walking"):
    source = deseptr.stream(deseptr.load_model(), events=[rule])
    print("3 s of jogging, then", after)
    came = source.push(signals["jogging"][:150]) + source.push(signals[after])
    for event in came + source.end():
        if isinstance(event, AlarmEvent):
            print(event)
            if event.state == "raised":
                print("           call somebody; the impact was at", event.peak_t, "s")
