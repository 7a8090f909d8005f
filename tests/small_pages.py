"""A medium without room for a database, on any disk."""

import sqlite3
from contextlib import suppress


class Pages:
    """Limits the databases that are opened to a number of pages, as a medium without room does."""

    def __init__(self, patch, count):
        self.count = count
        self._connections = []
        self._connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", self.open)

    def open(self, database, **options):
        self._connections.append(self._connect(database, **options))
        self.limit(self.count)
        return self._connections[-1]

    def limit(self, count):
        self.count = count
        for connection in self._connections:
            with suppress(sqlite3.ProgrammingError):  # closed
                connection.execute(f"PRAGMA max_page_count = {count}")
