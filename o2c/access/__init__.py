"""Who may what: the table of permissions, keys and issuers of tokens, and the records of who read what is personal."""
