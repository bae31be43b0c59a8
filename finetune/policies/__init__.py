"""What decides, after each epoch, whether to cut the learning rate or stop."""
