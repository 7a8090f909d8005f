"""Scores of labels over time: whole recordings, the label at every sample, changes, delays, errors and events.

The figures are of *tracks*: the true class and the shown label of every sample of a recording. Everything in
:mod:`track`, :mod:`segment_errors`, :mod:`onsets`, :mod:`label_changes` and :mod:`event_scores` needs numpy alone and
knows nothing of models; whoever has other tracks scores them the same way:

>>> import numpy as np
>>> from deseptr.evaluate.continuous.onsets import onsets
>>> from deseptr.evaluate.continuous.track import Track
>>> track = Track("ada", np.repeat([0, 1], 100), np.repeat([0, 1], [150, 50]), rate_hz=50.0)
>>> [onset.delay_s for onset in onsets(track) if not onset.at_start]
[1.0]

Classes that are *events*, such as falls, have alarms instead of labels, which are scored by their times:

>>> from deseptr.evaluate.continuous.event_scores import EventRecord, TrueEvent, score_events
>>> record = EventRecord("ada", duration_s=3600.0, events=(TrueEvent(100.0, until_s=110.0),), alarms_s=(101.5, 900.0))
>>> score = score_events([record])
>>> score.detected, score.missed, score.false_alarms, score.delays_s
(1, 0, 1, (1.5,))
>>> print(score.false_alarms_per_hour())
0.025 to 5.572
"""
