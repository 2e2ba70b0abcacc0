"""The operator's parties: the customers that are billed, their payment methods, and the papers that identity checks ask about."""
