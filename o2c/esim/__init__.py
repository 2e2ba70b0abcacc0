"""Getting an eSIM profile onto the customer's device."""
