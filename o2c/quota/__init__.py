"""Usage that is granted before it is used: quota of sessions, and the prepaid balance that pays for it."""
