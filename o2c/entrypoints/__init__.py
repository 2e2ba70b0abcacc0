"""The roof: everything a person or a program calls from outside."""
