"""Policies decide after each epoch whether to change the learning rate or stop: NumPy alone.

A new policy is one file here, its spec in `spec/variants.py`, its Keras form in `callbacks/`, and
a line in each of `policies.variants.POLICIES` and `callbacks.variants.CALLBACKS`.
"""
