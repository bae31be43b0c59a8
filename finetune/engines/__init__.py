"""Ways to train a study's runs; all give the same numbers as `keras.Model.fit`."""
