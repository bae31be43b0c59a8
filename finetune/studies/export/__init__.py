"""A study's results in the forms of other tools: a run a variant, with its means over epochs.

To add a form, write a function like those here and enter it in `formats`.
"""
