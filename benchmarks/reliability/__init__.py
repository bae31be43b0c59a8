"""What a study survives: kills, damage, a full disk, several programs at once, any input."""
