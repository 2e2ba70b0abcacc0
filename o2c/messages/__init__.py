"""What customers are told of their orders: each milestone once, in the customer's language, by a channel that he wants and at an hour that
he allows."""
