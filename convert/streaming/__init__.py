"""A graph cut into one for a column of a window and one for its columns along time, which give the same bits."""
