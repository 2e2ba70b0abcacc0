"""What can be done, typed: who may do it is decided here and nowhere else."""
