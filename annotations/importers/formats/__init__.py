"""Data sets in other tools' formats, and in ours: recognised by their files, read into tables of rows."""
