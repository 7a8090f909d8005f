"""What runs on the board: standard library only, Python 3.9 or newer, shipped as one zip and run by the board's Python.

Each module is plain functions on folders and programs, so that a test needs neither a board nor ssh. Nothing here may
import another room: the zip holds this folder alone.
"""
