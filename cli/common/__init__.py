"""Parts that several commands share: options, messages, tables, and groups that import a command when it is called."""
