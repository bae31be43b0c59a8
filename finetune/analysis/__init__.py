"""What the stored runs say: every table, curve and verdict; nothing is drawn or written."""
