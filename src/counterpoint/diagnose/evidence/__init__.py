"""What several checks look at: predictions as arrays, shares with their doubt, bits a voice tells, heads to ask."""
