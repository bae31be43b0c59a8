"""The policies in their Keras form, for `keras.Model.fit`."""
