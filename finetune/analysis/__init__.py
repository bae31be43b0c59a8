"""What follows from the stored runs: every table, curve and verdict; nothing is drawn here."""
