"""The policies as Keras callbacks, for `keras.Model.fit`, and callbacks of the user's."""
