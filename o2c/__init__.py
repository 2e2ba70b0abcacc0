"""An event-sourced order-to-cash engine for telecom operators."""
