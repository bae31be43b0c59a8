"""What is called while a study trains, to show how far it is."""


class Progress:
    """Shows nothing; a subclass shows what it likes.

    The command line hands in a bar, a notebook or a program one of its own.
    """

    def note(self, text: str) -> None:
        """Show what a user should know, in words."""

    def begin(self, stored: int, missing: int) -> None:
        """Start to count, with how many runs are stored and how many are to be trained."""

    def update(self, done: float) -> None:
        """Show how many of the missing runs are done, a fraction where one is amid training."""


SILENT = Progress()
