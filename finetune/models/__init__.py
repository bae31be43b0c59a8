"""Networks, and the values that their variables begin with for each seed."""
