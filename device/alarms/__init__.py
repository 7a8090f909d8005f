"""From windows to alarms: classes that are events, their confirmation by stillness, answers by the wearer."""
