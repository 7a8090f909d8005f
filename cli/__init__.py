"""The ``deseptr`` command: thin wrappers over the rooms' functions, a stage loaded only when it is called."""
