"""The ``deseptr`` command: thin wrappers around the library; a command is imported only when it is called."""
