"""Reports in other languages than English.

Content is written in English; a catalogue turns the texts of a finished document into another
language. Nothing of this is part of a run: the same run has pages in any language.
"""
