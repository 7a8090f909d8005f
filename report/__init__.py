"""Figures made readable: tables, Markdown and HTML pages."""
