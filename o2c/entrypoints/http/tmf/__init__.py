"""TM Forum's interfaces over the one log: they translate documents into the shapes of each standard, and nothing else."""
