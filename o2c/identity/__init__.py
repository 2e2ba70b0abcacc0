"""Who the customer is: the identity gate."""
