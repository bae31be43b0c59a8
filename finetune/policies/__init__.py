"""What decides, after each epoch, whether to change the learning rate or stop: NumPy alone."""
