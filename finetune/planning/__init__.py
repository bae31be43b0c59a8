"""What a study trains, as blocks of runs, and what that would cost."""
