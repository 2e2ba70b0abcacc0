"""What customers have in service: one stream for each product, from the item that brought it until it ends."""
