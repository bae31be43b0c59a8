"""The data room: the user's rows, read, prepared and split."""
