"""The board's side: standard library only, Python 3.9 or newer, sent as one zip and run by the board's Python.

Each module has plain functions on folders and programs, so that a test needs neither a board nor ssh. Nothing here may
import another room: the zip contains this folder alone.
"""
