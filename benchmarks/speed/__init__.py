"""How fast the engines train, against each other and against other ways to train the same runs."""
