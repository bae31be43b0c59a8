"""What is to be trained: a study's runs and checks, as blocks and tasks, and what they cost."""
