"""The identity gate: is the customer the person or organisation that the order names?"""
