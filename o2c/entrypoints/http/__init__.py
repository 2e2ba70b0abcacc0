"""The service: verbs and views over HTTP, made from the one list of them."""
