"""The books: what each money event posts, what a day's service earns, and days that are closed."""
