"""What several commands share: options, tables, groups whose commands are imported when they are called."""
