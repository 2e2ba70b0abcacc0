"""The money that an account holds for its customer: credit, what is owed, deposits."""
