"""Results as tables, Markdown and HTML pages."""
